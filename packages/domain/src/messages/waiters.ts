// SYNCHRONOUS requests wait here until their chunks are settled or parked. All requests of a gateway process share one channel.
import { randomUUID } from 'node:crypto'
import type { Logger } from '@push-server/runtime'
import type { Store } from '@push-server/store'

export interface Waiters {
  /** Name of the channel that notifies this process; stored with the chunks. */
  readonly channel: string
  /** Resolves once every chunk was handled, or after `ms` at the latest. Register before the jobs are enqueued. */
  wait(chunkIds: readonly number[], ms: number): Promise<void>
  close(): Promise<void>
}

interface Waiter {
  open: Set<number>
  done(): void
}

export async function openWaiters(store: Pick<Store, 'listen' | 'chunks'>, log: Logger): Promise<Waiters> {
  const channel = `gateway_${randomUUID()}`
  const waiting = new Map<number, Waiter>()

  function handled(chunkId: number): void {
    const waiter = waiting.get(chunkId)
    waiting.delete(chunkId)
    if (waiter?.open.delete(chunkId) && waiter.open.size === 0) waiter.done()
  }

  /** Reads from the rows what was notified while the connection was lost. */
  async function catchUp(): Promise<void> {
    try {
      for (const id of await store.chunks.handled([...waiting.keys()])) handled(id)
    } catch (error) {
      log.warn({ err: error }, 'reading awaited chunks failed, requests wait until their deadline')
    }
  }

  const listener = await store.listen({
    channel,
    onNotification: (payload) => handled(Number(payload)),
    onReconnect: () => void catchUp(),
  })

  return {
    channel,
    async wait(chunkIds, ms) {
      if (chunkIds.length === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      const waiter = { open: new Set(chunkIds), done: resolve }
      for (const id of chunkIds) waiting.set(id, waiter)
      const timer = setTimeout(resolve, ms)
      await promise
      clearTimeout(timer)
      for (const id of waiter.open) waiting.delete(id)
    },
    close: () => listener.close(),
  }
}
