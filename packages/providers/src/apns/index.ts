// APNs as an entry of the registry: stored credentials and settings in, a provider out.
import { isRich } from '@push-server/contract'
import { USUAL_CHUNK_SIZE, type ProviderKind } from '../provider-kind.ts'
import { ignoredMembers, ignoredOfRich } from '../ignored-members.ts'
import { networkOf } from '../network.ts'
import { checkKeyPair } from '../credentials.ts'
import { checkIdentifiers, parseApnsKey, readApnsCredentials } from './credentials.ts'
import { PLACES, replacedOnApns } from './notification-members.ts'
import { apnsPayload, checkApnsPayload } from './payload.ts'
import { openApnsProvider } from './provider.ts'

export const apns: ProviderKind = {
  chunkSize: USUAL_CHUNK_SIZE,
  trial: {
    // No phone has it: Apple's tokens are random. The fakes refuse its prefix, as Apple refuses such a token.
    token: 'faded400'.padEnd(64, '0'),
    tried: 'a background push to a token that no device has',
    signsTokens: true,
  },

  verify({ settings, secret }) {
    checkKeyPair(parseApnsKey(secret), 'APNs key')
    checkIdentifiers(readApnsCredentials(settings, secret))
  },

  open: ({ settings, secret }, { config, log, tokens, now }) =>
    openApnsProvider({
      credentials: readApnsCredentials(settings, secret),
      tokens,
      origins: { production: config.apnsProductionUrl, development: config.apnsDevelopmentUrl },
      ...networkOf(config, 'apns'),
      concurrency: config.apnsConcurrency,
      useDevelopment: config.apnsUseDevelopment,
      requestTimeoutMs: config.apnsRequestTimeout,
      transport: config.http2Transport,
      log,
      now,
    }),

  check: (message) => checkApnsPayload(message),

  ignored({ body, silent }) {
    const classic = ignoredMembers(body, ['icon'], !silent)
    if (!isRich(body)) return classic
    return ignoredOfRich(body, PLACES, { classic, hasNotification: !silent, replaced: replacedOnApns(body) })
  },

  bytes: (message, { now }) => apnsPayload(message, '', now).payload.length,

  draft(message, { settings }, { now }) {
    const { headers, payload } = apnsPayload(message, settings.bundle ?? '', now)
    return { headers, body: payload.toString() }
  },
}
