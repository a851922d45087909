// FCM as an entry of the registry: stored credentials and settings in, a provider out.
import { isRich } from '@push-server/contract'
import { USUAL_CHUNK_SIZE, type ProviderKind } from '../provider-kind.ts'
import { ignoredMembers, ignoredOfRich } from '../ignored-members.ts'
import { networkOf } from '../network.ts'
import { checkKeyPair } from '../credentials.ts'
import { certify, readServiceAccount } from './credentials.ts'
import { PLACES, replacedOnFcm } from './notification-members.ts'
import { checkFcmPayload, fcmBody, fcmBytes, fcmPayload } from './payload.ts'
import { openFcmProvider } from './provider.ts'

export const fcm: ProviderKind = {
  chunkSize: USUAL_CHUNK_SIZE,
  trial: {
    token: 'no-device-has-this-token',
    tried: 'a new access token, and a push that is only validated',
    signsTokens: false,
  },

  verify({ settings, secret }) {
    certify(secret)
    checkKeyPair(readServiceAccount(settings, secret).key, 'FCM private key')
  },

  open: ({ settings, secret }, { config, log, tokens, now, validateOnly = false }) =>
    openFcmProvider({
      account: readServiceAccount(settings, secret),
      tokens,
      baseUrl: config.fcmBaseUrl,
      tokenUrl: config.fcmTokenUrl,
      ...networkOf(config, 'fcm'),
      concurrency: config.fcmConcurrency,
      connections: config.fcmConnections,
      dataOnly: config.fcmDataOnly,
      validateOnly,
      requestTimeoutMs: config.fcmRequestTimeout,
      transport: config.http2Transport,
      log,
      now,
    }),

  check: (message, { config: { fcmDataOnly: dataOnly } }) => checkFcmPayload(message, { dataOnly }),

  ignored({ body, silent }, { config: { fcmDataOnly } }) {
    // A mobile application that shows notifications itself gets those of silent messages too.
    const hasNotification = !silent || (body.dataOnly ?? fcmDataOnly)
    const classic = hasNotification ? ignoredMembers(body, [], true) : ignoredMembers(body, ['badge'], false)
    return isRich(body)
      ? ignoredOfRich(body, PLACES, { classic, hasNotification, replaced: replacedOnFcm(body) })
      : classic
  },

  bytes: (message, { config: { fcmDataOnly: dataOnly } }) => fcmBytes(message, { dataOnly }),

  draft: (message, device, { config: { fcmDataOnly: dataOnly }, now }) => ({
    headers: {},
    body: fcmBody(fcmPayload(message, { dataOnly, now }), device).toString(),
  }),
}
