// The job of a chunk: a hint for the queue that the chunk is due. Pure.
import type { ChunkJob } from '@push-server/contract'

type DueChunk = Pick<ChunkJob, 'applicationId' | 'size' | 'platform' | 'lane' | 'overdue'> & {
  id: number
  try?: number
}

/** `delayMs`: until the chunk is due. */
export const jobOf = (
  { id, applicationId, size, platform, lane, try: number = 0, overdue = 0 }: DueChunk,
  delayMs = 0,
): ChunkJob => ({ chunkId: id, applicationId, size, platform, lane, try: number, overdue, delayMs })
