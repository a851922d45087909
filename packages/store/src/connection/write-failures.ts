// Whether PostgreSQL stores changes: a server whose disk is full still reads, so that a ping says nothing about it.
import { isUnwritable } from './errors.ts'

/** How long a failure counts. A write that succeeds meanwhile does not end it, as a small one may still find room. */
const COUNTS_MS = 30_000

export interface WriteFailures {
  /** Of a statement that changes something. */
  failed(error: unknown): void
  /** Rejects while a failure counts, with its text. */
  check(): Promise<void>
}

/** `onFirst` is called with the first failure after a time without one; `now` is a monotonic clock in ms. */
export function createWriteFailures(onFirst: (error: Error) => void, now = () => performance.now()): WriteFailures {
  let last: { error: Error; at: number } | undefined
  const counts = () => (last && now() - last.at < COUNTS_MS ? last : undefined)
  return {
    failed(error) {
      if (!(error instanceof Error) || !isUnwritable(error)) return
      const isFirst = counts() === undefined
      last = { error, at: now() }
      if (isFirst) onFirst(error)
    },
    async check() {
      const failure = counts()
      if (!failure) return
      const { error, at } = failure
      const seconds = Math.round((now() - at) / 1000)
      throw new Error(`PostgreSQL stored nothing ${seconds} s ago: ${error.message}`, { cause: error })
    },
  }
}
