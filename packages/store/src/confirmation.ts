// A change whose response was lost: what became of it is read over another connection, once.
import { DiscardedWrite, UnconfirmedWrite } from './away.ts'
import type { Queryable } from './database.ts'
import { endSession } from './sessions.ts'

/** The caller waits meanwhile, and has waited before. */
const WITHIN_MS = 5_000

/**
 * `write`, or what it stored according to `find` when its response was lost; `find` resolves with undefined when nothing is
 * there. Rejects with DiscardedWrite when it surely is not stored, with UnconfirmedWrite when nobody knows.
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

function timeUp(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  setTimeout(() => reject(new Error(`not confirmed within ${WITHIN_MS} ms`)), WITHIN_MS).unref()
  return promise
}
