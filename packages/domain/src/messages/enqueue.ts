// The first job of each chunk of a request.
import type { Logger } from '@push-server/runtime'
import type { AwaitedChunk, NewChunk } from '@push-server/store'
import { jobOf } from '../chunk-job.ts'
import type { Context } from '../context.ts'

/** `sendAt`: when it is to be sent, if that is later. */
export type FirstChunk = AwaitedChunk & Partial<Pick<NewChunk, 'sendAt'>>

/** Never rejects: a stored request is accepted whatever the queue does, and the sweep finds chunks without a job. */
export async function enqueueFirst(
  { queues, store }: Pick<Context, 'queues' | 'store'>,
  chunks: readonly FirstChunk[],
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  if (chunks.length === 0) return
  try {
    const delayOf = ({ sendAt }: FirstChunk) => (sendAt ? Math.max(0, sendAt - store.clock.now()) : 0)
    await queues.enqueue(chunks.map((chunk) => jobOf({ ...chunk, lane: 'direct', try: 0 }, delayOf(chunk))))
  } catch (error) {
    log.warn({ err: error, chunks: chunks.map((chunk) => chunk.id) }, 'enqueueing failed, the sweep will retry')
  }
}
