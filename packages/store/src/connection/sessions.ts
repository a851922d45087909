// The server's side of a connection: who it is there.
import type pg from 'pg'
import type { Session } from './errors.ts'

const WHO = `SELECT pid, extract(epoch FROM backend_start)::text AS "startedAt" FROM pg_stat_activity
  WHERE pid = pg_backend_pid()`

const sessions = new WeakMap<pg.ClientBase, Session>()

/** Runs `sql` and notes who the connection is, in one round trip. */
export async function readSession(client: pg.ClientBase, sql: string): Promise<void> {
  // Several statements at once have a result each, which the types do not know.
  const results = (await client.query(`${sql}; ${WHO}`)) as unknown as pg.QueryResult<Session>[]
  const [session] = results.at(-1)?.rows ?? []
  // A pooler names a process of its own: the next statement may run on another connection.
  if (session && session.pid === (client as { processID?: number }).processID) sessions.set(client, session)
}

export const sessionOf = (client: pg.ClientBase): Session | undefined => sessions.get(client)
