// Which request waits for which places of which chunk, and what is known of them. No I/O.
import type { Platform } from '@push-server/contract'
import type { ChunkNews, StatusCount } from '@push-server/store'

/** Deliveries of a request that are in one chunk. */
export interface AwaitedPart {
  chunkId: number
  platform: Platform
  /** Their places in the chunk. */
  positions: readonly number[]
}

export interface AwaitedChunks {
  register(parts: readonly AwaitedPart[]): Waiter
  /** The request has its response. */
  forget(parts: readonly AwaitedPart[]): void
  apply(news: ChunkNews): void
  /** News may have been lost: what is known of requests that wait now is not all. */
  doubt(): void
  ids(): number[]
  has(chunkId: number): boolean
}

/** A request that waits. */
export class Waiter {
  readonly ended: Promise<void>
  readonly end: () => void
  readonly #counts = new Map<string, StatusCount>()
  /** Number of its deliveries without a status. */
  #open: number
  #isDoubtful = false

  constructor(open: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.end = resolve
    this.#open = open
  }

  /** One of its deliveries has this status. */
  count(platform: Platform, status: string): void {
    const key = `${platform}/${status}`
    const known = this.#counts.get(key)
    if (known) known.count++
    else this.#counts.set(key, { platform, status, count: 1 })
    if (--this.#open === 0) this.end()
  }

  doubt(): void {
    this.#isDoubtful = true
  }

  /** Undefined: the rows have to be read. */
  counts(): StatusCount[] | undefined {
    return this.#open > 0 || this.#isDoubtful ? undefined : [...this.#counts.values()]
  }
}

interface AwaitedChunk {
  platform: Platform
  /** By place. */
  waiters: Map<number, Waiter>
}

export function createAwaitedChunks(): AwaitedChunks {
  const chunks = new Map<number, AwaitedChunk>()

  function settle({ platform, waiters }: AwaitedChunk, position: number, status: string): void {
    waiters.get(position)?.count(platform, status)
    waiters.delete(position)
  }

  /** Nothing more is notified of the chunk: its requests read the rows. */
  function giveUp(chunk: AwaitedChunk): void {
    for (const [position, waiter] of chunk.waiters) {
      waiter.doubt()
      settle(chunk, position, 'pending')
    }
  }

  return {
    register(parts) {
      const waiter = new Waiter(parts.reduce((sum, { positions }) => sum + positions.length, 0))
      for (const { chunkId, platform, positions } of parts) {
        let chunk = chunks.get(chunkId)
        if (!chunk) chunks.set(chunkId, (chunk = { platform, waiters: new Map() }))
        for (const position of positions) chunk.waiters.set(position, waiter)
      }
      return waiter
    },
    forget(parts) {
      for (const { chunkId, positions } of parts) {
        const chunk = chunks.get(chunkId)
        for (const position of positions) chunk?.waiters.delete(position)
        if (chunk?.waiters.size === 0) chunks.delete(chunkId)
      }
    },
    apply({ chunkId, outcomes, isReleased = false }) {
      const chunk = chunks.get(chunkId)
      if (!chunk) return
      if (!outcomes) giveUp(chunk)
      for (const [status, positions] of Object.entries(outcomes ?? {}))
        for (const position of positions) settle(chunk, position, status)
      // What a worker leaves without an outcome is put off.
      if (isReleased) for (const position of chunk.waiters.keys()) settle(chunk, position, 'pending')
      if (chunk.waiters.size === 0) chunks.delete(chunkId)
    },
    doubt() {
      for (const { waiters } of chunks.values()) for (const waiter of waiters.values()) waiter.doubt()
    },
    ids: () => [...chunks.keys()],
    has: (chunkId) => chunks.has(chunkId),
  }
}
