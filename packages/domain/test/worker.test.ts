// The parts of a worker that share and count.
import { setImmediate } from 'node:timers/promises'
import { readConfig } from '@push-server/runtime'
import t from 'tap'
import { createOutcomeCounts } from '../src/delivery/outcomes/outcome-counts.ts'
import { reportOf } from '../src/delivery/provider-report.ts'
import { createFairSlots } from '../src/delivery/fair-slots.ts'

/** On one connection. */
const STREAMS_OF_FCM = 100
/** Messages a second that one worker and one gateway on two cores deliver (docs/performance.md). */
const LEAST_OF_HMS = 1_900

t.test('slots: one application gets all but the reserve, and one at least', async (t) => {
  for (const [size, reserve, share] of [
    [1, 1, 1],
    [2, 1, 1],
    [5, 3, 2],
    [20, 10, 10],
    [20, 2, 18],
  ] as const) {
    const slots = createFairSlots({ size, reserve })
    const taken = Array.from({ length: size }, () => slots.take(7)).filter((released) => released !== undefined)
    t.equal(taken.length, share, `${share} of ${size}`)
    const release = await taken[0]
    release?.()
    t.ok(slots.take(7), 'one that was released can be taken again')
    t.notOk(slots.take(7))
    t.ok(slots.take(8), 'another application is not touched')
  }
})

t.test(
  'slots: a full worker lets wait, in order, and an application that waits takes the other one’s surplus',
  async (t) => {
    const slots = createFairSlots({ size: 10, reserve: 2 })
    const first = await slots.take(7, 8)
    const second = await slots.take(8, 2)
    const started: string[] = []
    const third = slots.take(8, 3)?.then((release) => (started.push('third'), release))
    const fourth = slots.take(9, 1)?.then((release) => (started.push('fourth'), release))
    t.notOk(slots.take(7, 1), 'which has more than half')
    second?.()
    await setImmediate()
    t.same(started, [], 'the first of those that wait does not fit, and nobody overtakes it')
    first?.()
    await setImmediate()
    t.same(started, ['third', 'fourth'])
    t.ok(slots.take(7, 5), 'half is left to everybody')
    ;(await third)?.()
    ;(await fourth)?.()
    const large = await createFairSlots({ size: 10, reserve: 2 }).take(7, 500)
    t.ok(large, 'what is larger than the worker goes alone')
  },
)

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

t.test(
  'by default all that a worker has in hand may be in flight, so that a provider that takes a second leaves it busy',
  async (t) => {
    const { directDeliveries, apnsConcurrency, fcmConcurrency, fcmConnections, hmsConcurrency } = readConfig({}, [])
    t.ok(apnsConcurrency >= directDeliveries, 'APNs')
    t.ok(fcmConcurrency >= directDeliveries, 'FCM')
    t.ok(fcmConnections * STREAMS_OF_FCM >= fcmConcurrency, 'over the streams of its connections')
    t.ok(hmsConcurrency >= LEAST_OF_HMS, 'HMS, whose single messages are a request and a connection each')
  },
)
