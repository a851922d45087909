// The delivery of one chunk, from top to bottom: claim it, push what is due, record the outcomes, settle or release it.
import type { Lane, Platform } from '@push-server/contract'
import { InvalidCredentials, type Provider } from '@push-server/providers'
import { traceIdOf } from '@push-server/runtime'
import {
  PASSED,
  UnknownEncryptionKey,
  type ClaimedChunk,
  type MessageRow,
  type Release,
  type RestOfChunk,
} from '@push-server/store'
import { jobOf } from '../chunk-job.ts'
import type { Context } from '../context.ts'
import { pushMessageOf } from '../messages/index.ts'
import { selectDue, type DueDelivery } from './due-deliveries.ts'
import { freshRecipients, type FreshRecipients } from './fresh-recipients.ts'
import type { HeldLease, Leases } from './leases.ts'
import { LEFT_MS, type LeftChunks } from './left-chunks.ts'
import { openOutcomeRecorder, type OutcomeRecorder } from './outcomes/outcome-recorder.ts'
import { openPlatformPause, type PlatformPause } from './platform-pause.ts'
import type { ProviderPool } from './provider-pool.ts'
import { pushAtRate } from './run-rate.ts'
import type { TokenCircuitBreaker } from './token-circuit-breaker.ts'
import type { WorkerBatches } from './worker-batches.ts'

/** What a worker shares among its chunks. */
export interface Worker extends Context {
  platform: Platform
  /** Names this process in its claims. */
  owner: string
  leases: Leases
  left: LeftChunks
  providers: ProviderPool
  breaker: TokenCircuitBreaker
  batches: WorkerBatches
  /** For the metric of the provider's latency, in seconds. */
  responded(seconds: number): void
}

/** One claimed chunk in delivery: its parts are opened with the claim, and each keeps its own state. */
interface Delivery {
  /** Its log names the chunk and the epoch. */
  worker: Worker
  chunk: ClaimedChunk
  lease: HeldLease
  recorder: OutcomeRecorder
  pause: PlatformPause
}

/**
 * Resolves when the claim has ended; with false when the chunk can be claimed in a moment. Rejects when it could not be claimed; the
 * sweep enqueues it again.
 */
export async function deliverChunk(worker: Worker, lane: Lane, chunkId: number): Promise<boolean> {
  const requestedAt = performance.now()
  const chunk = await worker.batches.claims[lane].add(chunkId)
  if (chunk === PASSED) return false
  if (chunk) await deliver(openDelivery(worker, chunk, requestedAt))
  return true
}

function openDelivery(shared: Worker, chunk: ClaimedChunk, requestedAt: number): Delivery {
  const log = shared.log.child({ chunkId: chunk.id, epoch: chunk.epoch, ...originsOf(chunk) })
  const worker = { ...shared, log }
  const lease = shared.leases.hold(chunk, requestedAt)
  const { records } = shared.batches
  const recorder = openOutcomeRecorder({ ...worker, chunk, records, onLost: () => lease.abort('claim lost') })
  const pause = openPlatformPause({ ...worker, chunk, onRefused: () => lease.abort('credentials error') })
  return { worker, chunk, lease, recorder, pause }
}

/** A chunk has the messages of many requests, and its lines are few: some of their ids, in the order of the messages. */
const MOST_ORIGINS = 10

function originsOf({ messages }: ClaimedChunk): { correlationIds?: string[]; traceIds?: string[] } {
  const correlationIds = new Set<string>()
  const traceIds = new Set<string>()
  for (const { correlationId, traceContext } of messages) {
    if (correlationId !== null) correlationIds.add(correlationId)
    if (traceContext !== null) traceIds.add(traceIdOf(traceContext))
    if (correlationIds.size === MOST_ORIGINS || traceIds.size === MOST_ORIGINS) break
  }
  return {
    ...(correlationIds.size > 0 && { correlationIds: [...correlationIds] }),
    ...(traceIds.size > 0 && { traceIds: [...traceIds] }),
  }
}

async function deliver(delivery: Delivery): Promise<void> {
  const { chunk, lease, worker } = delivery
  let notBefore: number | null = null
  try {
    await pushDue(delivery)
  } catch (error) {
    worker.log.error({ err: error }, 'pushing a chunk failed')
    notBefore = worker.store.clock.now() + backOff(chunk.try)
  }
  lease.pushed()
  await release(delivery, notBefore)
}

/** One second, doubling with each claim of the chunk up to about a minute. */
const backOff = (attempts: number) => 1000 * 2 ** Math.min(attempts, 6)

