// The sweep: enqueues chunks that are due and have no worker, so that a lost job, an emptied queue or a dead worker cost time only.
import { clearRemovedApplications } from '../applications/index.ts'
import { jobOf } from '../chunk-job.ts'
import type { Context, Service } from '../context.ts'
import { cancelPutBack } from '../messages/index.ts'

/** Maximum number of chunks of the first pass, and of those that follow after an outage: each reads all chunks that are due. */
const BATCH = 1000
const LARGE_BATCH = 5000
/** Jobs that the queue takes at a time. */
const JOBS = 1000
/** A smaller batch, since every delivery of these chunks is written. */
const EXPIRE_BATCH = 50
/** After an outage a full pass is followed by the next at once, up to these numbers in one sweep. */
const MOST_PASSES = 100
const MOST_ENQUEUED = 100_000

export interface SweepCounts {
  /** Chunks that got a job. */
  enqueued: number
  /** Chunks that were too old. */
  expired: number
}

/** What one pass has done of a kind, and whether there is more of it. */
interface Pass {
  count: number
  isFull: boolean
}

const DONE: Pass = { count: 0, isFull: false }

type Step = <T>(name: string, work: () => Promise<T>) => Promise<T | undefined>

/** Runs a step of a sweep. One that fails does not stop the others. */
const stepsOf =
  ({ store, log }: Pick<Context, 'store' | 'log'>): Step =>
  async (name, work) => {
    try {
      return await work()
    } catch (error) {
      // All of them need the database.
      if (store.isUnavailable(error)) throw error
      log.warn({ err: error, step: name }, 'sweep step failed, retrying in the next sweep')
      return undefined
    }
  }

/** One sweep. `isStopping`: no further pass begins. */
export async function sweep(context: Context, isStopping = () => false): Promise<SweepCounts> {
  const { store, queues, log } = context
  const step = stepsOf(context)
  await step('remove applications', () => clearRemovedApplications(store, log))
  const cancelled = (await step('cancel', () => cancelPutBack({ store }))) ?? 0
  if (cancelled > 0) log.info({ deliveries: cancelled }, 'deliveries of cancelled messages ended after their attempt')
  const counts = await sweepPasses(context, step, isStopping)
  await step('probe', () => probe({ store, queues, log }))
  const restored = (await step('restore devices', () => store.breakers.takeBack())) ?? 0
  if (restored > 0) log.warn({ devices: restored }, 'dropped devices restored: circuit breaker opened')
  await step('forget doubts', () => store.doubts.forget())
  return counts
}

/** Chunks that are too old and those that are due, by turns: neither backlog waits for the end of the other. */
async function sweepPasses(context: Context, step: Step, isStopping: () => boolean): Promise<SweepCounts> {
  const { log } = context
  const counts: SweepCounts = { enqueued: 0, expired: 0 }
  let expiring: Pass = { count: 0, isFull: true }
  let enqueuing: Pass = { count: 0, isFull: true }
  for (let pass = 0; pass < MOST_PASSES && !isStopping(); pass++) {
    expiring = expiring.isFull ? ((await step('expire', () => expire(context))) ?? DONE) : DONE
    const batch = pass === 0 ? BATCH : LARGE_BATCH
    enqueuing = enqueuing.isFull ? ((await step('enqueue', () => enqueueDue(context, batch))) ?? DONE) : DONE
    counts.expired += expiring.count
    counts.enqueued += enqueuing.count
    if (counts.enqueued >= MOST_ENQUEUED) enqueuing = DONE
    if (!expiring.isFull && !enqueuing.isFull) break
  }
  if (counts.expired > 0) log.warn({ chunks: counts.expired }, 'chunks past their age limit failed as TooOld')
  if (counts.enqueued > 0) log.info({ chunks: counts.enqueued }, 'chunks without a worker enqueued again')
  return counts
}

async function expire({ store }: Pick<Context, 'store'>): Promise<Pass> {
  const { length: count } = await store.chunks.expire(EXPIRE_BATCH)
  return { count, isFull: count === EXPIRE_BATCH }
}

/**
 * What had a job within the last minute mostly still has it and waits in the queue: a pass of such chunks is not followed by the
 * next at once, or a long queue would be enqueued again and again.
 */
async function enqueueDue(context: Pick<Context, 'config' | 'store' | 'queues'>, batch: number): Promise<Pass> {
  const { config, store, queues } = context
  // While the queue is unavailable, chunks must not count as swept.
  await queues.ping()
  const due = await store.chunks.sweep(config.sweepAfter, batch)
  for (let start = 0; start < due.length; start += JOBS)
    await queues.enqueue(due.slice(start, start + JOBS).map((chunk) => jobOf(chunk)))
  return { count: due.length, isFull: due.length === batch && !due.some(({ isRecent }) => isRecent) }
}

/** Enqueues one delivery of each paused platform whose probe is due. */
async function probe({ store, queues, log }: Pick<Context, 'store' | 'queues' | 'log'>): Promise<void> {
  const probes = await store.pauses.probe()
  if (probes.length === 0) return
  log.info({ platforms: probes.length }, 'paused platforms probed')
  await queues.enqueue(probes.map((chunk) => jobOf(chunk)))
}

/** The service that sweeps. Any number may run: chunks that one has swept the others skip for a while. */
export const sweeper: Service = async (context) => {
  const { config, log } = context
  let running: Promise<unknown> | undefined
  let isStopping = false
  const timer = setInterval(() => {
    running ??= sweep(context, () => isStopping)
      .catch((error: unknown) => log.warn({ err: error }, 'sweep failed, retrying'))
      .finally(() => (running = undefined))
  }, config.sweepInterval)
  return async () => {
    clearInterval(timer)
    isStopping = true
    await running
  }
}
