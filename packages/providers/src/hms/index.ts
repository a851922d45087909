// HMS as an entry of the registry: stored credentials and settings in, a provider out.
import { isRich } from '@push-server/contract'
import type { ProviderKind } from '../provider-kind.ts'
import { ignoredMembers, ignoredOfRich } from '../ignored-members.ts'
import { networkOf } from '../network.ts'
import { readHmsCredentials } from './credentials.ts'
import { PLACES, replacedOnHms } from './notification-members.ts'
import { checkHmsPayload, hmsBytes, hmsCollapseKey, hmsPayload, withTokens } from './payload.ts'
import { openHmsProvider } from './provider.ts'
import { TOKENS_PER_REQUEST } from './requests.ts'

export { hmsSecret } from './credentials.ts'

export const hms: ProviderKind = {
  // A chunk fills one request.
  chunkSize: { direct: TOKENS_PER_REQUEST, campaign: TOKENS_PER_REQUEST },

  trial: {
    token: 'no-device-has-this-token',
    tried: 'a new access token, and a push that is only validated',
    signsTokens: false,
  },

  verify({ settings, secret }) {
    readHmsCredentials(settings, secret)
  },

  open: ({ settings, secret, appId }, { config, log, tokens, now, validateOnly = false }) =>
    openHmsProvider({
      ...readHmsCredentials(settings, secret),
      tokens,
      baseUrl: config.hmsBaseUrl,
      tokenUrl: config.hmsTokenUrl,
      ...networkOf(config, 'hms'),
      requestsInFlight: config.hmsConcurrency,
      requestTimeoutMs: config.hmsRequestTimeout,
      appId,
      dataOnly: config.hmsDataOnly,
      validateOnly,
      log,
      now,
    }),

  check: (message, { config: { hmsDataOnly: dataOnly }, appId, now }) =>
    checkHmsPayload(message, { dataOnly, appId, now }),

  ignored({ body, silent }) {
    const key = hmsCollapseKey(body.collapseKey) === undefined ? (['collapseKey'] as const) : []
    const classic = ignoredMembers(body, silent ? [...key, 'badge'] : key, !silent)
    if (!isRich(body)) return classic
    return ignoredOfRich(body, PLACES, { classic, hasNotification: !silent, replaced: replacedOnHms(body) })
  },

  bytes: (message, { config: { hmsDataOnly: dataOnly }, appId, now }) => hmsBytes(message, { dataOnly, appId, now }),

  draft: (message, { token }, { config: { hmsDataOnly: dataOnly }, appId, now }) => ({
    headers: {},
    body: withTokens(hmsPayload(message, { dataOnly, appId, now }), [token]),
  }),
}