/** Resolves when nothing is in flight. Rejects for errors of our own; deliveries that were not pushed stay pending. */
async function pushDue(delivery: Delivery): Promise<void> {
  const { worker, chunk, recorder, pause } = delivery
  const { due, ended } = selectDue(chunk, worker.store.clock.now())
  for (const each of ended) recorder.fail(each.delivery, each.reason)
  if (due.length === 0 || chunk.credentialsVersion === null) return
  try {
    const provider = await worker.providers.take(chunk.applicationId, chunk.credentialsVersion)
    // A probe risks one delivery. The others wait until the platform is known to work.
    if (provider) await push(delivery, provider, chunk.probe ? due.slice(0, 1) : due)
  } catch (error) {
    if (error instanceof UnknownEncryptionKey) return leaveToOthers(delivery, due, error)
    if (!(error instanceof InvalidCredentials)) throw error
    worker.log.error({ err: error }, 'credentials cannot be used')
    pause.refuse('InvalidCredentials')
  }
}

/** Another worker may have the key of these credentials. */
function leaveToOthers(
  { chunk, recorder, worker }: Delivery,
  due: readonly DueDelivery[],
  error: UnknownEncryptionKey,
): void {
  worker.log.error({ err: error }, 'credentials encrypted with a key that is not configured')
  worker.left.leave(chunk.id)
  const dueAt = worker.store.clock.now() + LEFT_MS
  for (const each of due) recorder.leave(each.delivery, error.name, dueAt)
}

async function push(delivery: Delivery, provider: Provider, due: readonly DueDelivery[]): Promise<void> {
  const { worker, chunk, lease, recorder, pause } = delivery
  const messages = chunk.messages.map((message) => ({ ...pushMessageOf(message), id: idOf(chunk, message) }))
  const recipients = freshRecipients({
    chunk,
    due,
    signal: lease.signal,
    read: (left) =>
      worker.store.chunks.changes(
        chunk,
        left.map((each) => each.delivery.id),
      ),
    onChanged(changed, { obstacle }) {
      // Without an obstacle the next claim pushes to its new token.
      if (obstacle !== null) recorder.fail(changed.delivery, obstacle)
    },
    push: (targets, age, ended) =>
      provider.push(
        { messages, targets },
        {
          signal: age.signal,
          responded: worker.responded,
          settle(index, outcome) {
            age.check()
            lease.check()
            ended(index)
            pause.learn(outcome)
            const target = targets[index]
            if (!target) return
            worker.breaker.learn(chunk, target.delivery, outcome)
            recorder.add(target.delivery, target.message, outcome)
          },
        },
      ),
  })
  await pushToAll(delivery, recipients)
}

/**
 * The same in every attempt. The chunk of a run names its one message by its seed: numbers of runs are those of other installations, too,
 * which may push to the same phones.
 */
const idOf = ({ runId, seed }: ClaimedChunk, { id }: MessageRow): string => (runId === null ? id : seed)

/** Pushes all at once, or slice by slice as the run's rate allows, each slice to recipients that were just read. */
async function pushToAll(
  { worker: { store }, chunk: { runId, rate }, lease: { signal } }: Delivery,
  recipients: FreshRecipients,
): Promise<void> {
  if (runId === null || rate === null) return recipients.push(recipients.left)
  await pushAtRate({
    left: () => recipients.left,
    rate,
    signal,
    reserve: (size) => store.runs.reserve(runId, size),
    async push(size) {
      await recipients.refresh()
      await recipients.push(size)
    },
  })
}

/** Records the last outcomes and ends the claim. When that fails, the lease expires and the chunk is claimed again. */
async function release(delivery: Delivery, notBefore: number | null): Promise<void> {
  const { lease, recorder, worker } = delivery
  try {
    const released = await recorder.release(notBefore)
    if (released) await goOn(delivery, released)
  } catch (error) {
    worker.log.error({ err: error }, 'chunk recording failed, its pushes will be repeated')
  } finally {
    lease.end()
  }
}

/** After the release: the platform pauses or resumes, and what is still pending gets its next job. Never rejects: the sweep repeats it. */
async function goOn(delivery: Delivery, released: Release): Promise<void> {
  const { log, metrics, platform } = delivery.worker
  if (released.dropped > 0) {
    metrics.dropped(platform, released.dropped)
    log.info({ devices: released.dropped }, 'devices with dead tokens dropped')
  }
  try {
    const isPaused = await delivery.pause.settle()
    const rest = await setAside(delivery, released)
    if (!released.settled && !isPaused) await enqueueNext(delivery, rest)
  } catch (error) {
    log.warn({ err: error }, 'enqueueing the next attempt failed, the sweep will retry')
  }
}

/** The chunk that has what is still pending: itself, unless something of it has ended. */
async function setAside({ worker: { store }, chunk }: Delivery, released: Release): Promise<RestOfChunk> {
  const { try: number, pending, ended, delayMs } = released
  const rest = chunk.lane === 'direct' && pending > 0 && ended > 0 ? await store.chunks.setAside(chunk.id) : undefined
  return rest ?? { id: chunk.id, try: number, pending, delayMs }
}

/** A chunk of a paused run waits without a job. */
async function enqueueNext({ worker, chunk, lease }: Delivery, rest: RestOfChunk): Promise<void> {
  if (lease.signal.reason === 'paused') return
  await worker.queues.enqueue([jobOf({ ...chunk, id: rest.id, try: rest.try, size: rest.pending }, rest.delayMs)])
}
