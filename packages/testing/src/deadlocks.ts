// How many deadlocks there were in a test's database, those that were run again without a word included.
import type { TestDatabase } from './database.ts'
import { waitFor } from './wait-for.ts'

/** Ends every other connection to the database: a session tells PostgreSQL's statistics what it has met when it ends at the latest. */
export async function countDeadlocks({ query }: Pick<TestDatabase, 'query'>): Promise<number> {
  const pids = await query<{ pid: number }>(
    `SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`,
  )
  await waitFor('the sessions to end', async () => {
    const left = await query('SELECT 1 FROM pg_stat_activity WHERE pid = ANY($1)', [pids.map(({ pid }) => pid)])
    return left.length === 0
  })
  const [row] = await query<{ deadlocks: number }>(
    'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
  )
  return row?.deadlocks ?? NaN
}
