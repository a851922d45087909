// Settings of the ways to the providers.
import { count, duration, flag, period, port, text, url } from './setting.ts'

export const PROVIDER_SETTINGS = {
  apnsUseDevelopment: flag('APNS_USE_DEVELOPMENT', 'APNs environment of applications that name none.', {
    fallback: 'false',
  }),
  apnsProductionUrl: text('APNS_PRODUCTION_URL', 'APNs for production tokens.', {
    fallback: 'https://api.push.apple.com',
  }),
  apnsDevelopmentUrl: text('APNS_DEVELOPMENT_URL', 'APNs for development tokens.', {
    fallback: 'https://api.sandbox.push.apple.com',
  }),
  apnsCaFile: text('APNS_CA_FILE', 'PEM file of a certificate authority to trust beside the built-in ones.'),
  apnsConcurrency: count('APNS_WINDOW', 'Most pushes in flight for one application.', { fallback: '1000' }),
  apnsRequestTimeout: duration('APNS_REQUEST_TIMEOUT', 'Longest wait for one answer of APNs.', { fallback: '10s' }),
  apnsProxyEnabled: flag('APNS_PROXY_ENABLED', 'Goes to APNs through an HTTP proxy, by CONNECT.', {
    fallback: 'false',
  }),
  apnsProxyHost: text('APNS_PROXY_HOST', 'Its host.', { fallback: '127.0.0.1' }),
  apnsProxyPort: port('APNS_PROXY_PORT', 'Its port.', { fallback: '8080' }),
  apnsProxyUsername: text(
    'APNS_PROXY_USERNAME',
    'User name for the proxy; without one it is asked without credentials.',
  ),
  apnsProxyPassword: text('APNS_PROXY_PASSWORD', 'Password for the proxy.', { secret: true }),

  fcmBaseUrl: text('FCM_BASE_URL', 'FCM.', { fallback: 'https://fcm.googleapis.com' }),
  fcmTokenUrl: text('FCM_TOKEN_URL', 'Where access tokens for FCM come from.', {
    fallback: 'https://oauth2.googleapis.com/token',
  }),
  fcmCaFile: text('FCM_CA_FILE', 'PEM file of a certificate authority to trust beside the built-in ones.'),
  fcmConcurrency: count('FCM_WINDOW', 'Most pushes in flight for one application.', { fallback: '1000' }),
  fcmConnections: count('FCM_CONNECTIONS', 'Most connections for one application, with 100 pushes at once on each.', {
    fallback: '10',
  }),
  fcmRequestTimeout: duration('FCM_REQUEST_TIMEOUT', 'Longest wait for one answer of FCM.', { fallback: '15s' }),
  fcmProxyEnabled: flag('FCM_PROXY_ENABLED', 'Goes to FCM and its token endpoint through an HTTP proxy, by CONNECT.', {
    fallback: 'false',
  }),
  fcmProxyHost: text('FCM_PROXY_HOST', 'Its host.', { fallback: '127.0.0.1' }),
  fcmProxyPort: port('FCM_PROXY_PORT', 'Its port.', { fallback: '8080' }),
  fcmProxyUsername: text('FCM_PROXY_USERNAME', 'User name for the proxy; without one it is asked without credentials.'),
  fcmProxyPassword: text('FCM_PROXY_PASSWORD', 'Password for the proxy.', { secret: true }),
  fcmDataOnly: flag('FCM_DATA_ONLY', 'Sends notifications to FCM as data, for the mobile application to show.', {
    fallback: 'false',
  }),

  hmsBaseUrl: text('HMS_BASE_URL', 'Push service of HMS.', { fallback: 'https://push-api.cloud.huawei.com' }),
  hmsTokenUrl: text('HMS_TOKEN_URL', 'Where access tokens for HMS come from.', {
    fallback: 'https://oauth-login.cloud.huawei.com/oauth2/v3/token',
  }),
  hmsCaFile: text('HMS_CA_FILE', 'PEM file of a certificate authority to trust beside the built-in ones.'),
  hmsConcurrency: count('HMS_WINDOW', 'Most requests in flight for one application, each of up to 1000 tokens.', {
    fallback: '16',
  }),
  hmsRequestTimeout: duration('HMS_REQUEST_TIMEOUT', 'Longest wait for one answer of HMS.', { fallback: '30s' }),
  hmsProxyEnabled: flag('HMS_PROXY_ENABLED', 'Goes to HMS and its token endpoint through an HTTP proxy, by CONNECT.', {
    fallback: 'false',
  }),
  hmsProxyHost: text('HMS_PROXY_HOST', 'Its host.', { fallback: '127.0.0.1' }),
  hmsProxyPort: port('HMS_PROXY_PORT', 'Its port.', { fallback: '8080' }),
  hmsProxyUsername: text('HMS_PROXY_USERNAME', 'User name for the proxy; without one it is asked without credentials.'),
  hmsProxyPassword: text('HMS_PROXY_PASSWORD', 'Password for the proxy.', { secret: true }),
  hmsDataOnly: flag('HMS_DATA_ONLY', 'Sends notifications to HMS as data, for the mobile application to show.', {
    fallback: 'false',
  }),

  registrationMultipleActivationsEnabled: flag(
    'REGISTRATION_MULTIPLE_ACTIVATIONS_ENABLED',
    'Whether one device may be registered for several activations at once.',
    { fallback: 'true' },
  ),
  powerauthUrl: url(
    'POWERAUTH_URL',
    'PowerAuth Server, up to and with `/rest`. Without it what registrations say of their activations is believed.',
  ),
  powerauthClientToken: text('POWERAUTH_CLIENT_TOKEN', 'User name of our calls to PowerAuth Server.', { fallback: '' }),
  powerauthClientSecret: text('POWERAUTH_CLIENT_SECRET', 'Password of our calls to PowerAuth Server.', {
    fallback: '',
    secret: true,
  }),
  powerauthConnectTimeout: period('POWERAUTH_CONNECT_TIMEOUT', 'Longest wait for a connection to PowerAuth Server.', {
    fallback: '5s',
  }),
  powerauthResponseTimeout: period(
    'POWERAUTH_RESPONSE_TIMEOUT',
    'Longest wait for its answer, connection included. It answers in milliseconds; whoever registers waits as long.',
    { fallback: '10s' },
  ),
  powerauthConnections: count('POWERAUTH_CONNECTIONS', 'Most questions to PowerAuth Server at once; others wait.', {
    fallback: '50',
  }),
  powerauthCaFile: text('POWERAUTH_CA_FILE', 'PEM file of a certificate authority to trust beside the built-in ones.'),
  powerauthAcceptInvalidSslCertificate: flag(
    'POWERAUTH_ACCEPT_INVALID_SSL_CERTIFICATE',
    'Trusts whoever answers at POWERAUTH_URL: for trying things out only.',
    { fallback: 'false' },
  ),
} as const
