// Settings of the ways to APNs, FCM and HMS.
import type { ProviderName } from '@push-server/contract'
import { count, duration, flag, port, text, type Setting } from '../setting.ts'

type Prefixed<P extends string, Settings> = { [K in keyof Settings & string as `${P}${K}`]: Settings[K] }

/** With the provider's name before each key: `apnsProxyHost`. */
const prefixed = <P extends ProviderName, Settings extends object>(provider: P, settings: Settings) =>
  Object.fromEntries(Object.entries(settings).map(([key, setting]) => [`${provider}${key}`, setting])) as Prefixed<
    P,
    Settings
  >

/** `APNS_PROXY_ENABLED` and so on. `reached` says what the proxy leads to, with its verb. */
function proxySettings<P extends ProviderName>(provider: P, { name, reached }: { name: string; reached: string }) {
  const prefix = `${provider.toUpperCase()}_PROXY`
  return prefixed(provider, {
    ProxyEnabled: flag(`${prefix}_ENABLED`, `Whether ${reached} reached through an HTTP proxy, by CONNECT.`, {
      fallback: 'false',
    }),
    ProxyHost: text(`${prefix}_HOST`, `Host of the proxy for ${name}.`, { fallback: '127.0.0.1' }),
    ProxyPort: port(`${prefix}_PORT`, `Port of the proxy for ${name}.`, { fallback: '8080' }),
    ProxyUsername: text(
      `${prefix}_USERNAME`,
      `User name for the proxy for ${name}. Without it the proxy gets no credentials.`,
    ),
    ProxyPassword: text(`${prefix}_PASSWORD`, `Password for the proxy for ${name}.`, { secret: true }),
  })
}

const APNS_SETTINGS = {
  apnsUseDevelopment: flag(
    'APNS_USE_DEVELOPMENT',
    'Whether applications that name no environment use the development environment of APNs.',
    { fallback: 'false' },
  ),
  apnsProductionUrl: text('APNS_PRODUCTION_URL', 'Address of APNs for tokens of the production environment.', {
    fallback: 'https://api.push.apple.com',
  }),
  apnsDevelopmentUrl: text('APNS_DEVELOPMENT_URL', 'Address of APNs for tokens of the development environment.', {
    fallback: 'https://api.sandbox.push.apple.com',
  }),
  apnsCaFile: text(
    'APNS_CA_FILE',
    'PEM file of a certificate authority to trust for APNs, beside the built-in authorities.',
  ),
  apnsConcurrency: count(
    'APNS_CONCURRENCY',
    'Maximum number of pushes in flight to APNs for one application in one worker.',
    { fallback: '4000', formerName: 'APNS_WINDOW' },
  ),
  apnsRequestTimeout: duration('APNS_REQUEST_TIMEOUT', 'Maximum wait for a response of APNs.', { fallback: '10s' }),
  ...proxySettings('apns', { name: 'APNs', reached: 'APNs is' }),
} as const

const FCM_SETTINGS = {
  fcmBaseUrl: text('FCM_BASE_URL', 'Address of FCM.', { fallback: 'https://fcm.googleapis.com' }),
  fcmTokenUrl: text('FCM_TOKEN_URL', 'Address of the endpoint that issues access tokens for FCM.', {
    fallback: 'https://oauth2.googleapis.com/token',
  }),
  fcmCaFile: text(
    'FCM_CA_FILE',
    'PEM file of a certificate authority to trust for FCM and its token endpoint, beside the built-in authorities.',
  ),
  fcmConcurrency: count(
    'FCM_CONCURRENCY',
    'Maximum number of pushes in flight to FCM for one application in one worker.',
    { fallback: '4000', formerName: 'FCM_WINDOW' },
  ),
  fcmConnections: count(
    'FCM_CONNECTIONS',
    'Maximum number of connections to FCM for one application in one worker. Each carries 100 pushes at a time.',
    { fallback: '40' },
  ),
  fcmRequestTimeout: duration('FCM_REQUEST_TIMEOUT', 'Maximum wait for a response of FCM.', { fallback: '15s' }),
  ...proxySettings('fcm', { name: 'FCM', reached: 'FCM and its token endpoint are' }),
  fcmDataOnly: flag(
    'FCM_DATA_ONLY',
    'Whether notifications go to FCM as data, for the mobile application to show them.',
    { fallback: 'false' },
  ),
} as const

const HMS_SETTINGS = {
  hmsBaseUrl: text('HMS_BASE_URL', 'Address of the push service of HMS.', {
    fallback: 'https://push-api.cloud.huawei.com',
  }),
  hmsTokenUrl: text('HMS_TOKEN_URL', 'Address of the endpoint that issues access tokens for HMS.', {
    fallback: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
  }),
  hmsCaFile: text(
    'HMS_CA_FILE',
    'PEM file of a certificate authority to trust for HMS and its token endpoint, beside the built-in authorities.',
  ),
  hmsConcurrency: count(
    'HMS_CONCURRENCY',
    'Maximum number of requests in flight to HMS for one application in one worker. A request carries up to 1000 tokens of one message, and has a connection of its own.',
    { fallback: '2000', formerName: 'HMS_WINDOW' },
  ),
  hmsRequestTimeout: duration('HMS_REQUEST_TIMEOUT', 'Maximum wait for a response of HMS.', { fallback: '30s' }),
  ...proxySettings('hms', { name: 'HMS', reached: 'HMS and its token endpoint are' }),
  hmsDataOnly: flag(
    'HMS_DATA_ONLY',
    'Whether notifications go to HMS as data, for the mobile application to show them.',
    { fallback: 'false' },
  ),
} as const

export const PROVIDER_SETTINGS = {
  apns: APNS_SETTINGS,
  fcm: FCM_SETTINGS,
  hms: HMS_SETTINGS,
} as const satisfies Record<ProviderName, Readonly<Record<string, Setting<unknown>>>>
