// Waits with a deadline: which of the two ends them, and what is left behind.
import t from 'tap'
import { withDeadline } from '../src/index.ts'

const never = () => new Promise<never>(() => {})
const refuse = (): never => {
  throw new Error('late')
}
/** For work that ends by itself. */
const FAR_MS = 60_000

interface Row {
  name: string
  work: () => Promise<string>
  ms: number
  onLate: () => string | undefined
  /** The value, or the text of the error. */
  expected: { value: string | undefined } | { error: string }
}

const rows: Row[] = [
  {
    name: 'work that is done',
    work: async () => 'done',
    ms: FAR_MS,
    onLate: refuse,
    expected: { value: 'done' },
  },
  {
    name: 'work that fails',
    work: () => Promise.reject(new Error('failed')),
    ms: FAR_MS,
    onLate: refuse,
    expected: { error: 'failed' },
  },
  { name: 'no time, but done', work: async () => 'done', ms: 0, onLate: refuse, expected: { value: 'done' } },
  { name: 'late, for an error', work: never, ms: 1, onLate: refuse, expected: { error: 'late' } },
  { name: 'late, for a value', work: never, ms: 1, onLate: () => 'other', expected: { value: 'other' } },
  { name: 'late, for nothing', work: never, ms: 1, onLate: () => undefined, expected: { value: undefined } },
]

const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

for (const { name, work, ms, onLate, expected } of rows)
  t.test(name, async (t) => {
    const before = timers()
    const ended = await withDeadline(work(), ms, onLate).then(
      (value) => ({ value }),
      (error: Error) => ({ error: error.message }),
    )
    t.same(ended, expected)
    t.equal(timers(), before, 'no timer is left')
  })

t.test('work that fails after its deadline is nobody’s unhandled rejection', async (t) => {
  const work = Promise.withResolvers<never>()
  const unhandled: unknown[] = []
  const onUnhandled = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', onUnhandled)
  t.teardown(() => process.off('unhandledRejection', onUnhandled))
  t.equal(await withDeadline(work.promise, 1, () => 'late'), 'late')
  work.reject(new Error('too late'))
  await new Promise(setImmediate)
  t.same(unhandled, [])
})
