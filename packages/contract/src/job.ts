// What travels through the queues. Jobs carry ids only: the row is the truth.
import type { Platform } from './platform.ts'

/** Direct messages and campaigns wait in queues of their own, so that a campaign does not delay a login push. */
export const LANES = ['direct', 'campaign'] as const
export type Lane = (typeof LANES)[number]

/** A hint that a chunk is due. */
export interface ChunkJob {
  chunkId: number
  /** For a worker to share its slots fairly before it asks the database. */
  applicationId: number
  /** Distinguishes the jobs of one chunk: a job whose id still waits in the queue is not added again. */
  try: number
  /** Whole tens of minutes that the chunk is overdue: a queue that only believes to have its job is given another one then. */
  overdue?: number
  platform: Platform
  lane: Lane
  /** Milliseconds until the chunk is due; 0 = now. */
  delayMs: number
}
