// Settings of what is kept: the database, the queue, the encryption of secrets, and for how long.
import { age, count, countUpTo, duration, encryptionKey, encryptionKeys, flag, period, text } from '../setting.ts'

/** PostgreSQL takes no larger max_connections. */
const MOST_CONNECTIONS = 262_143

export const DATABASE_SETTINGS = {
  databaseUrl: text('DATABASE_URL', 'Address of PostgreSQL: `postgres://user:password@host:port/database`.', {
    secret: true,
    requiredWhen: 'services are started one by one',
  }),
  databaseUrlDirect: text(
    'DATABASE_URL_DIRECT',
    'Address of PostgreSQL past a pooler such as PgBouncer, for LISTEN, migrations, imports and queues.',
    { secret: true, requiredWhen: '`DATABASE_URL` leads to a pooler in transaction mode' },
  ),
  databasePool: countUpTo(MOST_CONNECTIONS)(
    'DATABASE_POOL',
    'Maximum number of database connections of one process for its tables. It may open 3 more, and those of `DATABASE_POOL_QUEUES`.',
    { fallback: '6' },
  ),
  databasePoolQueues: countUpTo(MOST_CONNECTIONS)(
    'DATABASE_POOL_QUEUES',
    'Maximum number of database connections of one process for queues in PostgreSQL. With Redis there are none.',
    { fallback: '10' },
  ),
  databaseProcesses: count(
    'DATABASE_PROCESSES',
    'Number of processes that share the database. Each process warns at its start when PostgreSQL takes fewer connections than all of them may open.',
    { fallback: '10' },
  ),
  databaseTimeout: period(
    'DATABASE_TIMEOUT',
    'Maximum wait for one statement. PostgreSQL itself cancels the statement after two thirds of it, and its wait for a lock after one third.',
    { fallback: '15s' },
  ),
  databaseNamedStatements: flag(
    'DATABASE_NAMED_STATEMENTS',
    'Whether PostgreSQL plans a statement once per connection. PgBouncer before 1.21 in transaction mode requires `false`.',
    { fallback: 'true' },
  ),
} as const

export const QUEUE_SETTINGS = {
  redisUrl: text(
    'REDIS_URL',
    'Address of the Redis of the queues: `redis://…`. Without it the queues are in PostgreSQL.',
    {
      secret: true,
    },
  ),
  queuePrefix: text(
    'QUEUE_PREFIX',
    'Namespace of the queues in Redis. Queues in PostgreSQL have the schema `bullmq` of the database instead.',
    { fallback: 'push' },
  ),
  enqueueTimeout: duration(
    'ENQUEUE_TIMEOUT',
    'Maximum wait for the queue while a message is accepted. What was not enqueued by then is enqueued by the sweep.',
    { fallback: '1s' },
  ),
} as const

export const ENCRYPTION_SETTINGS = {
  encryptionKey: encryptionKey(
    'ENCRYPTION_KEY',
    'Key that encrypts stored secrets: 32 random bytes in base64. A process that can read none of the stored credentials does not start.',
    { secret: true, requiredWhen: 'services are started one by one' },
  ),
  encryptionKeysOld: encryptionKeys(
    'ENCRYPTION_KEYS_OLD',
    'Comma-separated earlier encryption keys, in the format of `ENCRYPTION_KEY`. Secrets that they encrypted can still be read.',
    { secret: true },
  ),
} as const

export const RETENTION_SETTINGS = {
  messageStorageEnabled: flag(
    'MESSAGE_STORAGE_ENABLED',
    'Whether messages are kept after they are settled. With `false` a message is removed `SYNC_TIMEOUT` and a minute after its last delivery settled (docs/messages.md).',
    { fallback: 'true' },
  ),
  messageBodyAge: age(
    'MESSAGE_BODY_AGE',
    'Time for which the content of a message is kept after its last delivery settled.',
    { fallback: '24h' },
  ),
  messageAge: age(
    'MESSAGE_AGE',
    'Time for which a message and its deliveries are kept after the message was accepted. They are never removed before they are settled.',
    { fallback: '30d' },
  ),
  droppedDeviceAge: age(
    'DROPPED_DEVICE_AGE',
    'Time for which a device is kept after the provider called its token dead.',
    { fallback: '30d' },
  ),
  deviceHistoryAge: age(
    'DEVICE_HISTORY_AGE',
    'Time for which the log of a device is kept: its registrations, changes of token and user, drops and their reasons.',
    { fallback: '90d' },
  ),
  inboxMaxAge: age(
    'INBOX_MAX_AGE',
    'Time after its creation from which an inbox message is no longer shown, and is removed. Without it only messages with a `validUntil` end.',
  ),
  retentionInterval: period('RETENTION_INTERVAL', 'Interval at which schedulers remove rows that are past their age.', {
    fallback: '1m',
  }),
} as const
