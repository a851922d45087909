// Every setting there is. docs/configuration.md is generated from this list.
import { PROVIDER_SETTINGS } from './provider-settings.ts'
import { age, choice, count, duration, flag, hosts, origins, period, port, proxies, text } from './setting.ts'

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
    'Proxies whose X-Forwarded-For and X-Forwarded-Host are believed, comma-separated addresses, networks, or `loopback`, `uniquelocal`.',
  ),
  publicOrigins: origins(
    'PUBLIC_ORIGINS',
    'Origins whose pages may call the API, such as `https://push.example.com`, comma-separated. By default those of the request’s own host, over http and https; of X-Forwarded-Host behind TRUST_PROXY.',
  ),
  allowedHosts: hosts(
    'ALLOWED_HOSTS',
    'Names beside loopback that requests may have as `Host` while HOST is loopback and nobody is asked for an API key, comma-separated. Other names get 421.',
  ),
  healthPort: port('HEALTH_PORT', 'Port of health and metrics in services without an API; 0 takes any and logs it.', {
    fallback: '0',
  }),
  metricsPerApp: flag('METRICS_PER_APP', 'Counts deliveries by application too.', { fallback: 'false' }),
  bodyLimit: count('BODY_LIMIT', 'Largest request body in bytes.', { fallback: '1048576' }),
  importLimit: count('IMPORT_LIMIT', 'Largest body of an import in bytes; it is never held as a whole.', {
    fallback: '1073741824',
  }),
  importLines: count('IMPORT_LINES', 'Largest number of lines of an import; beyond it the file is refused whole.', {
    fallback: '5000000',
  }),
  importConcurrency: count(
    'IMPORT_CONCURRENCY',
    'Imports under way in one gateway; each takes a database connection. Beyond it they are refused with 503.',
    { fallback: '2' },
  ),
  importConcurrencyPerKey: count(
    'IMPORT_CONCURRENCY_PER_CALLER',
    'Imports under way under one API key in one gateway. Beyond it they are refused with 503.',
    { fallback: '1' },
  ),
  importTimeout: period('IMPORT_TIMEOUT', 'Longest time that the body of an import takes to arrive.', {
    fallback: '1h',
  }),
  importIdle: period(
    'IMPORT_IDLE',
    'Longest silence of the sender of an import, and its head start before IMPORT_MIN_RATE counts.',
    { fallback: '1m' },
  ),
  importMinRate: count('IMPORT_MIN_RATE', 'Bytes a second below which an import is ended.', { fallback: '16384' }),
  requestLimit: count(
    'REQUEST_LIMIT',
    'Requests under way in one gateway, SYNCHRONOUS ones that wait included. Beyond it they are refused with 503.',
    { fallback: '1000' },
  ),
  requestTimeout: period(
    'REQUEST_TIMEOUT',
    'Longest time that a request takes to arrive whole; imports have their own.',
    {
      fallback: '30s',
    },
  ),
  connectionLimit: count(
    'CONNECTION_LIMIT',
    'Open connections of clients to one gateway. Beyond it idle ones are closed, and requests on new ones refused with 503.',
    { fallback: '10000' },
  ),
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
  databaseUrlDirect: text(
    'DATABASE_URL_DIRECT',
    'The same past a pooler such as PgBouncer, where `DATABASE_URL` leads to one: for LISTEN, migrations, imports and queues.',
    { secret: true },
  ),
  databasePool: count(
    'DATABASE_POOL',
    'Maximum number of database connections of one process for its tables. It may open 3 more, and those of `DATABASE_POOL_QUEUES`.',
    { fallback: '6' },
  ),
  databasePoolQueues: count(
    'DATABASE_POOL_QUEUES',
    'Maximum number of connections of one process for queues in PostgreSQL; with Redis there are none.',
    { fallback: '10' },
  ),
  databaseProcesses: count(
    'DATABASE_PROCESSES',
    'Number of processes that share the database. Each warns at its start when the server takes fewer connections than all may open.',
    { fallback: '10' },
  ),
  databaseTimeout: period(
    'DATABASE_TIMEOUT',
    'Longest wait for one statement. PostgreSQL itself cancels it after two thirds of that, and its wait for a lock after a third.',
    { fallback: '15s' },
  ),
  databaseNamedStatements: flag(
    'DATABASE_NAMED_STATEMENTS',
    'PostgreSQL plans a statement once per connection. `false` for a PgBouncer before 1.21 in transaction mode.',
    { fallback: 'true' },
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

  syncTimeout: duration(
    'SYNC_TIMEOUT',
    'Longest wait of a SYNCHRONOUS send, from the arrival of the request; what misses it is answered as pending.',
    {
      fallback: '30s',
    },
  ),
  batchSize: count('BATCH_SIZE', 'Most messages of one batch request.', { fallback: '20' }),
  enqueueTimeout: duration('ENQUEUE_TIMEOUT', 'Longest wait for the queue; after it the sweep enqueues.', {
    fallback: '1s',
  }),
  backlogLimit: count(
    'BACKLOG_LIMIT',
    'Direct deliveries that may wait on one platform. Beyond it applications that hold more than an equal share of it are refused with 503.',
    { fallback: '1000000' },
  ),
  quotaAppBacklog: count(
    'QUOTA_APP_BACKLOG',
    'Direct deliveries of one application that may wait on one platform; left out, BACKLOG_LIMIT alone counts.',
  ),
  quotaAppRate: count(
    'QUOTA_APP_RATE',
    'Messages a second that one application may send through one gateway; left out, as many as it likes.',
  ),
  quotaKeyRate: count(
    'QUOTA_CALLER_RATE',
    'Messages a second that may be sent under one API key through one gateway; left out, as many as it likes.',
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
  sweepInterval: period(
    'SWEEP_INTERVAL',
    'How often due chunks without a job are looked for, and rows of earlier versions that are to be rewritten.',
    { fallback: '5s' },
  ),
  sweepAfter: duration('SWEEP_AFTER', 'How long a chunk is due before the sweep gives it a new job.', {
    fallback: '10s',
  }),
  directConcurrency: count('DIRECT_CONCURRENCY', 'Chunks of direct messages that a worker has in hand at once.', {
    fallback: '20',
  }),
  campaignConcurrency: count('CAMPAIGN_CONCURRENCY', 'Chunks of campaigns that a worker has in hand at once.', {
    fallback: '8',
  }),
  breakerPercent: count(
    'GUARD_PERCENT',
    'Share of doubtful answers in a minute, percent, beyond which no token is dropped for them.',
    { fallback: '20' },
  ),
  breakerPushes: count('GUARD_PUSHES', 'So many pushes in that minute it takes at least.', { fallback: '50' }),
  breakerRecent: count('GUARD_RECENT', 'Doubtful answers among the last 50 pushes that do it as well.', {
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
    fallback: '100000',
  }),
  campaignGrace: duration('CAMPAIGN_GRACE', 'A scheduled campaign that is later than this is missed, not sent.', {
    fallback: '1h',
  }),
  providerIdle: period('PROVIDER_IDLE', 'An application that sends nothing for so long has its connections closed.', {
    fallback: '10m',
  }),
  stopTimeout: duration('STOP_TIMEOUT', 'How long a stopping worker waits for pushes in flight.', { fallback: '20s' }),

  http2Transport: choice('lean', 'node')(
    'HTTP2_TRANSPORT',
    'How HTTP/2 is spoken to APNs and FCM: `lean` by our own client, `node` by Node.js, at several times the cost.',
    { fallback: 'lean' },
  ),

  ...PROVIDER_SETTINGS,

  dataDir: text('DATA_DIR', 'Where `npm start` keeps the embedded PostgreSQL, its key and the simulator.', {
    fallback: '.data',
  }),
  simulatorPort: port('SIMULATOR_PORT', 'Port of the phones’ page of `npm start`.', { fallback: '8090' }),
} as const
