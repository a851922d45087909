// What one application's load does to another's single messages: their p99 beside it, over that on an idle server.
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from '../lanes-run.ts'
import { beginCount, waitForArrivals } from './arrivals.ts'
import { audienceOf, type Audience, type Sending } from './audience.ts'
import { USUAL, type Cell } from './cells.ts'
import type { Ground, Target } from './ground.ts'
import { startOpenLoop } from './load.ts'
import { measureCell } from './measure.ts'

export interface Fairness {
  /** Messages a second that the server delivers of the other application alone. */
  capacity: number
  /** Of the lone application's messages, ms. */
  idleP99: number
  busyP99: number
  failures: string[]
}

/** Few users and few messages, SYNCHRONOUS. */
export const LONE: Audience = { name: 'bench-lone', applications: 1, users: 400, platforms: ['ios'] }
const PER_SECOND = 20
/** The load is there before the first message that counts, and after the last. */
const LEAD_SECONDS = 2

export interface FairnessOptions {
  cell: Cell
  /** That the lone application sends for, each time. */
  seconds: number
}

export async function measureFairness(ground: Ground, target: Target, options: FairnessOptions): Promise<Fairness> {
  const { stage } = ground
  const { cell, seconds } = options
  const alone = await measureCell(ground, target, { cell })
  const capacity = alone.deliveredPerSecond
  const sending: Sending = { audience: LONE, messages: PER_SECOND * seconds, perRequest: 1 }
  const [url = ''] = target.urls
  const order = { url, sending, operation: 'SYNCHRONOUS', perSecond: PER_SECOND } as const
  await using lone = startOpenLoop()
  await using other = startOpenLoop()

  await lone.run({ ...order, sending: { ...sending, messages: PER_SECOND * LEAD_SECONDS } })
  await beginCount(stage, cell.latencyMs)
  const idle = await lone.run(order)
  const idleArrived = await waitForArrivals(stage, target, [sending])

  const perSecond = capacity / 2
  const messages = Math.ceil(perSecond * (seconds + 2 * LEAD_SECONDS))
  const otherSending: Sending = { audience: audienceOf(USUAL), messages, perRequest: 1 }
  await beginCount(stage, cell.latencyMs)
  const otherRun = other.run({ url, sending: otherSending, operation: 'ASYNCHRONOUS', perSecond })
  await sleep(1_000 * LEAD_SECONDS)
  const busy = await lone.run(order)
  const { failures: otherFailures } = await otherRun
  const busyArrived = await waitForArrivals(stage, target, [sending, otherSending])

  return {
    capacity,
    idleP99: p99Of(idle.latencies),
    busyP99: p99Of(busy.latencies),
    failures: [alone, idle, idleArrived, busy, busyArrived].flatMap(({ failures }) => failures).concat(otherFailures),
  }
}

const p99Of = (latencies: readonly number[]) =>
  quantile(
    latencies.toSorted((a, b) => a - b),
    0.99,
  )
