// The sweep: enqueues chunks that are due and have no worker, so that a lost job, an emptied queue or a dead worker cost time only.
import { clearRemovedApplications } from '../applications/index.ts'
import { jobOf } from '../chunk-job.ts'
import type { Context, Service } from '../context.ts'

/** Maximum number of chunks of one round; a longer backlog takes several rounds. */
const BATCH = 1000
/** A smaller batch, since every delivery of these chunks is written. */
const EXPIRE_BATCH = 50

/** One round. Resolves with the number of chunks that got a job and of those that were too old. A failed step does not stop the others. */
export async function sweep({ config, store, queues, log }: Context): Promise<{ enqueued: number; expired: number }> {
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      // All of them need the database.
      if (store.isUnavailable(error)) throw error
      log.warn({ err: error, step: name }, 'sweep step failed, retrying in the next sweep')
      return undefined
    }
  }
  await step('remove applications', () => clearRemovedApplications(store, log))
  const expired = (await step('expire', () => store.chunks.expire(EXPIRE_BATCH))) ?? []
  if (expired.length > 0) log.warn({ chunks: expired.length }, 'chunks past their age limit failed as TooOld')
  await step('probe', () => probe({ store, queues, log }))
  const restored = (await step('restore devices', () => store.breakers.takeBack())) ?? 0
  if (restored > 0) log.warn({ devices: restored }, 'dropped devices restored: circuit breaker opened')
  await step('forget doubts', () => store.doubts.forget())
  const enqueued = (await step('enqueue', () => enqueueDue({ config, store, queues, log }))) ?? 0
  return { enqueued, expired: expired.length }
}

async function enqueueDue({ config, store, queues, log }: Pick<Context, 'config' | 'store' | 'queues' | 'log'>) {
  const due = await store.chunks.sweep(config.sweepAfter, BATCH)
  if (due.length === 0) return 0
  await queues.enqueue(due.map((chunk) => jobOf(chunk)))
  log.info({ chunks: due.length }, 'chunks without a worker enqueued again')
  return due.length
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
  const timer = setInterval(() => {
    running ??= sweep(context)
      .catch((error: unknown) => log.warn({ err: error }, 'sweep failed, retrying'))
      .finally(() => (running = undefined))
  }, config.sweepInterval)
  return async () => {
    clearInterval(timer)
    await running
  }
}
