// What the table of a benchmark says: medians over rounds, and ratios within them.
import t from 'tap'
import { tableOf, type Run } from '../src/table.ts'

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
