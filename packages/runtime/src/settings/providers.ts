// Settings of the ways to APNs, FCM and HMS.
import { count, duration, flag, port, text } from '../setting.ts'

export const APNS_SETTINGS = {
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
    { fallback: '1000', formerName: 'APNS_WINDOW' },
  ),
  apnsRequestTimeout: duration('APNS_REQUEST_TIMEOUT', 'Maximum wait for a response of APNs.', { fallback: '10s' }),
  apnsProxyEnabled: flag('APNS_PROXY_ENABLED', 'Whether APNs is reached through an HTTP proxy, by CONNECT.', {
    fallback: 'false',
  }),
  apnsProxyHost: text('APNS_PROXY_HOST', 'Host of the proxy for APNs.', { fallback: '127.0.0.1' }),
  apnsProxyPort: port('APNS_PROXY_PORT', 'Port of the proxy for APNs.', { fallback: '8080' }),
  apnsProxyUsername: text(
    'APNS_PROXY_USERNAME',
    'User name for the proxy for APNs. Without it the proxy gets no credentials.',
  ),
  apnsProxyPassword: text('APNS_PROXY_PASSWORD', 'Password for the proxy for APNs.', { secret: true }),
} as const

export const FCM_SETTINGS = {
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
    { fallback: '1000', formerName: 'FCM_WINDOW' },
  ),
  fcmConnections: count(
    'FCM_CONNECTIONS',
    'Maximum number of connections to FCM for one application in one worker. Each carries 100 pushes at a time.',
    { fallback: '10' },
  ),
  fcmRequestTimeout: duration('FCM_REQUEST_TIMEOUT', 'Maximum wait for a response of FCM.', { fallback: '15s' }),
  fcmProxyEnabled: flag(
    'FCM_PROXY_ENABLED',
    'Whether FCM and its token endpoint are reached through an HTTP proxy, by CONNECT.',
    { fallback: 'false' },
  ),
  fcmProxyHost: text('FCM_PROXY_HOST', 'Host of the proxy for FCM.', { fallback: '127.0.0.1' }),
  fcmProxyPort: port('FCM_PROXY_PORT', 'Port of the proxy for FCM.', { fallback: '8080' }),
  fcmProxyUsername: text(
    'FCM_PROXY_USERNAME',
    'User name for the proxy for FCM. Without it the proxy gets no credentials.',
  ),
  fcmProxyPassword: text('FCM_PROXY_PASSWORD', 'Password for the proxy for FCM.', { secret: true }),
  fcmDataOnly: flag(
    'FCM_DATA_ONLY',
    'Whether notifications go to FCM as data, for the mobile application to show them.',
    { fallback: 'false' },
  ),
} as const

export const HMS_SETTINGS = {
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
    'Maximum number of requests in flight to HMS for one application in one worker. A request carries up to 1000 tokens.',
    { fallback: '16', formerName: 'HMS_WINDOW' },
  ),
  hmsRequestTimeout: duration('HMS_REQUEST_TIMEOUT', 'Maximum wait for a response of HMS.', { fallback: '30s' }),
  hmsProxyEnabled: flag(
    'HMS_PROXY_ENABLED',
    'Whether HMS and its token endpoint are reached through an HTTP proxy, by CONNECT.',
    { fallback: 'false' },
  ),
  hmsProxyHost: text('HMS_PROXY_HOST', 'Host of the proxy for HMS.', { fallback: '127.0.0.1' }),
  hmsProxyPort: port('HMS_PROXY_PORT', 'Port of the proxy for HMS.', { fallback: '8080' }),
  hmsProxyUsername: text(
    'HMS_PROXY_USERNAME',
    'User name for the proxy for HMS. Without it the proxy gets no credentials.',
  ),
  hmsProxyPassword: text('HMS_PROXY_PASSWORD', 'Password for the proxy for HMS.', { secret: true }),
  hmsDataOnly: flag(
    'HMS_DATA_ONLY',
    'Whether notifications go to HMS as data, for the mobile application to show them.',
    { fallback: 'false' },
  ),
} as const
