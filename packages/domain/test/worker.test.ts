// The parts of a worker that share and count.
import t from 'tap'
import { createCounts } from '../src/delivery/counts.ts'
import { createSlots } from '../src/delivery/slots.ts'

t.test('slots: one application gets half, and one at least', async (t) => {
  for (const [size, share] of [
    [1, 1],
    [2, 1],
    [5, 2],
    [20, 10],
  ] as const) {
    const slots = createSlots(size)
    const taken = Array.from({ length: size }, () => slots.take(7)).filter((giveBack) => giveBack !== undefined)
    t.equal(taken.length, share, `${share} of ${size}`)
    t.ok(slots.take(8), 'another application is not touched')
    taken[0]?.()
    t.ok(slots.take(7), 'one that was given back can be taken again')
    t.notOk(slots.take(7))
  }
})

t.test('counts: by outcome and reason', async (t) => {
  const counts = createCounts()
  t.same(counts.entries(), [])
  counts.add('sent', '')
  counts.add('failed', 'BadDeviceToken')
  counts.add('sent', '')
  counts.add('failed', 'Unregistered')
  t.same(counts.entries(), [
    ['sent', '', 2],
    ['failed', 'BadDeviceToken', 1],
    ['failed', 'Unregistered', 1],
  ])
})
