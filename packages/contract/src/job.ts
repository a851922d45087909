// What travels through the queues. Jobs carry ids only: the row is the truth.
import type { Platform } from './platform.ts'

/** Direct messages and campaigns wait in queues of their own, so that a campaign does not delay a login push. */
export const LANES = ['direct', 'campaign'] as const
export type Lane = (typeof LANES)[number]

/** A hint that a chunk is due. */
export interface ChunkJob {
  chunkId: number
  /** Lets a worker share its slots fairly before it queries the database. */
  applicationId: number
  /** Number of its deliveries that are pending, where it is known: a worker has only so many in hand. */
  size?: number | undefined
  /** Distinguishes the jobs of one chunk: a job whose id still waits in the queue is not added again. */
  try: number
  /** Whole tens of minutes that the chunk is overdue. It changes the job's id, since a queue may have lost a job whose id it still keeps. */
  overdue?: number
  platform: Platform
  lane: Lane
  /** Milliseconds until the chunk is due; 0 = now. */
  delayMs: number
}
