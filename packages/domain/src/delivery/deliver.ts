// The way of one chunk through a worker: claim, push, record, settle or put back.
import { after } from './aftermath.ts'
import { createAgain } from './again.ts'
import { bookOf } from './book.ts'
import { createCounts } from './counts.ts'
import type { InHand, Worker } from './hand.ts'
import { openLedger } from './ledger.ts'
import { pushChunk } from './push-chunk.ts'

/** Resolves when the chunk is out of hand. Rejects when it could not even be claimed; the sweep will bring it again. */
export async function deliverChunk(worker: Worker, chunkId: number): Promise<void> {
  const { config, guard, metrics, owner, platform, store } = worker
  const askedAt = performance.now()
  const chunk = await store.chunks.claim(chunkId, owner, config.leaseTime)
  if (!chunk) return
  const log = worker.log.child({ chunkId, epoch: chunk.epoch })
  const hold = worker.leases.hold(chunk, askedAt)
  const book = bookOf({ store, guard, chunk, owner })
  const ledger = openLedger({
    book,
    store,
    log,
    onLost: () => hold.abort('claim lost'),
    onUnrecordable: (count) => metrics.unrecordable(platform, count),
  })
  const hand: InHand = {
    worker: { ...worker, log },
    chunk,
    hold,
    ledger,
    claimedAt: Date.now(),
    again: createAgain(),
    counts: createCounts(),
    fault: undefined,
    isProven: false,
    notBefore: null,
  }
  try {
    await pushChunk(hand)
  } catch (error) {
    log.error({ err: error }, 'pushing failed')
    hand.notBefore = Date.now() + backOff(chunk.try)
  }
  await giveBack(hand)
}

/** One second, doubling with each try of the chunk up to about a minute. */
const backOff = (tries: number) => 1000 * 2 ** Math.min(tries, 6)

/** Records what is left. When the database refuses it, the lease is left to run out: the chunk then comes round again. */
async function giveBack(hand: InHand): Promise<void> {
  const { chunk, hold, ledger, worker } = hand
  hold.pushed()
  count(hand)
  try {
    const release = await ledger.release(hand.notBefore ?? hand.again.dueAt(chunk.laterDueAt))
    if (release) await after(hand, release)
  } catch (error) {
    worker.log.error({ err: error }, 'outcomes could not be recorded; they will be pushed again')
  } finally {
    hold.end()
  }
}

/** Once per chunk, not once per device. */
function count({ worker: { metrics, platform }, chunk, counts }: InHand): void {
  const application = String(chunk.applicationId)
  for (const [outcome, reason, number] of counts.entries())
    metrics.delivered({ platform, outcome, reason, application }, number)
}
