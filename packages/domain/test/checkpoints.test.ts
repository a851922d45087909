// When the outcomes of a claim are written before its end.
import { mock } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import t from 'tap'
import { CHECKPOINT_MS, startCheckpoints } from '../src/delivery/outcomes/checkpoints.ts'

/** Writes that end when they are let go. */
function open(isAwaited: boolean) {
  const held: ((isWritten: boolean) => void)[] = []
  let news = 0
  let writes = 0
  const checkpoints = startCheckpoints({
    isAwaited,
    hasNews: () => news > 0,
    async write() {
      writes++
      const taken = news
      news = 0
      const { promise, resolve } = Promise.withResolvers<boolean>()
      held.push(resolve)
      const isWritten = await promise
      if (!isWritten) news += taken
      return isWritten
    },
  })
  return {
    ...checkpoints,
    writes: () => writes,
    add() {
      news++
      checkpoints.hurry()
    },
    async letGo(isWritten: boolean) {
      held.shift()?.(isWritten)
      for (let n = 0; n < 5; n++) await setImmediate()
    },
  }
}

t.test('where a gateway waits, one write follows the other; what arrives together is written together', async (t) => {
  const { add, writes, letGo, end } = open(true)
  add()
  add()
  await setImmediate()
  t.equal(writes(), 1)
  add()
  await setImmediate()
  t.equal(writes(), 1, 'one at a time')
  await letGo(true)
  t.equal(writes(), 2)
  await letGo(true)
  t.equal(writes(), 2, 'nothing is left')
  await end()
})

t.test('a write that fails is not repeated before the next checkpoint', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { add, writes, letGo, end } = open(true)
  add()
  await setImmediate()
  await letGo(false)
  t.equal(writes(), 1)
  mock.timers.tick(CHECKPOINT_MS)
  t.equal(writes(), 2)
  await letGo(true)
  await end()
})

t.test('where nobody waits, outcomes wait for the checkpoint; after the end nothing is written', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const { add, writes, letGo, end } = open(false)
  add()
  await setImmediate()
  t.equal(writes(), 0)
  mock.timers.tick(CHECKPOINT_MS)
  t.equal(writes(), 1)
  const ended = end()
  await letGo(true)
  await ended
  add()
  mock.timers.tick(CHECKPOINT_MS * 4)
  t.equal(writes(), 1)
})
