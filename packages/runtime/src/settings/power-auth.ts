// Settings of activations and of PowerAuth Server, which knows them.
import { choice, count, flag, period, text, url } from '../setting.ts'

export const POWERAUTH_SETTINGS = {
  registrationMultipleActivationsEnabled: flag(
    'REGISTRATION_MULTIPLE_ACTIVATIONS_ENABLED',
    'Whether one device may be registered for several activations at once.',
    { fallback: 'true' },
  ),
  registrationAlwaysAsk: flag(
    'REGISTRATION_ALWAYS_ASK',
    'Whether PowerAuth Server is called for registrations of one activation that name user and status too, and its response wins. With `false` such a registration is believed: whoever may call `/push/device/create` can then register a device for any user.',
    { fallback: 'true' },
  ),
  powerauthUrl: url(
    'POWERAUTH_URL',
    'Address of PowerAuth Server, up to and with `/rest`. Without it the gateway believes what registrations say of their activations.',
  ),
  powerauthApi: choice('auto', 'v3', 'v4')(
    'POWERAUTH_API',
    'Version of the REST interface of PowerAuth Server. `auto` takes 4, and 3 where PowerAuth Server has no version 4 (404), which the gateway remembers for five minutes.',
    { fallback: 'auto' },
  ),
  powerauthClientToken: text('POWERAUTH_CLIENT_TOKEN', 'User name under which the gateway calls PowerAuth Server.', {
    fallback: '',
    requiredWhen: 'PowerAuth Server restricts access',
  }),
  powerauthClientSecret: text('POWERAUTH_CLIENT_SECRET', 'Password under which the gateway calls PowerAuth Server.', {
    fallback: '',
    secret: true,
    requiredWhen: 'PowerAuth Server restricts access',
  }),
  powerauthConnectTimeout: period('POWERAUTH_CONNECT_TIMEOUT', 'Maximum wait for a connection to PowerAuth Server.', {
    fallback: '5s',
  }),
  powerauthResponseTimeout: period(
    'POWERAUTH_RESPONSE_TIMEOUT',
    'Maximum wait for a response of PowerAuth Server, the connection included. A registration waits as long.',
    { fallback: '10s' },
  ),
  powerauthConnections: count(
    'POWERAUTH_CONNECTIONS',
    'Maximum number of requests to PowerAuth Server at a time. Further requests wait.',
    { fallback: '50' },
  ),
  powerauthCaFile: text(
    'POWERAUTH_CA_FILE',
    'PEM file of a certificate authority to trust for PowerAuth Server, beside the built-in authorities.',
  ),
  powerauthAcceptInvalidSslCertificate: flag(
    'POWERAUTH_ACCEPT_INVALID_SSL_CERTIFICATE',
    'Whether any certificate of PowerAuth Server is accepted. It is meant for experiments only.',
    { fallback: 'false' },
  ),
} as const
