// HMS as an entry of the registry: stored credentials and settings in, a provider out.
import { isRich } from '@push-server/contract'
import type { PayloadContext, ProviderKind, PushDraft } from '../provider-kind.ts'
import type { PushMessage } from '../provider.ts'
import { ignoredMembers, ignoredOfRich } from '../ignored-members.ts'
import { networkOf } from '../network.ts'
import { hmsApis, readHmsCredentials, USUAL_CATEGORY } from './credentials.ts'
import { ignoredInV3 } from './ignored-v3.ts'
import { PLACES, replacedOnHms } from './notification-members.ts'
import { checkHmsPayload, hmsBytes, hmsCollapseKey, hmsPayload, withTokens, type HmsPayload } from './payload.ts'
import { checkHmsPayloadV3, hmsBytesV3, hmsPayloadV3, lacksText, NO_TEXT } from './payload-v3.ts'
import { openHmsProvider } from './provider.ts'
import { TOKENS_PER_REQUEST } from './requests.ts'

export { hmsPartsOf, hmsSecret, hmsStored, readHmsAccountFile, type HmsParts } from './credentials.ts'

/** Of Huawei's, for the size. */
const LONGEST_CATEGORY = 'DEVICE_REMINDER'
const TRIED_CLIENT = 'a new access token, and a push that is only validated'
const TRIED_ACCOUNT = 'a test push to a token of HarmonyOS 5 that no device has'

const pushesBy = (version: '2' | '3', { huaweiApis = null }: Pick<PayloadContext, 'huaweiApis'>) =>
  hmsApis({ apis: huaweiApis }).includes(version)

function ignoredInV2({ body, silent }: PushMessage): string[] {
  const key = hmsCollapseKey(body.collapseKey) === undefined ? (['collapseKey'] as const) : []
  const classic = ignoredMembers(body, silent ? [...key, 'badge'] : key, !silent)
  if (!isRich(body)) return classic
  return ignoredOfRich(body, PLACES, { classic, hasNotification: !silent, replaced: replacedOnHms(body) })
}

const headersOf = ({ pushType }: HmsPayload): PushDraft['headers'] =>
  pushType === undefined ? {} : { 'push-type': pushType }

export const hms: ProviderKind = {
  // A chunk fills one request.
  chunkSize: { direct: TOKENS_PER_REQUEST, campaign: TOKENS_PER_REQUEST },

  trial: {
    token: 'no-device-has-this-token',
    tried: TRIED_CLIENT,
    signsTokens: false,
    partsOf({ settings, secret }) {
      const { clientId, account } = readHmsCredentials(settings, secret)
      return [
        ...(clientId === undefined ? [] : [{ tried: TRIED_CLIENT }]),
        ...(account ? [{ tokenKind: 'v3', tried: TRIED_ACCOUNT } as const] : []),
      ]
    },
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

  check(message, { config: { hmsDataOnly: dataOnly }, appId, now, huaweiApis }) {
    const options = { dataOnly, appId, now, category: LONGEST_CATEGORY }
    const problems = pushesBy('2', { huaweiApis }) ? checkHmsPayload(message, options) : []
    return problems.length === 0 && pushesBy('3', { huaweiApis }) ? checkHmsPayloadV3(message, options) : problems
  },

  unshown({ body, silent }, context) {
    if (silent || !pushesBy('3', context) || !lacksText(body)) return []
    return [body.titleLocKey ? 'body.titleLocKey' : 'body.bodyLocKey']
  },

  ignored(message, { config: { hmsDataOnly: dataOnly }, huaweiApis }) {
    const inV2 = pushesBy('2', { huaweiApis }) ? ignoredInV2(message) : undefined
    if (inV2?.length === 0 || !pushesBy('3', { huaweiApis })) return inV2 ?? []
    const inV3 = ignoredInV3(message, { dataOnly })
    return inV2 ? inV2.filter((field) => inV3.includes(field)) : inV3
  },

  bytes(message, { config: { hmsDataOnly: dataOnly }, appId, now, huaweiApis }) {
    const options = { dataOnly, appId, now, category: LONGEST_CATEGORY }
    return pushesBy('2', { huaweiApis }) ? hmsBytes(message, options) : hmsBytesV3(message, options)
  },

  draft(message, { token, tokenKind, settings }, { config: { hmsDataOnly: dataOnly }, appId, now }) {
    const options = { dataOnly, appId, now, category: settings['category'] ?? USUAL_CATEGORY }
    const payload = tokenKind === 'v3' ? hmsPayloadV3(message, options) : hmsPayload(message, options)
    if (payload === NO_TEXT) return { headers: {}, body: '{}' }
    return {
      headers: headersOf(payload),
      body: withTokens(payload, [token]),
    }
  },
}
