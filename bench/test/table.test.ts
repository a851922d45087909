// What the tables of benchmarks say: medians over rounds, and ratios within them.
import t from 'tap'
import { tableOf, type Run } from '../src/table.ts'
import type { Setup, WorkerRun } from '../src/worker-run.ts'
import { ratioOf, workerTable, type Round } from '../src/worker-table.ts'

const run = (client: string, cpuMicros: number, pushes: number): Run => ({
  client,
  cpuMicros,
  pushes,
  failed: 0,
  seconds: 2,
  rssMiB: 100,
  loadBusy: 0.254,
})

t.test('ratios are those of a round, not of medians', async (t) => {
  // The machine was slower in the second and third.
  const rounds = [
    [run('ours', 100, 10), run('theirs', 400, 10)],
    [run('ours', 300, 10), run('theirs', 900, 10)],
    [run('ours', 200, 10), run('theirs', 1_000, 10)],
  ]
  const [head, ours, theirs] = tableOf(rounds).split('\n')
  t.match(head, /^client +µs CPU\/push +\(min–max\) +× ours/)
  t.match(ours, /^ours +20\.0 +10\.0–30\.0 +1\.00 +50,000 +5 +5–5 +100 +25 % +0$/)
  t.match(theirs, /^theirs +90\.0 +40\.0–100\.0 +4\.00 /)
})

t.test('one round', async (t) => {
  t.match(tableOf([[run('ours', 10, 20_000_000)]]), /10,000,000/)
})

t.test('workers beside the bare transport', async (t) => {
  const workers = (workerMicros: number): WorkerRun => ({
    cost: { pushes: 10, seconds: 2, micros: { services: workerMicros, postgres: 50, redis: undefined } },
    providerMicros: 40,
    rssMiB: 300,
  })
  const setups: Setup[] = [
    { backend: 'redis', workers: 1 },
    { backend: 'postgresql', workers: 2 },
  ]
  // The machine was twice as slow in the second.
  const rounds: Round[] = [
    { bare: run('ours', 100, 10), workers: [workers(200), workers(300)] },
    { bare: run('ours', 200, 10), workers: [workers(400), workers(500)] },
  ]
  const [head, bare, redis, postgresql] = workerTable(setups, rounds).split('\n')
  t.match(head, /^µs CPU\/push of +worker +\(min–max\) +÷ bare/)
  t.match(bare, /^ours +15\.0 +10\.0–20\.0 +1\.00 +5 +5–5 +100 *$/)
  t.match(redis, /^Redis, 1 worker +30\.0 +20\.0–40\.0 +2\.00 +2\.00–2\.00 +5 +5–5 +300 +5\.0 +4\.0$/)
  t.match(postgresql, /^PostgreSQL, 2 workers +40\.0 +30\.0–50\.0 +2\.75 +2\.50–3\.00 /)
  t.same(ratioOf(rounds, 1), { median: 2.75, min: 2.5, max: 3 })
})
