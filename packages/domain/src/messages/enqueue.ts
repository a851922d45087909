// The first job of each chunk of a request.
import type { Logger } from '@push-server/runtime'
import type { AwaitedChunk } from '@push-server/store'
import { jobOf } from '../chunk-job.ts'
import type { Context } from '../context.ts'

/** Never rejects: a stored request is accepted whatever the queue does, and the sweep finds chunks without a job. */
export async function enqueueFirst(
  { queues }: Pick<Context, 'queues'>,
  chunks: readonly AwaitedChunk[],
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  if (chunks.length === 0) return
  try {
    await queues.enqueue(chunks.map((chunk) => jobOf({ ...chunk, lane: 'direct', try: 0 })))
  } catch (error) {
    log.warn({ err: error, chunks: chunks.map((chunk) => chunk.id) }, 'enqueueing failed, the sweep will retry')
  }
}
