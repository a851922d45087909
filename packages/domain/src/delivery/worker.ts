// A delivery worker: takes chunks of one platform from both lanes until it is stopped.
import type { Lane, Platform } from '@push-server/contract'
import type { Handled, JobData } from '@push-server/queues'
import { withDeadline } from '@push-server/runtime'
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Service } from '../context.ts'
import { encryptionKeysPart } from '../encryption-keys.ts'
import { deliverChunk, type Worker } from './chunk-delivery.ts'
import { createFairSlots, type FairSlots } from './fair-slots.ts'
import { openLeases } from './leases.ts'
import { createLeftChunks, LEFT_MS } from './left-chunks.ts'
import { openProviderPool } from './provider-pool.ts'
import { openTokenCircuitBreaker } from './token-circuit-breaker.ts'
import { openWorkerBatches } from './worker-batches.ts'

/** Delay until a job whose application holds its share of the slots is offered again. */
const NEXT_OFFER_MS: Record<Lane, number> = { direct: 250, campaign: 500 }
/** While the database is unavailable chunks cannot be claimed, and their jobs are kept. */
const UNAVAILABLE_MS = 1000

/** Another statement holds the chunk's row for the moment. */
const PASSED_MS = 250

/** For another worker. */
const AT_ONCE: Handled = { retryInMs: 0 }

/** Waits before it returns: a slot that was free at once would take the same jobs again and again. */
const offerLater = async (ms: number): Promise<Handled> => {
  await sleep(ms)
  return { retryInMs: ms }
}

/**
 * How many chunks of direct messages a worker may claim at a time; what they may hold together is bounded by deliveries. A chunk may
 * have a single one, where many applications send little each: with a provider that takes a second these are as many a second.
 */
const DIRECT_CHUNKS = 2000

/** What a chunk takes of the slots: its deliveries, or one, as a chunk of a campaign is handled alone. */
const SIZE_OF: Record<Lane, (job: JobData) => number> = { direct: ({ size = 1 }) => size, campaign: () => 1 }

/** Handles the jobs of a lane: each application has its share of the slots. */
const chunkHandler = (worker: Worker, lane: Lane, slots: FairSlots) => {
  return async (job: JobData): Promise<Handled> => {
    const { chunkId, applicationId } = job
    if (worker.left.has(chunkId)) return { retryInMs: LEFT_MS }
    const taken = slots.take(applicationId, SIZE_OF[lane](job))
    if (!taken) return offerLater(NEXT_OFFER_MS[lane])
    const freeSlots = await taken
    try {
      // Claimed now, the chunk would be released at once.
      if (worker.leases.areStopping()) return AT_ONCE
      const isDone = await deliverChunk(worker, lane, chunkId)
      if (!isDone) return { retryInMs: PASSED_MS }
    } catch (error) {
      if (!worker.store.isUnavailable(error)) throw error
      return await offerLater(UNAVAILABLE_MS)
    } finally {
      freeSlots()
    }
  }
}

/** The service that delivers what is due on `platform`. Any number of them may run. */
export const deliveryWorker =
  (platform: Platform): Service =>
  async (context) => {
    const { config, health, log, metrics, queues, store } = context
    health.add({ name: `queue of ${platform}`, essential: true, check: () => queues.ping() })
    health.add(encryptionKeysPart(context, true))
    const owner = `${hostname().slice(0, 20)}-${process.pid}-${randomUUID().slice(0, 8)}`
    const leases = openLeases({ store, owner, leaseMs: config.leaseTime, log })
    const providers = openProviderPool(context, platform)
    health.add({ name: `providers of ${platform}`, essential: false, check: async () => providers.report() })
    const breaker = openTokenCircuitBreaker(context, platform)
    const responded = metrics.responded(platform)
    const batches = openWorkerBatches(context, owner)
    const left = createLeftChunks()
    const worker: Worker = { ...context, platform, owner, leases, left, providers, breaker, batches, responded }
    const { directDeliveries, campaignConcurrency } = config
    const direct = createFairSlots({ size: directDeliveries, reserve: Math.floor(directDeliveries / 8) })
    const campaign = createFairSlots({ size: campaignConcurrency, reserve: Math.ceil(campaignConcurrency / 2) })
    const consumers = [
      queues.consume(
        { platform, lane: 'direct', concurrency: Math.min(DIRECT_CHUNKS, directDeliveries) },
        chunkHandler(worker, 'direct', direct),
      ),
      queues.consume(
        { platform, lane: 'campaign', concurrency: campaignConcurrency },
        chunkHandler(worker, 'campaign', campaign),
      ),
    ]
    log.info({ platform, owner, queues: queues.backend }, 'worker started')

    /** Takes no new chunk. Pushes in flight finish, the rest is released for another worker. */
    return async () => {
      leases.abortAll('stopping')
      const idle = Promise.all(consumers.map((consumer) => consumer.close()))
      await withDeadline(idle, config.stopTimeout, () => log.warn({ platform }, 'worker stopped with pushes in flight'))
      await providers.close()
      await breaker.close()
      leases.close()
    }
  }
