// Work that PostgreSQL aborted for the sake of other work: it has changed nothing, and the same work may succeed at once.
import { setTimeout as sleep } from 'node:timers/promises'
import { isAborted } from './errors.ts'

/** Longest delays before the second and the third attempt, ms. Those who met once must not meet again. */
const DELAYS_MS: readonly number[] = [20, 100]

/** Ends as the first attempt that meets no deadlock and no serialization failure, or as the last one. `work` starts from scratch each time. */
export async function rerunAborted<T>(work: () => Promise<T>): Promise<T> {
  for (const delayMs of DELAYS_MS) {
    try {
      return await work()
    } catch (error) {
      if (!isAborted(error)) throw error
      await sleep(Math.random() * delayMs)
    }
  }
  return work()
}
