// What waits and what is paused, for metrics.
import type { Lane, Platform } from '@push-server/contract'
import type { Database, Statement } from './database.ts'

export interface BacklogRow {
  platform: Platform
  lane: Lane
  chunks: number
  deliveries: number
  oldestDueSeconds: number
}

const BACKLOG: Statement = {
  name: 'backlog',
  text: `SELECT platform, lane, count(*)::int AS chunks, sum(total - sent - failed)::int AS deliveries,
      greatest(0, extract(epoch FROM now() - min(due_at)))::float8 AS "oldestDueSeconds"
    FROM chunks WHERE settled_at IS NULL GROUP BY platform, lane`,
}

const PAUSED: Statement = {
  name: 'backlog-paused',
  text: 'SELECT platform, count(*)::int AS count FROM provider_pauses GROUP BY platform',
}

const PING: Statement = { name: 'ping', text: 'SELECT 1' }

export const openBacklog = (database: Database) => ({
  /** Rejects while PostgreSQL does not answer. */
  async ping(): Promise<void> {
    await database.query(PING)
  },

  backlog: async () => ({
    backlog: await database.query<BacklogRow>(BACKLOG),
    paused: await database.query<{ platform: Platform; count: number }>(PAUSED),
  }),
})
