// What `bench:api` prints. Pure.
import { layout, rounded } from '../table.ts'
import { nameOf } from './cells.ts'
import type { DearStatement } from './database.ts'
import { altogether, type CellResult } from './measure.ts'

const HEAD = [
  '',
  'requests/s',
  'delivered/s',
  'p50 ms',
  'p99 ms',
  'µs CPU',
  'gateway',
  'workers',
  'scheduler',
  'PostgreSQL',
  'Redis',
  'load',
  'providers',
  'cores',
  'statements',
  'commits',
  'WAL bytes',
]

export interface NamedResult {
  /** Of the cell, as in `a`. */
  name: string
  result: CellResult
}

/** A row for each cell; costs and counts are per message. */
export const resultTable = (results: readonly NamedResult[]): string => layout([HEAD, ...results.map(rowOf)])

function rowOf({ name, result }: NamedResult): string[] {
  const { micros, perMessage } = result
  return [
    `${name}: ${nameOf(result.cell)}`,
    rounded(result.requestsPerSecond),
    rounded(result.deliveredPerSecond),
    result.p50.toFixed(1),
    result.p99.toFixed(1),
    rounded(altogether(micros)),
    ...[micros.gateway, micros.workers, micros.scheduler, micros.postgres].map(rounded),
    micros.redis === undefined ? '' : rounded(micros.redis),
    rounded(micros.load),
    rounded(micros.providers),
    percent(result.coresInUse),
    perMessage.statements.toFixed(2),
    perMessage.commits.toFixed(2),
    rounded(perMessage.walBytes),
  ]
}

export function describeResult({ name, result }: NamedResult): string {
  const { cell, requestsPerSecond, deliveredPerSecond, p50, p99, micros, failures } = result
  const figures =
    `${rounded(requestsPerSecond)} requests/s, ${rounded(deliveredPerSecond)} delivered/s, p50 ${p50.toFixed(1)} ms, ` +
    `p99 ${p99.toFixed(1)} ms, ${rounded(altogether(micros))} µs CPU/message`
  const head = `${failures.length > 0 ? '✖' : '✔'} ${name}: ${nameOf(cell)}, ${cell.messages} messages: ${figures}`
  return [head, ...failures.map((failure) => `    ${failure}`), ...result.dearest.map(describeStatement)].join('\n')
}

function describeStatement({ text, calls, plans, milliseconds }: DearStatement): string {
  const shown = text.replaceAll(/\s+/g, ' ').slice(0, 90)
  return `    ${rounded(milliseconds)} ms, ${calls} calls, plans ÷ calls ${(plans / calls).toFixed(2)}: ${shown}`
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`
