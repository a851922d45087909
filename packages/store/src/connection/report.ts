// What the server allows: whether our time limits are in force there, and how many connections it takes.
import type { Database } from './database.ts'
import { missingLimits, READ_LIMITS } from './time-limits.ts'
import { statement } from './statement.ts'

const LIMITS = statement({
  name: 'database-limits',
  text: READ_LIMITS,
  notNull: {
    statement_timeout: 'PostgreSQL has the setting',
    lock_timeout: 'PostgreSQL has the setting',
    idle_in_transaction_session_timeout: 'PostgreSQL has the setting',
  },
})

/** PostgreSQL has known `reserved_connections` since 16. */
const CAPACITY = statement({
  name: 'database-capacity',
  text: `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0) AS connections`,
  notNull: { connections: 'PostgreSQL has the first two settings, the third is coalesced' },
})

export const openDatabaseReport = (database: Database) => ({
  /** Rejects while PostgreSQL does not respond, and while it would let a statement go on that we have given up. */
  async ping(): Promise<void> {
    const [inForce] = await database.query(LIMITS)
    const missing = inForce ? missingLimits(inForce, database.limits.client) : []
    if (missing.length > 0)
      throw new Error(
        `${missing.join(', ')} not in force on the server below DATABASE_TIMEOUT: see "Time limits" in docs/deploy.md`,
      )
  },

  /** How many connections the server takes from ordinary roles. */
  async capacity(): Promise<number> {
    const [row] = await database.query(CAPACITY)
    return row?.connections ?? 0
  },
})
