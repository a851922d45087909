// Figures of two trees beside each other: medians, their spread, and whether one is worse than it may be. Pure.
import { layout, median } from '../table.ts'

export interface Figure {
  /** With its unit. */
  name: string
  value: number
  /** Which way is better. */
  better: 'lower' | 'higher'
}

/** What was measured of both trees, one after the other. */
export interface Round {
  ours: readonly Figure[]
  former: readonly Figure[]
}

/** `within`: closer to the former one than the limit plus the spread. Beyond that it is better or worse. */
export type Verdict = 'within' | 'better' | 'worse'

export interface Row {
  name: string
  /** Medians. */
  ours: number
  former: number
  /** Median of the rounds' ratios: in a round both had the same machine, with whatever else it did. */
  ratio: number
  /** Of those ratios, as a share of their median. */
  spread: number
  verdict: Verdict
}

/** A row for each figure, in the order of the first round. `limit` is a share: 0.1 for 10 %. */
export function compare(rounds: readonly Round[], limit: number): Row[] {
  return (rounds[0]?.ours ?? []).map(({ name, better }) => {
    const ours = valuesOf(name, rounds, 'ours')
    const former = valuesOf(name, rounds, 'former')
    const ratios = ours.map((value, round) => value / (former[round] ?? NaN))
    const [ratio, spread] = [median(ratios), spreadOf(ratios)]
    const verdict = verdictOf(better === 'lower' ? ratio : 1 / ratio, limit + spread)
    return { name, ours: median(ours), former: median(former), ratio, spread, verdict }
  })
}

function valuesOf(name: string, rounds: readonly Round[], tree: keyof Round): number[] {
  const values = rounds.flatMap((round) => round[tree].filter((figure) => figure.name === name))
  if (values.length !== rounds.length) throw new Error(`${name}: ${values.length} figures in ${rounds.length} rounds`)
  return values.map(({ value }) => value)
}

/** Half the distance between the quartiles, as a share of the median: one round that was disturbed does not widen it. */
export function spreadOf(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const place = share * (sorted.length - 1)
  const [below = NaN, above = NaN] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
  return below + (above - below) * (place - Math.floor(place))
}

/** `cost` is the ratio that grows when things get worse. What is no number (nothing was measured) is worse. */
function verdictOf(cost: number, tolerance: number): Verdict {
  if (cost < 1 / (1 + tolerance)) return 'better'
  return cost < 1 + tolerance ? 'within' : 'worse'
}

export function comparisonTable(rows: readonly Row[], { former, limit }: { former: string; limit: number }): string {
  const head = ['', 'this tree', former, 'ratio', 'spread', 'verdict']
  const words = { within: 'within', better: 'better than within', worse: 'NOT within' }
  const cells = rows.map(({ name, ours, former, ratio, spread, verdict }) => [
    name,
    shown(ours),
    shown(former),
    ratio.toFixed(2),
    `± ${percent(spread)}`,
    `${words[verdict]} ${percent(limit)} + ${percent(spread)}`,
  ])
  return layout([head, ...cells])
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

/** Three digits at least: costs of a push are small, rates are large. */
function shown(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
