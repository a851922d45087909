// Cells of the matrix that `bench:api` measures: what is sent, to whom, how many at a time, and how fast providers respond. Pure.
import { PLATFORMS, type Platform } from '@push-server/contract'

export type Operation = 'ASYNCHRONOUS' | 'SYNCHRONOUS' | 'batch'

export interface Cell {
  /** `batch` is batch/send of 20 messages, ASYNCHRONOUS; the others are message/send. */
  operation: Operation
  /** Of each user: one on the platform, or one on each of the three. */
  devices: 1 | 3
  /** That the users are spread over. */
  applications: number
  /** Requests under way at a time, each on a connection of its own. */
  connections: number
  latencyMs: { min: number; max: number }
  platform: Platform
  messages: number
  /** Whether each request has an idempotency key. */
  keyed: boolean
}

/** Values that take the place of a cell's own; several of a dimension make several cells. */
export type Overrides = { [Dimension in keyof Cell]?: readonly Cell[Dimension][] }

export const USERS = 10_000
export const BATCH = 20

const REAL = { min: 30, max: 100 }
const AT_ONCE = { min: 0, max: 0 }
export const SLOW_LATENCY = { min: 1_000, max: 1_000 }

/** What figures are usually about: 256 connections, one application, iPhones. */
export const USUAL: Cell = {
  operation: 'ASYNCHRONOUS',
  devices: 1,
  applications: 1,
  connections: 256,
  latencyMs: REAL,
  platform: 'ios',
  messages: 20_000,
  keyed: false,
}

export const CELLS = {
  a: USUAL,
  b: { ...USUAL, operation: 'SYNCHRONOUS' },
  c: { ...USUAL, applications: 50 },
  d: { ...USUAL, operation: 'SYNCHRONOUS', connections: 1, latencyMs: AT_ONCE, messages: 2_000 },
} as const satisfies Record<string, Cell>

export const isCellName = (name: string): name is keyof typeof CELLS => Object.hasOwn(CELLS, name)

/** One cell for each combination of the overrides. */
export function expand(cell: Cell, overrides: Overrides): Cell[] {
  let cells = [cell]
  for (const [dimension, values] of Object.entries(overrides))
    if (values && values.length > 0)
      cells = cells.flatMap((each) => values.map((value) => ({ ...each, [dimension]: value })))
  return cells
}

export const platformsOf = ({ devices, platform }: Pick<Cell, 'devices' | 'platform'>): readonly Platform[] =>
  devices === 1 ? [platform] : PLATFORMS

export function nameOf(cell: Cell): string {
  const { operation, devices, applications, connections, keyed } = cell
  return [
    operation === 'batch' ? `batches of ${BATCH}` : operation,
    connections === 1 ? '1 connection' : `${connections} connections`,
    applications === 1 ? '1 application' : `${applications} applications`,
    devices === 1 ? cell.platform : `${devices} devices`,
    latencyName(cell.latencyMs),
    ...(keyed ? ['keyed'] : []),
  ].join(', ')
}

export function latencyName({ min, max }: Cell['latencyMs']): string {
  if (max === 0) return 'at once'
  return min === max ? `${max} ms` : `${min}–${max} ms`
}

/** `30-100`, `0` or `1000`. */
export function latencyFrom(text: string): Cell['latencyMs'] {
  const [, min, max = min] = /^(\d+)(?:[-–](\d+))?$/.exec(text) ?? []
  if (min === undefined) throw new Error(`${text} is no latency: milliseconds such as 30-100, 0 or 1000 are required`)
  return { min: Number(min), max: Number(max) }
}
