// The request queue, the exchanges in flight and the open streams, which every request passes, as units.
import t from 'tap'
import { InFlight } from '../src/in-flight.ts'
import { OpenStreams } from '../src/lean/open-streams.ts'
import { RequestQueue } from '../src/request-queue.ts'
import { exchangeOf } from './nothing.ts'

const named = (count: number) => Array.from({ length: count }, (_, n) => exchangeOf(`/${n}`))
const streamOf = (id: number) => ({ id })

t.test('waiting: first in, first out, and what was refused comes back at the front', async (t) => {
  const waiting = new RequestQueue()
  const [first, second, third] = named(3)
  if (!first || !second || !third) throw new Error('three are required')
  t.equal(waiting.take(), undefined)
  for (const exchange of [first, second]) waiting.push(exchange)
  t.equal(waiting.take(), first)
  waiting.putBack(first)
  waiting.push(third)
  t.equal(waiting.size, 3)
  for (const exchange of [first, second, third]) t.equal(waiting.take(), exchange)
  t.equal(waiting.take(), undefined)
  t.equal(waiting.size, 0)
})

t.test('waiting: the order holds while somebody always waits', async (t) => {
  const waiting = new RequestQueue()
  const all = named(10_000)
  const taken: unknown[] = []
  for (const [n, exchange] of all.entries()) {
    waiting.push(exchange)
    if (n < 10) continue
    taken.push(waiting.take())
    const again = n % 1000 === 0 && waiting.take()
    if (again) waiting.putBack(again)
  }
  t.equal(waiting.size, 10)
  while (waiting.size > 0) taken.push(waiting.take())
  t.same(
    taken.map((exchange) => all.indexOf(exchange as (typeof all)[number])),
    [...all.keys()],
  )
})

t.test('exchanges: added and deleted in any order', async (t) => {
  const inFlight = new InFlight()
  const all = named(100)
  for (const exchange of all) inFlight.add(exchange)
  const odd = all.filter((_, n) => n % 2 === 1)
  for (const exchange of odd) t.ok(inFlight.delete(exchange))
  for (const exchange of odd) t.notOk(inFlight.delete(exchange), 'it is gone')
  t.equal(inFlight.size, 50)
  t.same(new Set(inFlight.all()), new Set(all.filter((_, n) => n % 2 === 0)))
  const [late] = inFlight.all()
  if (!late) throw new Error('fifty are left')
  for (const exchange of inFlight.all()) exchange.deadline = exchange === late ? 5 : 6
  t.same(inFlight.late(5), [late])
})

t.test('open streams: found by their ids, the slow ones too', async (t) => {
  const open = new OpenStreams<{ id: number }>()
  const [slow, slower] = [streamOf(1), streamOf(3)]
  for (const stream of [slow, slower]) open.add(stream)
  // Round and round, several times over.
  for (let id = 5; id < 50_000; id += 2) {
    const stream = streamOf(id)
    open.add(stream)
    if (open.get(id) !== stream) t.fail(`stream ${id} is not found`)
    if (id > 49_000) continue
    open.delete(stream)
    if (open.get(id)) t.fail(`stream ${id} is still found`)
  }
  t.equal(open.get(1), slow)
  t.equal(open.get(3), slower)
  const ids = open.all().map(({ id }) => id)
  t.same(ids, [1, 3, ...Array.from({ length: 500 }, (_, n) => 49_001 + 2 * n)])
  t.equal(open.size, ids.length)
  open.delete(slow)
  open.delete(slow)
  t.equal(open.get(1), undefined)
  t.equal(open.size, ids.length - 1, 'counted once')
})
