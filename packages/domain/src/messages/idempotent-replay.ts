// A request that was stored before, answered once more: with the same ids, and with what has become of them by now.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from '@push-server/runtime'
import type { Context } from '../context.ts'
import { enqueueFirst } from './enqueue.ts'
import { talliesOf, type Tallies } from './tallies.ts'

/** Whoever sent the first one may still wait for its chunks elsewhere, and only one can be told: a repeat looks for itself. */
const POLL_MS = 250

const timeTo = (deadline: number) => deadline - Date.now()

interface Replay {
  messageIds: string[]
  /** When a SYNCHRONOUS answer is due at the latest, in ms since the epoch. */
  deadline: number
  synchronous: boolean
  log: Pick<Logger, 'warn'>
}

export async function replay(
  context: Context,
  { messageIds, deadline, synchronous, log }: Replay,
): Promise<{ messageIds: string[]; tallies?: Tallies }> {
  const { messages } = context.store
  let awaited = await messages.awaited(messageIds)
  // The first one may have been cut off before its jobs were added; a job that is there is not added twice.
  await enqueueFirst(context, awaited, log)
  if (!synchronous) return { messageIds }
  for (let left = timeTo(deadline); awaited.length > 0 && left > 0; left = timeTo(deadline)) {
    await sleep(Math.min(POLL_MS, left))
    awaited = await messages.awaited(messageIds)
  }
  return { messageIds, tallies: talliesOf(await messages.tally(messageIds)) }
}
