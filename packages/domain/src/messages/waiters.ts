// SYNCHRONOUS requests wait here until each of their deliveries was recorded or put off. All requests of a gateway process share one
// channel.
import { randomUUID } from 'node:crypto'
import type { Platform } from '@push-server/contract'
import type { Logger } from '@push-server/runtime'
import { parseChunkNews, type ChunkNews, type StatusCount, type Store } from '@push-server/store'

/** Deliveries of a request that are in one chunk. */
export interface AwaitedPart {
  chunkId: number
  platform: Platform
  positions: readonly number[]
}

export interface Waiters {
  /** Name of the channel that notifies this process; stored with the chunks. */
  readonly channel: string
  /**
   * Resolves with what became of the deliveries once all of them were told, or after `ms` at the latest. Undefined: not all was
   * told, and the rows have to be read. Register before the jobs are enqueued.
   */
  wait(parts: readonly AwaitedPart[], ms: number): Promise<StatusCount[] | undefined>
  close(): Promise<void>
}

/** A request that waits. */
class Waiter {
  readonly done: Promise<void>
  readonly #resolve: () => void
  readonly #counts = new Map<string, StatusCount>()
  /** Number of its deliveries that were not told yet. */
  untold: number
  /** What was told may not be all. */
  isUnsure = false

  constructor(untold: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.done = promise
    this.#resolve = resolve
    this.untold = untold
  }

  /** One of its deliveries has its status. */
  tell(platform: Platform, status: string): void {
    const key = `${platform}/${status}`
    const count = this.#counts.get(key)
    if (count) count.count++
    else this.#counts.set(key, { platform, status, count: 1 })
    if (--this.untold === 0) this.end()
  }

  end(): void {
    this.#resolve()
  }

  counts(): StatusCount[] | undefined {
    return this.untold > 0 || this.isUnsure ? undefined : [...this.#counts.values()]
  }
}

/** The deliveries of a chunk that are waited for, by their positions. */
interface AwaitedChunk {
  platform: Platform
  waiters: Map<number, Waiter>
}

export async function openWaiters(store: Pick<Store, 'listen' | 'chunks'>, log: Logger): Promise<Waiters> {
  const channel = `sync_${randomUUID()}`
  const waiting = new Map<number, AwaitedChunk>()

  function tell({ chunkId, outcomes, isReleased }: ChunkNews): void {
    const chunk = waiting.get(chunkId)
    if (!chunk) return
    if (!outcomes) return giveUp(chunkId, chunk)
    for (const [status, positions] of Object.entries(outcomes))
      for (const position of positions) tellOne(chunk, position, status)
    // What a worker leaves without an outcome is put off.
    if (isReleased) for (const position of chunk.waiters.keys()) tellOne(chunk, position, 'pending')
    if (chunk.waiters.size === 0) waiting.delete(chunkId)
  }

  function tellOne({ platform, waiters }: AwaitedChunk, position: number, status: string): void {
    waiters.get(position)?.tell(platform, status)
    waiters.delete(position)
  }

  /** Nothing more is told of the chunk: its requests read the rows. */
  function giveUp(chunkId: number, { platform, waiters }: AwaitedChunk): void {
    waiting.delete(chunkId)
    for (const waiter of waiters.values()) {
      waiter.isUnsure = true
      waiter.tell(platform, 'pending')
    }
  }

  /** What was told while the connection was lost is in the rows only. */
  async function catchUp(): Promise<void> {
    for (const { waiters } of waiting.values()) for (const waiter of waiters.values()) waiter.isUnsure = true
    try {
      for (const chunkId of await store.chunks.handled([...waiting.keys()])) tell({ chunkId })
    } catch (error) {
      log.warn({ err: error }, 'reading awaited chunks failed, requests wait until their deadline')
    }
  }

  function register(parts: readonly AwaitedPart[]): Waiter {
    const waiter = new Waiter(parts.reduce((sum, { positions }) => sum + positions.length, 0))
    for (const { chunkId, platform, positions } of parts) {
      let chunk = waiting.get(chunkId)
      if (!chunk) waiting.set(chunkId, (chunk = { platform, waiters: new Map() }))
      for (const position of positions) chunk.waiters.set(position, waiter)
    }
    return waiter
  }

  function forget(parts: readonly AwaitedPart[]): void {
    for (const { chunkId, positions } of parts) {
      const chunk = waiting.get(chunkId)
      for (const position of positions) chunk?.waiters.delete(position)
      if (chunk?.waiters.size === 0) waiting.delete(chunkId)
    }
  }

  const listener = await store.listen({
    channel,
    onNotification: (payload) => tell(parseChunkNews(payload)),
    onReconnect: () => void catchUp(),
  })

  return {
    channel,
    async wait(parts, ms) {
      if (parts.length === 0) return []
      const waiter = register(parts)
      const timer = setTimeout(() => waiter.end(), ms)
      await waiter.done
      clearTimeout(timer)
      if (waiter.untold > 0) forget(parts)
      return waiter.counts()
    },
    close: () => listener.close(),
  }
}
