// The queues: one per platform and lane. A job is a hint that a chunk is due; losing one costs time, never a message.
import { LANES, PLATFORMS, type ChunkJob, type Lane, type Platform } from '@push-server/contract'
import type { BaseAdapter } from '@bull-board/api/baseAdapter'
import type { Logger } from '@push-server/runtime'
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
  /** Past the pooler that `databaseUrl` leads to. */
  databaseUrlDirect?: string | undefined
  /** Maximum number of connections for queues in PostgreSQL. */
  databasePoolQueues: number
  queuePrefix: string
  /** Longest wait for the queue to take jobs, ms. */
  enqueueTimeout: number
}

export interface Consumer {
  /** Takes no further job and resolves when those in hand are done. */
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
  /** Rejects within the time-out when the queue does not take the jobs; the sweep then finds their chunks. */
  enqueue(jobs: readonly ChunkJob[]): Promise<void>
  /** `handle` is called for each job; what it rejects with is logged and the job is gone. */
  consume(options: ConsumeOptions, handle: (hint: JobData) => Promise<Handled>): Consumer
  /** Every queue, for Bull Board. */
  boards(): BaseAdapter[]
  /** Rejects while the store of the queues is out of reach. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** A job whose worker died is given to another after about this long; its chunk's lease decides, not the queue. */
const LOCK_MS = 10_000
const STALLED_CHECK_MS = 5_000
/** The largest that PostgreSQL's back end takes. */
const NO_LIMIT = 2 ** 31 - 1

const queueName = (platform: Platform, lane: Lane) => `${platform}-${lane}`

/** BullMQ takes no colon in an id and no id of digits alone. Nothing is kept: a kept job would block its successor's id. */
const jobOf = ({ chunkId, applicationId, try: number, overdue = 0, delayMs }: ChunkJob) => ({
  name: 'chunk',
  data: { chunkId, applicationId },
  opts: {
    jobId: overdue > 0 ? `${chunkId}-${number}-${overdue}` : `${chunkId}-${number}`,
    delay: Math.ceil(delayMs),
    attempts: 1,
    removeOnComplete: true,
    removeOnFail: true,
  },
})

export async function openQueues(settings: QueueSettings, log: Logger): Promise<Queues> {
  const onError = (error: Error) => log.warn({ err: error }, 'queue connection fault')
  const backend: Backend = settings.redisUrl
    ? await openRedisBackend(settings.redisUrl, settings.queuePrefix, onError)
    : await openPostgresBackend(
        { url: settings.databaseUrlDirect ?? settings.databaseUrl, connections: settings.databasePoolQueues },
        onError,
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
      if (!backend.reachable()) throw new Error('The queue is out of reach')
      const byQueue = Map.groupBy(jobs, (job) => queueName(job.platform, job.lane))
      const added = [...byQueue].map(([name, some]) => queueOf(name).addBulk(some.map(jobOf)))
      await within(settings.enqueueTimeout, Promise.all(added))
    },

    consume: (options, handle) => consume({ backend, log, onError }, options, handle),

    boards: () => [...queues.values()].map((queue) => queue.board),

    async ping() {
      if (!backend.reachable()) throw new Error('The queue is out of reach')
    },

    async close() {
      await Promise.all([...queues.values()].map((queue) => queue.close()))
      await backend.close()
    },
  }
}

interface Consuming {
  backend: Backend
  log: Logger
  onError(error: Error): void
}

function consume(
  { backend, log, onError }: Consuming,
  { platform, lane, concurrency }: ConsumeOptions,
  handle: (hint: JobData) => Promise<Handled>,
): Consumer {
  const inHand = new Set<Promise<Handled>>()
  const held = (data: JobData) => {
    const handled = handle(data).finally(() => inHand.delete(handled))
    inHand.add(handled)
    return handled
  }
  const worker = backend.openWorker(queueName(platform, lane), held, {
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
      // Without its store a worker never ends closing by itself; what counts is that nothing is in hand any more.
      await worker.pause(true)
      await Promise.allSettled(inHand)
      await worker.close(true)
    },
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`The queue did not answer within ${ms} ms`)), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
