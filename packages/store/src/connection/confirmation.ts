// A change whose response was lost: what became of it is read over another connection, once.
import { setTimeout as sleep } from 'node:timers/promises'
import { DiscardedWrite, UnconfirmedWrite, type Session } from './errors.ts'
import type { Queryable } from './database.ts'
import { statement } from './statement.ts'

/** The caller waits meanwhile, and has waited before. */
const WITHIN_MS = 5_000
const POLL_MS = 50

const END = statement({
  name: 'session-end',
  text: `SELECT pg_terminate_backend(pid) AS sent FROM pg_stat_activity
    WHERE pid = $1 AND extract(epoch FROM backend_start)::text = $2`,
})

/**
 * `write`, or what it stored according to `find` when its response was lost; `find` resolves with undefined when nothing is
 * there. Rejects with DiscardedWrite when it surely is not stored, with UnconfirmedWrite when it cannot be known.
 */
export async function confirmed<T>(
  database: Queryable,
  write: () => Promise<T>,
  find: () => Promise<T | undefined>,
): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (!(error instanceof UnconfirmedWrite)) throw error
    // Whatever keeps us from reading it: the first error says what the caller has to know.
    return await Promise.race([settle(database, error, find), timeUp()]).catch((reason: unknown) =>
      Promise.reject(reason instanceof DiscardedWrite ? reason : error),
    )
  }
}

async function settle<T>(database: Queryable, error: UnconfirmedWrite, find: () => Promise<T | undefined>): Promise<T> {
  // In this order: a session that is gone has stored what it will ever have stored.
  if (error.session) await endSession(database, error.session, AbortSignal.timeout(WITHIN_MS))
  const found = await find()
  if (found !== undefined) return found
  throw error.session ? new DiscardedWrite('PostgreSQL lost a change before it was stored', { cause: error }) : error
}

/** Ends a session whose client has gone, however far its statement is. Resolves when the session is gone. */
async function endSession(database: Queryable, { pid, startedAt }: Session, signal: AbortSignal): Promise<void> {
  while ((await database.query(END, [pid, startedAt])).length > 0) await sleep(POLL_MS, undefined, { signal })
}

function timeUp(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  setTimeout(() => reject(new Error(`not confirmed within ${WITHIN_MS} ms`)), WITHIN_MS).unref()
  return promise
}
