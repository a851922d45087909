// What pushes cost a server: processor time of its own processes, of PostgreSQL and of Redis, between two readings.
import { secondsOf, type WatchedProcess } from './processes.ts'

export interface ServerCost {
  pushes: number
  seconds: number
  /** Processor time. */
  micros: { services: number; postgres: number; redis: number | undefined }
}

export interface Watched {
  services: readonly WatchedProcess[]
  postgres: WatchedProcess
  /** Undefined where it has no part in it. */
  redis: WatchedProcess | undefined
}

export interface Reading {
  at: number
  pushes: number
  services: number
  postgres: number
  redis: number | undefined
}

export const readCost = ({ services, postgres, redis }: Watched, pushes: number): Reading => ({
  at: performance.now(),
  pushes,
  services: services.map(secondsOf).reduce((sum, each) => sum + each, 0),
  postgres: secondsOf(postgres),
  redis: redis && secondsOf(redis),
})

export const costBetween = (before: Reading, after: Reading): ServerCost => ({
  pushes: after.pushes - before.pushes,
  seconds: (after.at - before.at) / 1_000,
  micros: {
    services: 1e6 * (after.services - before.services),
    postgres: 1e6 * (after.postgres - before.postgres),
    redis: after.redis === undefined ? undefined : 1e6 * (after.redis - (before.redis ?? 0)),
  },
})
