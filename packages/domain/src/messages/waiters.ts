// SYNCHRONOUS requests wait here until each of their deliveries was recorded or put off. All requests of a gateway process share one
// channel.
import { randomUUID } from 'node:crypto'
import type { Logger } from '@push-server/runtime'
import { parseChunkNews, type StatusCount, type Store } from '@push-server/store'
import { pause } from '../pause.ts'
import { createAwaitedChunks, type AwaitedPart, type Waiter } from './awaited-chunks.ts'

/** A database that was away may refuse a read or two. */
const NEXT_READING_MS = 250

export interface Waiters {
  /** Name of the channel that notifies this process; stored with the chunks. */
  readonly channel: string
  /**
   * Resolves with what became of the deliveries once all of them are known, or after `ms` at the latest. Undefined: not all is
   * known, and the rows have to be read. Register before the jobs are enqueued.
   */
  wait(parts: readonly AwaitedPart[], ms: number): Promise<StatusCount[] | undefined>
  /** `ms`, or less once the process stops. */
  left(ms: number): number
  /** The process stops: nobody waits longer than `ms` from now on. */
  endWithin(ms: number): void
  close(): Promise<void>
}

export async function openWaiters(store: Pick<Store, 'listen' | 'chunks'>, log: Logger): Promise<Waiters> {
  const channel = `sync_${randomUUID()}`
  const chunks = createAwaitedChunks()
  const waiting = new Set<Waiter>()
  /** On the clock of `performance`. */
  let end = Infinity
  const left = (ms: number) => Math.max(0, Math.min(ms, end - performance.now()))

  const closing = new AbortController()
  /** How often the connection was lost. */
  let losses = 0

  /** What was notified while the connection was lost is in the rows only. They are read until that succeeds, or nobody waits. */
  async function catchUp(): Promise<void> {
    const loss = ++losses
    chunks.doubt()
    // Whoever comes later has registered with a connection that works.
    const awaited = chunks.ids()
    const isNeeded = () => loss === losses && awaited.some((id) => chunks.has(id))
    while (isNeeded() && !closing.signal.aborted) {
      try {
        for (const chunkId of await store.chunks.handled(awaited)) chunks.apply({ chunkId })
        return
      } catch (error) {
        log.warn({ err: error, awaited: awaited.length }, 'reading awaited chunks failed, they are read again')
        await pause(NEXT_READING_MS, closing.signal)
      }
    }
  }

  const listener = await store.listen({
    channel,
    onNotification: (payload) => chunks.apply(parseChunkNews(payload)),
    onReconnect: () => void catchUp(),
  })

  return {
    channel,
    async wait(parts, ms) {
      if (parts.length === 0) return []
      const waiter = chunks.register(parts)
      waiting.add(waiter)
      const timer = setTimeout(() => waiter.end(), left(ms))
      await waiter.ended
      clearTimeout(timer)
      waiting.delete(waiter)
      chunks.forget(parts)
      return waiter.counts()
    },
    left,
    endWithin(ms) {
      end = Math.min(end, performance.now() + ms)
      const endAll = () => {
        for (const waiter of waiting) waiter.end()
      }
      setTimeout(endAll, ms).unref()
    },
    async close() {
      closing.abort()
      await listener.close()
    },
  }
}
