// Every setting there is. docs/configuration.md is generated from this list.
import { choice, count, duration, flag, period, port, text } from './setting.ts'

export const SETTINGS = {
  host: text('HOST', 'Address that the API listens on. Anything but loopback also wants AUTH=none.', {
    fallback: '127.0.0.1',
  }),
  port: port('PORT', 'Port of the API.', { fallback: '8080' }),
  auth: choice('none')('AUTH', 'Says that the API may be reached from elsewhere without authentication.'),
  healthPort: port('HEALTH_PORT', 'Port of health and metrics in services without an API; 0 takes any and logs it.', {
    fallback: '0',
  }),
  metricsPerApp: flag('METRICS_PER_APP', 'Counts deliveries by application too.', { fallback: 'false' }),
  bodyLimit: count('BODY_LIMIT', 'Largest request body in bytes.', { fallback: '1048576' }),
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

  leaseTime: period('LEASE_TIME', 'How long a worker that stopped answering keeps its chunks.', { fallback: '30s' }),
  sweepInterval: period('SWEEP_INTERVAL', 'How often due chunks without a job are looked for.', { fallback: '5s' }),
  sweepAfter: duration('SWEEP_AFTER', 'How long a chunk is due before the sweep gives it a new job.', {
    fallback: '10s',
  }),
  directConcurrency: count('DIRECT_CONCURRENCY', 'Chunks of direct messages that a worker has in hand at once.', {
    fallback: '20',
  }),
  campaignConcurrency: count('CAMPAIGN_CONCURRENCY', 'Chunks of campaigns that a worker has in hand at once.', {
    fallback: '4',
  }),
  deliveryMaxAge: duration('DELIVERY_MAX_AGE', 'Direct deliveries older than this fail as TooOld.', {
    fallback: '24h',
  }),
  stopTimeout: duration('STOP_TIMEOUT', 'How long a stopping worker waits for pushes in flight.', { fallback: '20s' }),

  http2Transport: choice('lean', 'node')(
    'HTTP2_TRANSPORT',
    'How HTTP/2 is spoken to APNs and FCM: `lean` by our own client, `node` by Node.js, at several times the cost.',
    { fallback: 'lean' },
  ),

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
  hmsDataOnly: flag('HMS_DATA_ONLY', 'Sends notifications to HMS as data, for the mobile application to show.', {
    fallback: 'false',
  }),

  dataDir: text('DATA_DIR', 'Where `npm start` keeps the embedded PostgreSQL, its key and the simulator.', {
    fallback: '.data',
  }),
  simulatorPort: port('SIMULATOR_PORT', 'Port of the phones’ page of `npm start`.', { fallback: '8090' }),
} as const
