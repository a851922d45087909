// What a comparison of two trees says: medians, ratios within rounds, their spread, and the verdict.
import t from 'tap'
import { compare, comparisonTable, spreadOf, type Figure, type Round } from '../src/compare/figures.ts'

const figure = (name: string, value: number, better: Figure['better'] = 'lower'): Figure => ({ name, value, better })
const roundsOf = (ours: readonly number[], former: readonly number[], better: Figure['better'] = 'lower'): Round[] =>
  ours.map((value, round) => ({
    ours: [figure('cost', value, better)],
    former: [figure('cost', former[round] ?? NaN, better)],
  }))

t.test('the spread is half the distance between the quartiles', async (t) => {
  const cases: [values: number[], spread: number][] = [
    [[100], 0],
    [[90, 110], 0.05],
    [[100, 100, 100, 100, 100], 0],
    [[80, 90, 100, 110, 120], 0.1],
    // The one that was disturbed counts as one.
    [[90, 95, 100, 105, 900], 0.05],
  ]
  for (const [values, spread] of cases) t.equal(Number(spreadOf(values).toFixed(6)), spread, String(values))
})

t.test('within means closer than the limit plus the spread', async (t) => {
  const steady = [100, 100, 100, 100, 100]
  const cases: [what: string, rounds: Round[], verdict: string][] = [
    ['the same', roundsOf(steady, steady), 'within'],
    ['9 % more', roundsOf([109, 109, 109, 109, 109], steady), 'within'],
    ['11 % more', roundsOf([111, 111, 111, 111, 111], steady), 'worse'],
    ['11 % more, spread 5 %', roundsOf([105, 105, 111, 116.1, 116.1], steady), 'within'],
    ['20 % more, spread 5 %', roundsOf([114, 114, 120, 126, 126], steady), 'worse'],
    ['twice as good', roundsOf([50, 50, 50, 50, 50], steady), 'better'],
    ['more is better', roundsOf([120, 120, 120, 120, 120], steady, 'higher'), 'better'],
    ['less is worse', roundsOf([80, 80, 80, 80, 80], steady, 'higher'), 'worse'],
    ['a bit less', roundsOf([95, 95, 95, 95, 95], steady, 'higher'), 'within'],
    ['nothing on both sides', roundsOf([0, 0, 0], [0, 0, 0]), 'worse'],
    ['something instead of nothing', roundsOf([1, 1, 1], [0, 0, 0]), 'worse'],
  ]
  for (const [what, rounds, verdict] of cases) t.equal(compare(rounds, 0.1)[0]?.verdict, verdict, what)
})

t.test('ratios are those of a round: a machine that gets slower spreads nothing', async (t) => {
  const [row] = compare(roundsOf([10, 20, 30, 40, 50], [10, 20, 30, 40, 50]), 0.1)
  t.same(row, { name: 'cost', ours: 30, former: 30, ratio: 1, spread: 0, verdict: 'within' })
})

t.test('a figure that one tree has not got cannot be compared', async (t) => {
  const rounds = [{ ours: [figure('cost', 1)], former: [] }]
  t.throws(() => compare(rounds, 0.1), /cost: 0 figures in 1 rounds/)
})

t.test('the table', async (t) => {
  const rounds: Round[] = [
    {
      ours: [figure('cost, µs', 5.12), figure('rate', 9_000, 'higher')],
      former: [figure('cost, µs', 5), figure('rate', 18_000, 'higher')],
    },
  ]
  const [head, cost, rate] = comparisonTable(compare(rounds, 0.1), { former: '82129e5', limit: 0.1 }).split('\n')
  t.match(head, /^ +this tree +82129e5 +ratio +spread +verdict$/)
  t.match(cost, /^cost, µs +5\.12 +5\.00 +1\.02 +± 0\.0 % +within 10\.0 % \+ 0\.0 %$/)
  t.match(rate, /^rate +9,000 +18,000 +0\.50 +± 0\.0 % +NOT within 10\.0 % \+ 0\.0 %$/)
})
