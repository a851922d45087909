// Idempotent replay: the response to a request that was stored before, with the same ids and their tallies of now.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@push-server/runtime'
import type { Context } from '../context.ts'
import type { MessageBatches } from './batches.ts'
import { enqueueFirst } from './enqueue.ts'
import { talliesOf, type Tallies } from './tallies.ts'
import type { Waiters } from './waiters.ts'

/** The first request may still wait for its chunks in another process. Only one waiter is notified, so a replay polls. */
const POLL_MS = 250

const timeTo = (deadline: number) => deadline - performance.now()

interface Replay {
  messageIds: string[]
  /** When a SYNCHRONOUS response is due at the latest, on the clock of `performance`, ms. */
  deadline: number
  batches: Pick<MessageBatches, 'tally'>
  /** Of a SYNCHRONOUS request. */
  waiters: Pick<Waiters, 'left'> | undefined
  log: Pick<Logger, 'warn'>
}

export async function replay(
  context: Context,
  { messageIds, deadline, batches, waiters, log }: Replay,
): Promise<{ messageIds: string[]; chunkIds: []; tallies?: Tallies }> {
  const { messages } = context.store
  let awaited = await messages.awaited(messageIds)
  // The first request may have ended before its jobs were added. A job that the queue has is not added twice.
  await enqueueFirst(context, awaited, log)
  if (!waiters) return { messageIds, chunkIds: [] }
  const timeLeft = () => waiters.left(timeTo(deadline))
  for (let left = timeLeft(); awaited.length > 0 && left > 0; left = timeLeft()) {
    await sleep(Math.min(POLL_MS, left))
    awaited = await messages.awaited(messageIds)
  }
  return { messageIds, chunkIds: [], tallies: talliesOf(await batches.tally(messageIds)) }
}
