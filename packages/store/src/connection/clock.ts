// The clock of the database, as a process knows it between two readings: every time that is stored, or compared with what is stored, is
// taken from it. The process's own clock may be wrong by hours, and may be set while it runs.
import type { Database } from './database.ts'
import { statement } from './statement.ts'

export interface DatabaseClock {
  /** ms since the epoch. Until the database was first asked it is the process's own time. */
  now(): number
  /** By how many ms the process's own clock is ahead of the database's. */
  offset(): number
  /** The database's clock showed `time` (ms since the epoch) at some moment between `requestedAt`, on the clock of `performance`, and now. */
  learn(time: number, requestedAt: number): void
}

/** Of the process, in ms. */
export interface ProcessClock {
  /** Since the epoch. */
  now(): number
  /** Monotonic: it never goes back and is never set. */
  elapsed(): number
}

const PROCESS_CLOCK: ProcessClock = { now: Date.now, elapsed: () => performance.now() }

/**
 * Moves as little as what was learnt requires: the response was a while on its way, so that the database's clock shows something
 * between `time` and `time` + that while by now.
 */
export function createDatabaseClock({ now, elapsed }: ProcessClock = PROCESS_CLOCK): DatabaseClock {
  /** What the database's clock showed when `elapsed` was 0. */
  let zero: number | undefined
  const current = () => (zero === undefined ? now() : zero + elapsed())
  return {
    now: () => Math.round(current()),
    offset: () => Math.round(now() - current()),
    learn(time, requestedAt) {
      const receivedAt = elapsed()
      const latest = time + receivedAt - requestedAt
      const held = zero === undefined ? (time + latest) / 2 : zero + receivedAt
      zero = Math.min(Math.max(held, time), latest) - receivedAt
    },
  }
}

/** The database's clock, in ms since the epoch, as SQL: not that of the transaction's start. */
export const CLOCK = '(extract(epoch FROM clock_timestamp()) * 1000)::float8'

const READ = statement({
  name: 'clock-read',
  text: `SELECT ${CLOCK} AS time`,
  notNull: { time: 'clock_timestamp is never null' },
})

/** Asks the database for its time. Rejects while it is unavailable. */
export async function readClock(database: Pick<Database, 'query'>, clock: DatabaseClock): Promise<void> {
  const requestedAt = performance.now()
  const [row] = await database.query(READ)
  if (row) clock.learn(row.time, requestedAt)
}
