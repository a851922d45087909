// Rounds of whole workers beside the bare transport, as a table for a terminal and as the figure they are about. Pure.
import { layout, median, rounded, type Run } from './table.ts'
import type { Setup, WorkerRun } from './worker-run.ts'

export interface Round {
  bare: Run
  /** In the order of the setups. */
  workers: readonly WorkerRun[]
}

export interface Ratio {
  median: number
  min: number
  max: number
}

const HEAD = [
  'µs CPU/push of',
  'worker',
  '(min–max)',
  '÷ bare',
  '(min–max)',
  'pushes/s',
  '(min–max)',
  'MiB',
  'PostgreSQL',
  'provider',
]

export const nameOf = ({ backend, workers }: Setup): string =>
  `${backend === 'redis' ? 'Redis' : 'PostgreSQL'}, ${workers} ${workers === 1 ? 'worker' : 'workers'}`

export function workerTable(setups: readonly Setup[], rounds: readonly Round[]): string {
  const bare = rounds.map((round) => round.bare)
  const bareRow = [
    bare[0]?.client ?? '',
    ...spread(bare.map(bareMicros), (micros) => micros.toFixed(1)),
    '1.00',
    '',
    ...spread(bare.map(rateOf), rounded),
    String(Math.max(...bare.map(({ rssMiB }) => rssMiB))),
    '',
    '',
  ]
  const rows = setups.map((setup, place) => {
    const runs = runsOf(rounds, place)
    const perPush = (micros: (run: WorkerRun) => number) =>
      median(runs.map((run) => micros(run) / run.cost.pushes)).toFixed(1)
    return [
      nameOf(setup),
      ...spread(runs.map(workerMicros), (micros) => micros.toFixed(1)),
      ...spread(ratios(rounds, place), (ratio) => ratio.toFixed(2)),
      ...spread(
        runs.map(({ cost }) => rateOf(cost)),
        rounded,
      ),
      String(Math.max(...runs.map(({ rssMiB }) => rssMiB))),
      perPush(({ cost }) => cost.micros.postgres),
      perPush((run) => run.providerMicros),
    ]
  })
  return layout([HEAD, bareRow, ...rows])
}

/** Of a setup's processor time per push to the bare transport's, each taken within a round. */
export function ratioOf(rounds: readonly Round[], place: number): Ratio {
  const all = ratios(rounds, place)
  return { median: median(all), min: Math.min(...all), max: Math.max(...all) }
}

const runsOf = (rounds: readonly Round[], place: number) => rounds.flatMap(({ workers }) => workers[place] ?? [])

const ratios = (rounds: readonly Round[], place: number) =>
  rounds.flatMap(({ bare, workers }) => (workers[place] ? [workerMicros(workers[place]) / bareMicros(bare)] : []))

const bareMicros = ({ cpuMicros, pushes }: Run) => cpuMicros / pushes
const workerMicros = ({ cost }: WorkerRun) => cost.micros.services / cost.pushes
const rateOf = ({ pushes, seconds }: { pushes: number; seconds: number }) => pushes / seconds

const spread = (numbers: readonly number[], text: (number: number) => string) => [
  text(median(numbers)),
  `${text(Math.min(...numbers))}–${text(Math.max(...numbers))}`,
]
