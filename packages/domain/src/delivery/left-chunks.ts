// Chunks that this process cannot push, since it lacks the key of their credentials: another worker may have it.

/** Until a chunk that was left is offered again, in milliseconds: the same each time, as the next worker may well have the key. */
export const LEFT_MS = 1000

/** How long a chunk stays left; then it is claimed once more, as its credentials may have been uploaded again since. */
const FORGET_MS = 10_000
const MOST_CHUNKS = 100_000

export interface LeftChunks {
  leave(chunkId: number): void
  /** Whether it was left within the last ten seconds: claiming it would only keep it from the others. */
  has(chunkId: number): boolean
}

/** `now`: ms on a monotonic clock. */
export function createLeftChunks(now: () => number = () => performance.now()): LeftChunks {
  /** When each was left, the oldest first. */
  const left = new Map<number, number>()

  function forget(): void {
    const since = now() - FORGET_MS
    for (const [chunkId, leftAt] of left) {
      if (leftAt > since && left.size <= MOST_CHUNKS) return
      left.delete(chunkId)
    }
  }

  return {
    leave(chunkId) {
      left.delete(chunkId)
      left.set(chunkId, now())
      forget()
    },
    has(chunkId) {
      forget()
      return left.has(chunkId)
    },
  }
}
