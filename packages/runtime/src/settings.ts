// Every setting there is. docs/configuration.md is generated from this list.
import { age, choice, count, duration, flag, period, port, proxies, text, url } from './setting.ts'

export const SETTINGS = {
  host: text(
    'HOST',
    'Address that the API listens on. Anything but loopback wants an API key, or AUTH=none to insist.',
    {
      fallback: '127.0.0.1',
    },
  ),
  port: port('PORT', 'Port of the API.', { fallback: '8080' }),
  auth: choice('none', 'keys')(
    'AUTH',
    '`keys` asks every caller for an API key, `none` nobody; left out, callers are asked once there is a key.',
  ),
  apiKeyBootstrap: text(
    'API_KEY_BOOTSTRAP',
    'Text `<id>.<secret>` of a key with all scopes, made when there is none.',
    {
      secret: true,
    },
  ),
  trustProxy: proxies(
    'TRUST_PROXY',
    'Proxies whose X-Forwarded-For is believed, comma-separated addresses, networks, or `loopback`, `uniquelocal`.',
  ),
  healthPort: port('HEALTH_PORT', 'Port of health and metrics in services without an API; 0 takes any and logs it.', {
    fallback: '0',
  }),
  metricsPerApp: flag('METRICS_PER_APP', 'Counts deliveries by application too.', { fallback: 'false' }),
  bodyLimit: count('BODY_LIMIT', 'Largest request body in bytes.', { fallback: '1048576' }),
  importLimit: count('IMPORT_LIMIT', 'Largest body of an import in bytes; it is never held as a whole.', {
    fallback: '1073741824',
  }),
  applicationName: text('APPLICATION_NAME', 'Name in the service status.', { fallback: 'powerauth-push' }),
  applicationDisplayName: text('APPLICATION_DISPLAY_NAME', 'Name for people in the service status.', {
    fallback: 'PowerAuth Push Server',
  }),
  applicationEnvironment: text('APPLICATION_ENVIRONMENT', 'Environment in the service status.', { fallback: '' }),
  logLevel: choice(
    'trace',
    'debug',
    'info',
    'warn',
    'error',
    'fatal',
    'silent',
  )('LOG_LEVEL', 'Least level that is logged.', {
    fallback: 'info',
  }),
  logPretty: flag('LOG_PRETTY', 'Logs for a terminal instead of JSON lines.', { fallback: 'false' }),

  databaseUrl: text('DATABASE_URL', 'PostgreSQL, `postgres://user:password@host:port/database`.', { secret: true }),
  databasePool: count(
    'DATABASE_POOL',
    'Most database connections of one process for its tables; queues in PostgreSQL take up to 20 more.',
    { fallback: '20' },
  ),
  redisUrl: text('REDIS_URL', 'Redis of the queues, `redis://…`; without it they live in PostgreSQL.', {
    secret: true,
  }),
  queuePrefix: text(
    'QUEUE_PREFIX',
    'Namespace of the queues in Redis. In PostgreSQL they have the schema `bullmq` of the database.',
    {
      fallback: 'push',
    },
  ),
  encryptionKey: text('ENCRYPTION_KEY', 'Key of the stored secrets: base64 of 32 bytes.', { secret: true }),
  encryptionKeysOld: text('ENCRYPTION_KEYS_OLD', 'Earlier keys, comma-separated, still used for reading.', {
    secret: true,
  }),

  syncTimeout: duration('SYNC_TIMEOUT', 'Longest wait of a SYNCHRONOUS send; what misses it is answered as pending.', {
    fallback: '30s',
  }),
  batchSize: count('BATCH_SIZE', 'Most messages of one batch request.', { fallback: '20' }),
  enqueueTimeout: duration('ENQUEUE_TIMEOUT', 'Longest wait for the queue; after it the sweep enqueues.', {
    fallback: '1s',
  }),
  backlogLimit: count(
    'BACKLOG_LIMIT',
    'Direct deliveries that may wait on one platform; beyond it messages to that platform are answered with 503.',
    { fallback: '1000000' },
  ),
  idempotencyAge: age('IDEMPOTENCY_AGE', 'How long a request under an `Idempotency-Key` can be repeated.', {
    fallback: '24h',
  }),

  messageStorageEnabled: flag(
    'MESSAGE_STORAGE_ENABLED',
    'Keeps messages once they are settled; otherwise they go a minute after SYNC_TIMEOUT, as docs/messages.md says.',
    { fallback: 'true' },
  ),
  messageBodyAge: age('MESSAGE_BODY_AGE', 'How long the content of a message is kept once it is settled.', {
    fallback: '24h',
  }),
  messageAge: age('MESSAGE_AGE', 'How long messages and what became of them are kept.', { fallback: '30d' }),
  droppedDeviceAge: age('DROPPED_DEVICE_AGE', 'How long a device is kept once its token is known to be dead.', {
    fallback: '30d',
  }),
  retentionInterval: period('RETENTION_INTERVAL', 'How often what is past its age is removed.', { fallback: '1m' }),

  leaseTime: period('LEASE_TIME', 'How long a worker that stopped answering keeps its chunks.', { fallback: '30s' }),
  sweepInterval: period('SWEEP_INTERVAL', 'How often due chunks without a job are looked for.', { fallback: '5s' }),
  sweepAfter: duration('SWEEP_AFTER', 'How long a chunk is due before the sweep gives it a new job.', {
    fallback: '10s',
  }),
  directConcurrency: count('DIRECT_CONCURRENCY', 'Chunks of direct messages that a worker has in hand at once.', {
    fallback: '20',
  }),
  campaignConcurrency: count('CAMPAIGN_CONCURRENCY', 'Chunks of campaigns that a worker has in hand at once.', {
    fallback: '8',
  }),
  guardPercent: count(
    'GUARD_PERCENT',
    'Share of doubtful answers in a minute, percent, beyond which no token is dropped for them.',
    { fallback: '20' },
  ),
  guardPushes: count('GUARD_PUSHES', 'So many pushes in that minute it takes at least.', { fallback: '50' }),
  guardRecent: count('GUARD_RECENT', 'Doubtful answers among the last 50 pushes that do it as well.', {
    fallback: '20',
  }),
  deliveryMaxAge: duration('DELIVERY_MAX_AGE', 'Direct deliveries older than this fail as TooOld.', {
    fallback: '24h',
  }),
  deliveryMaxAgeCampaign: duration('DELIVERY_MAX_AGE_CAMPAIGN', 'The same of deliveries of a campaign.', {
    fallback: '72h',
  }),
  campaignBodyLimit: count('CAMPAIGN_BODY_LIMIT', 'Largest request body of adding users to a campaign, in bytes.', {
    fallback: '16777216',
  }),
  campaignPartition: count('CAMPAIGN_PARTITION', 'Users of a campaign whose devices are cut into chunks at once.', {
    fallback: '200000',
  }),
  campaignGrace: duration('CAMPAIGN_GRACE', 'A scheduled campaign that is later than this is missed, not sent.', {
    fallback: '1h',
  }),
  providerIdle: period('PROVIDER_IDLE', 'An application that sends nothing for so long has its connections closed.', {
    fallback: '10m',
  }),
  stopTimeout: duration('STOP_TIMEOUT', 'How long a stopping worker waits for pushes in flight.', { fallback: '20s' }),

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
  apnsWindow: count('APNS_WINDOW', 'Most pushes in flight for one application.', { fallback: '1000' }),
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
  fcmWindow: count('FCM_WINDOW', 'Most pushes in flight for one application.', { fallback: '1000' }),
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
  hmsWindow: count('HMS_WINDOW', 'Most requests in flight for one application, each of up to 1000 tokens.', {
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

  dataDir: text('DATA_DIR', 'Where `npm start` keeps the embedded PostgreSQL, its key and the simulator.', {
    fallback: '.data',
  }),
  simulatorPort: port('SIMULATOR_PORT', 'Port of the phones’ page of `npm start`.', { fallback: '8090' }),
} as const
