// The queues: one per platform and lane. A job is a hint that a chunk is due: losing one costs time, never a message.
import { LANES, PLATFORMS, type ChunkJob, type Lane, type Platform } from '@push-server/contract'
import type { BaseAdapter } from '@bull-board/api/baseAdapter'
import { withDeadline, type Logger, type QueueDepth } from '@push-server/runtime'
import {
  openPostgresBackend,
  openRedisBackend,
  type Backend,
  type Handled,
  type HintQueue,
  type JobData,
} from './backend.ts'

export interface QueueSettings {
  redisUrl: string | undefined
  databaseUrl: string
  /** A direct connection, when `databaseUrl` leads to a pooler. */
  databaseUrlDirect?: string | undefined
  /** Maximum number of connections for queues in PostgreSQL. */
  databasePoolQueues: number
  queuePrefix: string
  /** Longest wait for the queue to take jobs, ms. */
  enqueueTimeout: number
}

export interface Consumer {
  /** Takes no further job and resolves when running ones are done. */
  close(): Promise<void>
}

export interface ConsumeOptions {
  platform: Platform
  lane: Lane
  concurrency: number
}

export interface Queues {
  /** Where the queues live. */
  readonly backend: 'redis' | 'postgresql'
  /** Rejects within the time-out when the queue is unavailable; the sweep then finds the chunks. */
  enqueue(jobs: readonly ChunkJob[]): Promise<void>
  /** `handle` is called for each job. When it rejects, the error is logged and the job is removed. */
  consume(options: ConsumeOptions, handle: (hint: JobData) => Promise<Handled>): Consumer
  /** Jobs of each queue by state. Rejects while the store of the queues is out of reach. */
  depths(): Promise<QueueDepth[]>
  /** Every queue, for Bull Board. */
  boards(): BaseAdapter[]
  /** Rejects while the store of the queues is out of reach, or takes no jobs. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** A job whose worker died goes to another one after about this time. The lease of its chunk decides, not the queue. */
const LOCK_MS = 10_000
const STALLED_CHECK_MS = 5_000
/** The largest that PostgreSQL's back end takes. */
const NO_LIMIT = 2 ** 31 - 1

/** A job that is done is gone. */
const STATES = ['waiting', 'active', 'delayed'] as const

const queueName = (platform: Platform, lane: Lane) => `${platform}-${lane}`

/** BullMQ takes no colon in an id and no id of digits alone. Nothing is kept: a kept job would block its successor's id. */
const jobOf = ({ chunkId, applicationId, size, try: number, overdue = 0, delayMs }: ChunkJob, timestamp: number) => ({
  name: 'chunk',
  data: { chunkId, applicationId, size },
  opts: {
    jobId: overdue > 0 ? `${chunkId}-${number}-${overdue}` : `${chunkId}-${number}`,
    timestamp,
    delay: Math.ceil(delayMs),
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: true,
  },
})

/**
 * `now`: ms since the epoch; a delay counts from there. BullMQ ends delays by the clock of whichever worker looks: one that is too early
 * costs a look at the chunk's row and the time until the sweep, one that is too late costs the error of the clock.
 */
export async function openQueues(settings: QueueSettings, log: Logger, now: () => number): Promise<Queues> {
  const onError = (error: Error) => log.warn({ err: error }, 'queue connection failed')
  const backend: Backend = settings.redisUrl
    ? await openRedisBackend(settings.redisUrl, settings.queuePrefix, { onError, now })
    : await openPostgresBackend(
        { url: settings.databaseUrlDirect ?? settings.databaseUrl, connections: settings.databasePoolQueues },
        { onError, now },
      )
  const queues = new Map<string, HintQueue>(
    PLATFORMS.flatMap((platform) =>
      LANES.map((lane) => {
        const name = queueName(platform, lane)
        const queue = backend.openQueue(name)
        queue.on('error', onError)
        return [name, queue]
      }),
    ),
  )

  const queueOf = (name: string) => {
    const queue = queues.get(name)
    if (!queue) throw new Error(`There is no queue ${name}`)
    return queue
  }

  return {
    backend: settings.redisUrl ? 'redis' : 'postgresql',

    async enqueue(jobs) {
      if (!backend.reachable()) throw new Error('The queue is unavailable')
      const timestamp = now()
      const byQueue = Map.groupBy(jobs, (job) => queueName(job.platform, job.lane))
      const added = [...byQueue].map(([name, some]) => queueOf(name).addBulk(some.map((job) => jobOf(job, timestamp))))
      await withDeadline(Promise.all(added), settings.enqueueTimeout, () => {
        throw new Error(`The queue did not respond within ${settings.enqueueTimeout} ms`)
      })
    },

    consume: (options, handle) => consume({ backend, log, onError }, options, handle),

    async depths() {
      if (!backend.reachable()) throw new Error('The queue is unavailable')
      const each = PLATFORMS.flatMap((platform) => LANES.map((lane) => ({ platform, lane })))
      const counted = await Promise.all(
        each.map(async (of) => {
          const counts = await queueOf(queueName(of.platform, of.lane)).getJobCounts(...STATES)
          return Object.entries(counts).map(([state, jobs]) => ({ ...of, state, jobs }))
        }),
      )
      return counted.flat()
    },

    boards: () => [...queues.values()].map((queue) => queue.board),

    async ping() {
      if (!backend.reachable()) throw new Error('The queue is unavailable')
      await backend.probeWrite()
    },

    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      await backend.close()
    },
  }
}

interface ConsumerContext {
  backend: Backend
  log: Logger
  onError(error: Error): void
}

function consume(
  { backend, log, onError }: ConsumerContext,
  { platform, lane, concurrency }: ConsumeOptions,
  handle: (hint: JobData) => Promise<Handled>,
): Consumer {
  const running = new Set<Promise<Handled>>()
  const tracked = (data: JobData) => {
    const handled = handle(data).finally(() => running.delete(handled))
    running.add(handled)
    return handled
  }
  const worker = backend.openWorker(queueName(platform, lane), tracked, {
    concurrency,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_CHECK_MS,
    maxStalledCount: NO_LIMIT,
  })
  worker.on('error', onError)
  worker.on('failed', (job, error) => log.error({ err: error, chunkId: job?.data.chunkId }, 'job failed'))
  return {
    async close() {
      if (backend.reachable()) return void (await worker.close())
      // Without its store a worker's close never ends. It suffices that no job is running.
      await worker.pause(true)
      await Promise.allSettled(running)
      await worker.close(true)
    },
  }
}
