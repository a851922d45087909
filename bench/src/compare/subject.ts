// What of a tree can be compared with another: its cases, opened once for all rounds.
import type { Tree } from '@push-server/testing'
import type { ServerCost } from '../server-cost.ts'
import type { Figure } from './figures.ts'
import type { Case } from './rounds.ts'

export interface SubjectOptions {
  quick: boolean
  /** The audience, where there is one. */
  devices: number | undefined
}

export interface Subject {
  cases: readonly Case[]
  close(): Promise<void>
}

export type OpenSubject = (tree: Tree, options: SubjectOptions) => Promise<Subject>

/** What every benchmark of whole servers shows. */
export function serverFigures(what: string, { pushes, seconds, micros }: ServerCost): Figure[] {
  const perPush = (name: string, spent: number): Figure => ({
    name: `${name}, µs CPU/push`,
    value: spent / pushes,
    better: 'lower',
  })
  const altogether = micros.services + micros.postgres + (micros.redis ?? 0)
  return [
    perPush('altogether', altogether),
    perPush(what, micros.services),
    perPush('PostgreSQL', micros.postgres),
    ...(micros.redis === undefined ? [] : [perPush('Redis', micros.redis)]),
    { name: 'wall time, s', value: seconds, better: 'lower' },
    { name: 'throughput, pushes/s', value: pushes / seconds, better: 'higher' },
  ]
}
