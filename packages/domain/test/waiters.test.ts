// What gateways that wait learn after their connection for notifications was lost.
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createLogger } from '@push-server/runtime'
import type { Store } from '@push-server/store'
import t from 'tap'
import { openWaiters } from '../src/messages/waiters.ts'

const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const part = (chunkId: number) => ({ chunkId, platform: 'ios' as const, positions: [0] })
const LONG_MS = 60_000

/** `reads`: what the store says of the awaited chunks, one read after the other; an error rejects. */
async function open(reads: (number[] | Error)[]) {
  const requested: number[][] = []
  let reconnect = () => {}
  let notify: (payload: string) => void = () => {}
  const waiters = await openWaiters(
    {
      listen: async ({ onNotification, onReconnect }: Parameters<Store['listen']>[0]) => {
        notify = onNotification
        reconnect = onReconnect
        return { close: async () => {} }
      },
      chunks: {
        handled: async (ids: readonly number[]) => {
          requested.push([...ids])
          const read = reads.shift() ?? []
          if (read instanceof Error) throw read
          return read
        },
      },
    } as unknown as Parameters<typeof openWaiters>[0],
    log,
  )
  return { waiters, requested, reconnect: () => reconnect(), notify: (payload: string) => notify(payload) }
}

t.test('a read that fails after a reconnect is repeated until it succeeds', async (t) => {
  const { waiters, requested, reconnect } = await open([new Error('no'), new Error('no'), [7]])
  const waiting = waiters.wait([part(7)], LONG_MS)
  reconnect()
  t.equal(await waiting, undefined, 'the rows are read, long before the deadline')
  t.same(requested, [[7], [7], [7]])
  await waiters.close()
})

t.test('nothing is read for those who wait no more', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const { waiters, requested, reconnect, notify } = await open([new Error('no'), [7]])
  const waiting = waiters.wait([part(7)], LONG_MS)
  reconnect()
  await setImmediate()
  notify('7 s0 .')
  t.equal(await waiting, undefined, 'what came before the loss is not known, so the rows are read')
  const later = waiters.wait([part(8)], LONG_MS)
  notify('8 f0 .')
  t.same(await later, [{ platform: 'ios', status: 'failed', count: 1 }], 'and who came later has its news')
  mock.timers.tick(1_000)
  await setImmediate()
  t.same(requested, [[7]])
  await waiters.close()
})

t.test('a second loss starts the reading anew, and closing ends it', async (t) => {
  const { waiters, requested, reconnect } = await open([new Error('no'), new Error('no'), [7], [7]])
  const waiting = waiters.wait([part(7)], LONG_MS)
  reconnect()
  reconnect()
  t.equal(await waiting, undefined)
  t.same(requested, [[7], [7], [7]], 'by one reader, once the other has noticed')
  await waiters.close()
  reconnect()
  await setImmediate()
  t.equal(requested.length, 3)
})
