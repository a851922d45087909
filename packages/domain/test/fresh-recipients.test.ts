// How long recipients that were read may be pushed to, with a provider that starts what the test says.
import { STALE } from '@push-server/providers'
import t from 'tap'
import type { ChangedRecipient } from '@push-server/store'
import { freshRecipients, MOST_AGE_MS } from '../src/delivery/fresh-recipients.ts'
import type { DueDelivery } from '../src/delivery/due-deliveries.ts'

const due = (id: number): DueDelivery => ({
  delivery: {
    id,
    position: id,
    messageId: 'm',
    token: `t${id}`,
    environment: null,
    tokenKind: null,
    attempts: 0,
    obstacle: null,
  },
  message: 0,
  token: `t${id}`,
  environment: undefined,
  pushId: '',
})

interface Scene {
  /** Age of what was read, in ms. */
  age?: number
  /** How many the provider starts before the age has passed, call by call; it ends them all. */
  starts?: number[]
  changes?: ChangedRecipient[]
}

function play({ age = 0, starts = [], changes = [] }: Scene) {
  const controller = new AbortController()
  const log = { reads: [] as number[][], pushed: [] as number[], changed: [] as ChangedRecipient[] }
  const recipients = freshRecipients({
    chunk: { readAt: performance.now() - age },
    due: [1, 2, 3, 4].map(due),
    signal: controller.signal,
    async read(left) {
      log.reads.push(left.map(({ delivery }) => delivery.id))
      return changes
    },
    onChanged: (_, change) => void log.changed.push(change),
    async push(targets, { signal }, ended) {
      const count = starts.shift() ?? targets.length
      for (const [index, { delivery }] of targets.slice(0, count).entries()) {
        log.pushed.push(delivery.id)
        ended(index)
      }
      // As the timer would.
      if (count < targets.length && !signal.aborted)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  })
  return { recipients, log, controller }
}

t.test('what was just read is pushed to without reading it again', async (t) => {
  const { recipients, log } = play({})
  await recipients.push(4)
  t.same(log, { reads: [], pushed: [1, 2, 3, 4], changed: [] })
  t.equal(recipients.left, 0)
})

t.test('what is too old is read first, and what has changed is left out', async (t) => {
  const change: ChangedRecipient = { id: 3, obstacle: 'DeviceReassigned' }
  const { recipients, log } = play({ age: MOST_AGE_MS, changes: [change] })
  await recipients.push(4)
  t.same(log, { reads: [[1, 2, 3, 4]], pushed: [1, 2, 4], changed: [change] })
})

t.test('what has not started when the age has passed is read again', async (t) => {
  const change: ChangedRecipient = { id: 4, obstacle: null }
  const { recipients, log } = play({ age: MOST_AGE_MS - 1_500, starts: [2], changes: [change] })
  await recipients.push(4)
  t.same(log, { reads: [[3, 4]], pushed: [1, 2, 3], changed: [change] })
})

t.test('slices: all that are left are read, and counted without those that have changed', async (t) => {
  const { recipients, log } = play({ changes: [{ id: 2, obstacle: 'DeviceRemoved' }] })
  await recipients.refresh()
  t.equal(recipients.left, 3)
  await recipients.push(2)
  await recipients.push(2)
  t.same(log.pushed, [1, 3, 4])
  t.equal(recipients.left, 0)
})

t.test('once aborted nothing is read or pushed', async (t) => {
  const { recipients, log, controller } = play({ age: MOST_AGE_MS })
  controller.abort()
  await recipients.push(4)
  t.same(log, { reads: [], pushed: [], changed: [] })
})

t.test('the push sees why nothing more may start', async (t) => {
  for (const [name, reason] of [
    ['the age has passed', STALE],
    ['the chunk was called off', 'paused'],
  ] as const) {
    const controller = new AbortController()
    const heard = Promise.withResolvers<unknown>()
    const recipients = freshRecipients({
      chunk: { readAt: performance.now() - MOST_AGE_MS + (reason === STALE ? 20 : MOST_AGE_MS) },
      due: [due(1)],
      signal: controller.signal,
      read: async () => [],
      onChanged() {},
      async push(_, { signal }, ended) {
        if (reason !== STALE) controller.abort(reason)
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
        heard.resolve(signal.reason)
        ended(0)
      },
    })
    await recipients.push(1)
    t.equal(await heard.promise, reason, name)
  }
})
