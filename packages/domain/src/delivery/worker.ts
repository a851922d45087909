// A delivery worker: takes chunks of one platform from both lanes until it is stopped.
import { LANES, type Lane, type Platform } from '@push-server/contract'
import type { Handled, JobData } from '@push-server/queues'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../context.ts'
import { deliverChunk } from './deliver.ts'
import { openGuard } from './guard.ts'
import type { Worker } from './hand.ts'
import { openLeases } from './leases.ts'
import { openProviderPool } from './provider-pool.ts'
import { createSlots } from './slots.ts'

/** How soon a chunk whose application holds its share of the slots is offered again. */
const NEXT_OFFER_MS: Record<Lane, number> = { direct: 250, campaign: 500 }
/** While the database is away its chunks cannot be claimed, and their jobs are kept. */
const AWAY_MS = 1000

/** Waits as well: a slot that came back at once would take the same jobs round and round. */
const offerAgain = async (ms: number): Promise<Handled> => {
  await sleep(ms)
  return { againInMs: ms }
}

const shareOut = (worker: Worker, lane: Lane, size: number) => {
  const slots = createSlots(size)
  return async ({ chunkId, applicationId }: JobData): Promise<Handled> => {
    const giveBack = slots.take(applicationId)
    if (!giveBack) return offerAgain(NEXT_OFFER_MS[lane])
    try {
      await deliverChunk(worker, chunkId)
    } catch (error) {
      if (!worker.store.isAway(error)) throw error
      return await offerAgain(AWAY_MS)
    } finally {
      giveBack()
    }
  }
}

/** The service that delivers what is due on `platform`. Any number of them may run. */
export const deliveryWorker =
  (platform: Platform): Service =>
  async (context) => {
    const { config, health, log, metrics, queues, store } = context
    health.add({ name: `queue of ${platform}`, essential: true, check: () => queues.ping() })
    const owner = `${hostname().slice(0, 20)}-${process.pid}-${randomUUID().slice(0, 8)}`
    const leases = openLeases({ store, owner, leaseMs: config.leaseTime, log })
    const providers = openProviderPool(context, platform)
    health.add({ name: `providers of ${platform}`, essential: false, check: async () => providers.report() })
    const guard = openGuard(context, platform)
    const answered = metrics.answered(platform)
    const worker: Worker = { ...context, platform, owner, leases, providers, guard, answered }
    const concurrency = { direct: config.directConcurrency, campaign: config.campaignConcurrency }
    const consumers = LANES.map((lane) =>
      queues.consume({ platform, lane, concurrency: concurrency[lane] }, shareOut(worker, lane, concurrency[lane])),
    )
    log.info({ platform, owner, queues: queues.backend }, 'delivering')

    /** No new chunk; pushes in flight finish, the rest is put back for another worker. */
    return async () => {
      const idle = Promise.all(consumers.map((consumer) => consumer.close()))
      leases.abortAll('stopping')
      await withDeadline(idle, config.stopTimeout, () => log.warn({ platform }, 'stopped with pushes in flight'))
      await providers.close()
      await guard.close()
      leases.close()
    }
  }

async function withDeadline(work: Promise<unknown>, ms: number, onLate: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    onLate()
    resolve()
  }, ms)
  try {
    await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
  }
}
