// The delivery of one chunk: claim it, push what is due, record the outcomes, settle or release the chunk.
import type { Lane } from '@push-server/contract'
import { PASSED } from '@push-server/store'
import { afterRelease } from './platform-pause.ts'
import { createNextAttempt } from './next-attempt.ts'
import { bufferOf } from './outcome-buffer.ts'
import { createOutcomeCounts } from './outcome-counts.ts'
import type { ChunkDelivery, Worker } from './delivery-state.ts'
import { openOutcomeRecorder } from './outcome-recorder.ts'
import { pushDue } from './due-pushes.ts'

/**
 * Resolves when the claim has ended; with false when the chunk can be claimed in a moment. Rejects when it could not be claimed; the
 * sweep enqueues it again.
 */
export async function deliverChunk(worker: Worker, lane: Lane, chunkId: number): Promise<boolean> {
  const { batches, breaker, metrics, owner, platform, store } = worker
  const requestedAt = performance.now()
  const chunk = await batches.claims[lane].add(chunkId)
  if (chunk === PASSED) return false
  if (!chunk) return true
  const log = worker.log.child({ chunkId, epoch: chunk.epoch })
  const lease = worker.leases.hold(chunk, requestedAt)
  const buffer = bufferOf({ store, breaker, records: batches.records, chunk, owner })
  const recorder = openOutcomeRecorder({
    isAwaited: chunk.isAwaited,
    buffer,
    store,
    log,
    onLost: () => lease.abort('claim lost'),
    onUnrecordable: (count) => metrics.unrecordable(platform, count),
  })
  const work: ChunkDelivery = {
    worker: { ...worker, log },
    chunk,
    lease,
    recorder,
    claimedAt: Date.now(),
    nextAttempt: createNextAttempt(),
    counts: createOutcomeCounts(),
    failure: undefined,
    isProven: false,
    notBefore: null,
  }
  try {
    await pushDue(work)
  } catch (error) {
    log.error({ err: error }, 'pushing a chunk failed')
    work.notBefore = Date.now() + backOff(chunk.try)
  }
  await releaseChunk(work)
  return true
}

/** One second, doubling with each claim of the chunk up to about a minute. */
const backOff = (attempts: number) => 1000 * 2 ** Math.min(attempts, 6)

/** Records the last outcomes and ends the claim. When that fails, the lease expires and the chunk is claimed again. */
async function releaseChunk(work: ChunkDelivery): Promise<void> {
  const { chunk, lease, recorder, worker } = work
  lease.pushed()
  reportCounts(work)
  try {
    const release = await recorder.release(work.notBefore ?? work.nextAttempt.dueAt(chunk.laterDueAt))
    if (release) await afterRelease(work, release)
  } catch (error) {
    worker.log.error({ err: error }, 'chunk recording failed, its pushes will be repeated')
  } finally {
    lease.end()
  }
}

/** Reports to the metrics once per chunk, not once per device. */
function reportCounts({ worker: { metrics, platform }, chunk, counts }: ChunkDelivery): void {
  const application = String(chunk.applicationId)
  for (const [outcome, reason, number] of counts.entries())
    metrics.delivered({ platform, outcome, reason, application }, number)
}
