// The way of one chunk through a worker: claim, push, record, settle or put back.
import { afterRelease } from './platform-pause.ts'
import { createNextAttempt } from './next-attempt.ts'
import { bufferOf } from './outcome-buffer.ts'
import { createOutcomeCounts } from './outcome-counts.ts'
import type { ChunkDelivery, Worker } from './delivery-state.ts'
import { openOutcomeRecorder } from './outcome-recorder.ts'
import { pushDue } from './due-pushes.ts'

/** Resolves when the chunk is out of hand. Rejects when it could not even be claimed; the sweep will bring it again. */
export async function deliverChunk(worker: Worker, chunkId: number): Promise<void> {
  const { config, breaker, metrics, owner, platform, store } = worker
  const requestedAt = performance.now()
  const chunk = await store.chunks.claim(chunkId, owner, config.leaseTime)
  if (!chunk) return
  const log = worker.log.child({ chunkId, epoch: chunk.epoch })
  const hold = worker.leases.hold(chunk, requestedAt)
  const buffer = bufferOf({ store, breaker, chunk, owner })
  const recorder = openOutcomeRecorder({
    buffer,
    store,
    log,
    onLost: () => hold.abort('claim lost'),
    onUnrecordable: (count) => metrics.unrecordable(platform, count),
  })
  const work: ChunkDelivery = {
    worker: { ...worker, log },
    chunk,
    hold,
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
    log.error({ err: error }, 'pushing failed')
    work.notBefore = Date.now() + backOff(chunk.try)
  }
  await giveBack(work)
}

/** One second, doubling with each try of the chunk up to about a minute. */
const backOff = (attempts: number) => 1000 * 2 ** Math.min(attempts, 6)

/** Records what is left. When the database refuses it, the lease is left to run out: the chunk then comes round again. */
async function giveBack(work: ChunkDelivery): Promise<void> {
  const { chunk, hold, recorder, worker } = work
  hold.pushed()
  count(work)
  try {
    const release = await recorder.release(work.notBefore ?? work.nextAttempt.dueAt(chunk.laterDueAt))
    if (release) await afterRelease(work, release)
  } catch (error) {
    worker.log.error({ err: error }, 'outcomes could not be recorded; they will be pushed again')
  } finally {
    hold.end()
  }
}

/** Once per chunk, not once per device. */
function count({ worker: { metrics, platform }, chunk, counts }: ChunkDelivery): void {
  const application = String(chunk.applicationId)
  for (const [outcome, reason, number] of counts.entries())
    metrics.delivered({ platform, outcome, reason, application }, number)
}
