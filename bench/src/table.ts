// Rounds of measurements as a table for a terminal: medians, and between which bounds they lie. Pure.
import type { Measurement } from './push-process.ts'

export interface Run extends Measurement {
  client: string
  /** Share of a core that the load server used; near 1 it is what was measured. */
  loadBusy: number
}

const HEAD = [
  'client',
  'µs CPU/push',
  '(min–max)',
  '× ours',
  'a core',
  'pushes/s',
  '(min–max)',
  'MiB',
  'server',
  'failed',
]

/**
 * The first run of each round is what the others of that round are compared with. `a core`: pushes a second if the client had
 * a core to itself, from its CPU time; `pushes/s` is what it came to, on whatever share of the machine it got.
 */
export function tableOf(rounds: readonly (readonly Run[])[]): string {
  const clients = (rounds[0] ?? []).map((_, place) => rounds.flatMap((round) => round[place] ?? []))
  const rows = clients.map((runs) => {
    const micros = runs.map(microsOf)
    const rates = runs.map(({ pushes, seconds }) => pushes / seconds)
    const ratios = runs.map((run, round) => microsOf(run) / microsOf(rounds[round]?.[0] ?? run))
    return [
      runs[0]?.client ?? '',
      median(micros).toFixed(1),
      `${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}`,
      median(ratios).toFixed(2),
      rounded(1e6 / median(micros)),
      rounded(median(rates)),
      `${rounded(Math.min(...rates))}–${rounded(Math.max(...rates))}`,
      String(Math.max(...runs.map(({ rssMiB }) => rssMiB))),
      `${Math.round(100 * median(runs.map(({ loadBusy }) => loadBusy)))} %`,
      String(runs.reduce((sum, { failed }) => sum + failed, 0)),
    ]
  })
  return layout([HEAD, ...rows])
}

const microsOf = ({ cpuMicros, pushes }: Run) => cpuMicros / pushes

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2
}

export const rounded = (number: number) => Math.round(number).toLocaleString('en')

/** The first column to the left, figures to the right; the first row names the columns. */
export function layout(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(cell).join('  ')).join('\n')
}
