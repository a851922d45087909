// The back ends of the queues, Redis and PostgreSQL. BullMQ runs the same on both; the differences end in this file.
import {
  createPostgresBackend,
  DEFAULT_SCHEMA,
  DelayedError,
  Queue,
  runMigrations,
  withBackend,
  Worker,
  type BulkJobOptions,
  type Job,
  type Processor,
} from 'bullmq'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import pg from 'pg'

export interface JobData {
  chunkId: number
  applicationId: number
  /** Number of its deliveries that are pending; a former version does not say it. */
  size?: number
}

/** Result of a job's handling: done, or to be offered again after a while. */
export type Handled = void | { retryInMs: number }

/** The part of BullMQ's Queue that a producer of hints needs. */
export interface HintQueue {
  addBulk(jobs: { name: string; data: JobData; opts?: BulkJobOptions }[]): Promise<unknown>
  getJobCounts(...states: ('waiting' | 'active' | 'delayed')[]): Promise<Record<string, number>>
  on(event: 'error', listener: (error: Error) => void): unknown
  close(): Promise<unknown>
  /** The queue as Bull Board shows it. */
  readonly board: BullMQAdapter
}

/** The part of BullMQ's Worker that a consumer of hints needs. */
export interface HintWorker {
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'failed', listener: (job: { data: JobData } | undefined, error: Error) => void): unknown
  pause(doNotWaitActive: boolean): Promise<unknown>
  close(force?: boolean): Promise<unknown>
}

export interface WorkOptions {
  concurrency: number
  lockDuration: number
  stalledInterval: number
  maxStalledCount: number
}

export interface Backend {
  /** False while the store of the queues is unavailable: then enqueueing fails at once. */
  reachable(): boolean
  /** Rejects when nothing can be written: a Redis that is full (noeviction), or a replica, still responds. */
  probeWrite(): Promise<void>
  openQueue(name: string): HintQueue
  openWorker(name: string, handle: (data: JobData) => Promise<Handled>, options: WorkOptions): HintWorker
  close(): Promise<void>
}

const hintQueue = (queue: Omit<HintQueue, 'board'>): HintQueue => ({
  addBulk: (jobs) => queue.addBulk(jobs),
  getJobCounts: (...states) => queue.getJobCounts(...states),
  on: (event, listener) => queue.on(event, listener),
  close: () => queue.close(),
  // Read-only: a pause set there would stop deliveries unseen. Bull Board serves both back ends; its types know queues of Redis only.
  board: new BullMQAdapter(queue as unknown as Queue, { readOnlyMode: true }),
})

/** A job that is to be offered again goes back into the queue under its own id, behind the jobs that wait there. */
const processorOf =
  (
    handle: (data: JobData) => Promise<Handled>,
    now: () => number,
    putLast?: (job: Job) => Promise<unknown>,
  ): Processor<JobData> =>
  async (job, token) => {
    const handled = await handle(job.data)
    if (!handled) return
    await putLast?.(job)
    await job.moveToDelayed(now() + handled.retryInMs, token)
    throw new DelayedError()
  }

export interface BackendEvents {
  onError(error: Error): void
  /** ms since the epoch: delays count from there. */
  now(): number
}

/** How long opening waits for Redis before it goes on without a connection. */
const FIRST_CONNECT_MS = 3000
const LONGEST_RETRY_MS = 2000
const PROBE_AGE_MS = 60_000

/** One producer connection that fails at once while Redis is unavailable; workers use blocking ones that wait until it is back. */
export async function openRedisBackend(url: string, prefix: string, { onError, now }: BackendEvents): Promise<Backend> {
  let closed = false
  // Workers copy it into connections of their own, which cannot be reached: so they end, too.
  const retryStrategy = (times: number) => (closed ? null : Math.min(times * 50, LONGEST_RETRY_MS))
  const producer = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1, retryStrategy })
  const consumer = new Redis(url, { maxRetriesPerRequest: null, retryStrategy })
  for (const connection of [producer, consumer]) connection.on('error', onError)
  await once(producer, 'ready', { signal: AbortSignal.timeout(FIRST_CONNECT_MS) }).catch(onError)
  return {
    reachable: () => producer.status === 'ready',
    // A key of its own, which ends by itself. Redis refuses it just as it refuses a job.
    probeWrite: async () => void (await producer.set(`${prefix}:write-probe`, '', 'PX', PROBE_AGE_MS)),
    openQueue: (name) => hintQueue(new Queue<JobData>(name, { connection: producer, prefix })),
    openWorker: (name, handle, options) =>
      new Worker<JobData>(name, processorOf(handle, now), { connection: consumer, prefix, ...options }),
    async close() {
      // `quit` waits for a response of the server, which never arrives while it is unavailable.
      closed = true
      producer.disconnect()
      consumer.disconnect()
    },
  }
}

/**
 * With few jobs in the table PostgreSQL's planner chooses plans that cost five times the work once there are many. These settings keep
 * it on the indexes.
 */
const PLANNER = '-c enable_seqscan=off -c enable_bitmapscan=off -c enable_sort=off'

/** No caller waits longer for the queue: a statement that is abandoned here must not hold a connection there. */
const LIMITS = '-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s'

/** BullMQ returns a delayed job to its old place, before jobs that were added later. On Redis it comes last by itself. */
const PUT_LAST = "UPDATE job SET seq = nextval('job_seq') WHERE queue = $1 AND id = $2"

/** Processes that start together wait for one another here, and a start on a busy machine may pause between two statements. */
const MIGRATION_LIMITS =
  "SET statement_timeout = '60s'; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = '60s'"
const USUAL_LIMITS = 'RESET statement_timeout; RESET lock_timeout; RESET idle_in_transaction_session_timeout'

async function migrateQueues(pool: pg.Pool, onError: (error: Error) => void): Promise<void> {
  const client = await pool.connect()
  client.on('error', onError)
  try {
    await client.query(MIGRATION_LIMITS)
    await runMigrations(client, DEFAULT_SCHEMA)
    await client.query(USUAL_LIMITS)
  } finally {
    client.off('error', onError)
    client.release()
  }
}

export interface PostgresOptions {
  /** A direct connection, past any pooler: workers listen, and each connection has settings of its own. */
  url: string
  /** Each worker keeps one of them to listen. */
  connections: number
}

export async function openPostgresBackend(
  { url, connections }: PostgresOptions,
  { onError, now }: BackendEvents,
): Promise<Backend> {
  const pool = new pg.Pool({
    connectionString: url,
    options: `-c search_path=${DEFAULT_SCHEMA} ${PLANNER} ${LIMITS}`,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    max: connections,
    connectionTimeoutMillis: 10_000,
    application_name: 'push-server queues',
  })
  // Every queue and worker listens to the pool they share.
  pool.setMaxListeners(0)
  pool.on('error', onError)
  try {
    await migrateQueues(pool, onError)
  } catch (error) {
    await pool.end()
    throw error
  }
  const bound = withBackend(createPostgresBackend)
  const putLast = (job: Job) => pool.query(PUT_LAST, [job.queueName, job.id])
  return {
    // While it is unavailable, storing a request fails before anything could be enqueued.
    reachable: () => true,
    // The health of the database tells whether it stores anything.
    probeWrite: async () => {},
    openQueue: (name) => hintQueue(new bound.Queue<JobData>(name, { connection: pool })),
    openWorker: (name, handle, options) =>
      new bound.Worker<JobData>(name, processorOf(handle, now, putLast), { connection: pool, ...options }),
    close: () => pool.end(),
  }
}
