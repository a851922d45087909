// A delivery worker: takes chunks of one platform from both lanes until it is stopped.
import { LANES, type Lane, type Platform } from '@push-server/contract'
import type { Handled, JobData } from '@push-server/queues'
import { withDeadline } from '@push-server/runtime'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../context.ts'
import { deliverChunk } from './chunk-delivery.ts'
import { openTokenCircuitBreaker } from './token-circuit-breaker.ts'
import type { Worker } from './delivery-state.ts'
import { openLeases } from './leases.ts'
import { openProviderPool } from './provider-pool.ts'
import { createFairSlots } from './fair-slots.ts'

/** Delay until a job whose application holds its share of the slots is offered again. */
const NEXT_OFFER_MS: Record<Lane, number> = { direct: 250, campaign: 500 }
/** While the database is unavailable chunks cannot be claimed, and their jobs are kept. */
const UNAVAILABLE_MS = 1000

/** Waits before it returns: a slot that was free at once would take the same jobs again and again. */
const offerLater = async (ms: number): Promise<Handled> => {
  await sleep(ms)
  return { retryInMs: ms }
}

/** Handles the jobs of a lane: each application has its share of the slots. */
const chunkHandler = (worker: Worker, lane: Lane, size: number) => {
  const slots = createFairSlots(size)
  return async ({ chunkId, applicationId }: JobData): Promise<Handled> => {
    const freeSlot = slots.take(applicationId)
    if (!freeSlot) return offerLater(NEXT_OFFER_MS[lane])
    try {
      await deliverChunk(worker, chunkId)
    } catch (error) {
      if (!worker.store.isUnavailable(error)) throw error
      return await offerLater(UNAVAILABLE_MS)
    } finally {
      freeSlot()
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
    const breaker = openTokenCircuitBreaker(context, platform)
    const responded = metrics.responded(platform)
    const worker: Worker = { ...context, platform, owner, leases, providers, breaker, responded }
    const concurrency = { direct: config.directConcurrency, campaign: config.campaignConcurrency }
    const consumers = LANES.map((lane) =>
      queues.consume({ platform, lane, concurrency: concurrency[lane] }, chunkHandler(worker, lane, concurrency[lane])),
    )
    log.info({ platform, owner, queues: queues.backend }, 'worker started')

    /** Takes no new chunk. Pushes in flight finish, the rest is released for another worker. */
    return async () => {
      const idle = Promise.all(consumers.map((consumer) => consumer.close()))
      leases.abortAll('stopping')
      await withDeadline(idle, config.stopTimeout, () => log.warn({ platform }, 'worker stopped with pushes in flight'))
      await providers.close()
      await breaker.close()
      leases.close()
    }
  }
