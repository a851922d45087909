// The parts of a worker that share and count.
import t from 'tap'
import { createOutcomeCounts } from '../src/delivery/outcome-counts.ts'
import { reportOf } from '../src/delivery/provider-report.ts'
import { createFairSlots } from '../src/delivery/fair-slots.ts'

t.test('slots: one application gets half, and one at least', async (t) => {
  for (const [size, share] of [
    [1, 1],
    [2, 1],
    [5, 2],
    [20, 10],
  ] as const) {
    const slots = createFairSlots(size)
    const taken = Array.from({ length: size }, () => slots.take(7)).filter((giveBack) => giveBack !== undefined)
    t.equal(taken.length, share, `${share} of ${size}`)
    t.ok(slots.take(8), 'another application is not touched')
    taken[0]?.()
    t.ok(slots.take(7), 'one that was given back can be taken again')
    t.notOk(slots.take(7))
  }
})

t.test('counts: by outcome and reason', async (t) => {
  const counts = createOutcomeCounts()
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

t.test('the report on providers: counts of all, names of a few, the worst first', async (t) => {
  t.same(reportOf([]), { open: 0, up: 0, down: 0, idle: 0, applications: [] })
  const failure = (at: number) => ({ reason: 'ServiceUnavailable', at })
  const report = reportOf([
    { appId: 'quiet', state: { connection: 'idle' } },
    { appId: 'recovered', state: { connection: 'up', failure: failure(1_000) } },
    { appId: 'cut off', state: { connection: 'down', failure: failure(2_000) } },
    { appId: 'throttled', state: { connection: 'up', failure: failure(3_000) } },
  ])
  t.same(report, {
    open: 4,
    up: 2,
    down: 1,
    idle: 1,
    applications: [
      {
        appId: 'cut off',
        connection: 'down',
        failure: { reason: 'ServiceUnavailable', at: '1970-01-01T00:00:02.000Z' },
      },
      {
        appId: 'throttled',
        connection: 'up',
        failure: { reason: 'ServiceUnavailable', at: '1970-01-01T00:00:03.000Z' },
      },
      {
        appId: 'recovered',
        connection: 'up',
        failure: { reason: 'ServiceUnavailable', at: '1970-01-01T00:00:01.000Z' },
      },
      { appId: 'quiet', connection: 'idle' },
    ],
  })
  const many = reportOf(Array.from({ length: 500 }, (_, n) => ({ appId: `app-${n}`, state: { connection: 'up' } })))
  t.equal(many.up, 500)
  t.equal(many.applications.length, 20)
})
