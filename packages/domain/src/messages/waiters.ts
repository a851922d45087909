// SYNCHRONOUS requests wait here until each of their deliveries was recorded or put off. All requests of a gateway process share one
// channel.
import { randomUUID } from 'node:crypto'
import type { Logger } from '@push-server/runtime'
import { parseChunkNews, type StatusCount, type Store } from '@push-server/store'
import { createAwaitedChunks, type AwaitedPart, type Waiter } from './awaited-chunks.ts'

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

  /** What was notified while the connection was lost is in the rows only. */
  async function catchUp(): Promise<void> {
    chunks.doubt()
    try {
      for (const chunkId of await store.chunks.handled(chunks.ids())) chunks.apply({ chunkId })
    } catch (error) {
      log.warn({ err: error }, 'reading awaited chunks failed, requests wait until their deadline')
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
    close: () => listener.close(),
  }
}
