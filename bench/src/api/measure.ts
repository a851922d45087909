// One cell, measured: services and load are warmed up with as many messages as it takes, the database is maintained, and then what
// the messages cost is read from the processes, from PostgreSQL and from the providers.
import { secondsOf, type WatchedProcess } from '../processes.ts'
import { quantile } from '../lanes-run.ts'
import { beginCount, waitForArrivals } from './arrivals.ts'
import { sendingOf } from './audience.ts'
import type { Cell } from './cells.ts'
import type { Counts, DearStatement } from './database.ts'
import type { Ground, Part, Target } from './ground.ts'
import { startLoad } from './load.ts'
import { useInTheMiddle, watchUse } from './machine-use.ts'

export interface CellResult {
  cell: Cell
  requestsPerSecond: number
  /** Pushes that arrived at the providers, from the first request to the last push. */
  deliveredPerSecond: number
  /** Of a request, ms. */
  p50: number
  p99: number
  /** Processor time per message. */
  micros: Micros
  /** Of all cores of the machine, while it was in its middle. */
  coresInUse: number
  /** Per message. */
  perMessage: Counts
  /** Of a ground that counts plans. */
  dearest: DearStatement[]
  /** What was no 200, or did not arrive exactly once. */
  failures: string[]
}

export interface Micros extends Record<Part, number> {
  postgres: number
  /** Undefined where the queue is in PostgreSQL. */
  redis: number | undefined
  /** Beside the server's own. */
  load: number
  providers: number
}

export const WARM_UP = 2_000

export interface MeasureOptions {
  cell: Cell
  /** Messages before those that count (2 000). */
  warmUp?: number
}

export async function measureCell(ground: Ground, target: Target, options: MeasureOptions): Promise<CellResult> {
  const { stage } = ground
  const { cell, warmUp = WARM_UP } = options
  await using load = startLoad()
  const orderOf = (messages: number) => ({ ...cell, urls: target.urls, sending: sendingOf(cell, messages) })
  await beginCount(stage, cell.latencyMs)
  await load.run(orderOf(warmUp))
  await waitForArrivals(stage, target, [sendingOf(cell, warmUp)])
  await target.maintain()
  await beginCount(stage, cell.latencyMs)
  await target.database.begin()

  const before = readSeconds(ground, target)
  const use = watchUse()
  const report = await load.run(orderOf(cell.messages))
  const arrived = await waitForArrivals(stage, target, [sendingOf(cell)])
  const after = readSeconds(ground, target)
  const samples = use.stop()
  const { statements, commits, walBytes } = await target.database.counts()

  const { startedAt, endedAt } = report
  const latencies = report.latencies.toSorted((a, b) => a - b)
  const per = (amount: number) => amount / cell.messages
  return {
    cell,
    requestsPerSecond: (1_000 * latencies.length) / (endedAt - startedAt),
    deliveredPerSecond: (1_000 * arrived.pushes) / (arrived.lastPushAt - startedAt),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    micros: { ...microsBetween(before, after, cell.messages), load: per(report.cpuMicros) },
    coresInUse: useInTheMiddle(samples, startedAt, arrived.lastPushAt),
    perMessage: { statements: per(statements), commits: per(commits), walBytes: per(walBytes) },
    dearest: ground.options.plans ? await target.database.dearest() : [],
    failures: [...report.failures, ...arrived.failures],
  }
}

/** Of the server: what beside it sends and receives is no cost of it. */
export const altogether = ({ gateway, workers, scheduler, postgres, redis = 0 }: Micros): number =>
  gateway + workers + scheduler + postgres + redis

type Seconds = Omit<Micros, 'load'>

function readSeconds({ stage }: Ground, { processes }: Target): Seconds {
  return {
    gateway: sum(processes.gateway),
    workers: sum(processes.workers),
    scheduler: sum(processes.scheduler),
    postgres: secondsOf(stage.postgres),
    redis: stage.redis && secondsOf(stage.redis),
    providers: sum(stage.providers),
  }
}

const sum = (processes: readonly WatchedProcess[]) => processes.reduce((total, each) => total + secondsOf(each), 0)

function microsBetween(before: Seconds, after: Seconds, messages: number): Seconds {
  const per = (part: Exclude<keyof Seconds, 'redis'>) => (1e6 * (after[part] - before[part])) / messages
  return {
    gateway: per('gateway'),
    workers: per('workers'),
    scheduler: per('scheduler'),
    postgres: per('postgres'),
    redis: after.redis === undefined ? undefined : (1e6 * (after.redis - (before.redis ?? 0))) / messages,
    providers: per('providers'),
  }
}
