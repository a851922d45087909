// What no provider takes, found without building a payload.
import t from 'tap'
import { excessProblem } from '../src/payload-limits.ts'

t.test('extras far beyond a payload are refused without building one', async (t) => {
  let reads = 0
  const items = new Proxy(
    Array.from({ length: 1_000_000 }, () => 'x'),
    {
      get: (target, key, receiver) => {
        reads += 1
        return Reflect.get(target, key, receiver)
      },
    },
  )
  const message = { body: { extras: { items } }, silent: true, priority: 'HIGH' } as const
  t.match(excessProblem(message), { field: 'body.extras', hint: /more than 16384 bytes/ })
  t.ok(reads < 40_000, `${reads} reads of a million items`)
  t.equal(excessProblem({ ...message, body: { title: 'x'.repeat(1_000_000) } }), undefined, 'nobody carries it')
  t.match(excessProblem({ ...message, silent: false, body: { title: 'x'.repeat(1_000_000) } }), { field: 'body' })
  t.equal(excessProblem({ ...message, body: { extras: { none: null, text: 'x'.repeat(16_000) } } }), undefined)
})
