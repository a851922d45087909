// What waits and what is paused, for metrics.
import type { Lane, Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface BacklogRow {
  platform: Platform
  lane: Lane
  chunks: number
  deliveries: number
  oldestDueSeconds: number
}

const BACKLOG = statement({
  name: 'backlog',
  text: `SELECT platform, lane, count(*)::int AS chunks, sum(total - sent - failed)::int AS deliveries,
      greatest(0, extract(epoch FROM now() - min(due_at)))::float8 AS "oldestDueSeconds"
    FROM chunks WHERE settled_at IS NULL GROUP BY platform, lane`,
  notNull: {
    chunks: 'count is never null',
    deliveries: 'each group has a chunk, whose counts are not null',
    oldestDueSeconds: 'each group has a chunk, which is due at some time',
  },
}).narrow<Pick<BacklogRow, 'platform' | 'lane'>>()

export interface WaitingRow {
  applicationId: number
  platform: Platform
  deliveries: number
}

/** What workers have before them: a paused application's chunks block no worker. Summed up first, few rows are compared with pauses. */
const WAITING = statement({
  name: 'backlog-waiting',
  text: `SELECT c.application_id AS "applicationId", c.platform, c.deliveries FROM (
      SELECT application_id, platform, sum(total - sent - failed)::int AS deliveries
      FROM chunks WHERE settled_at IS NULL AND lane = 'direct' GROUP BY application_id, platform) c
    WHERE c.deliveries > 0 AND NOT EXISTS (SELECT FROM provider_pauses p WHERE p.application_id = c.application_id
      AND p.platform = c.platform AND p.lanes = 'all')`,
  notNull: { deliveries: 'each group has a chunk, whose counts are not null' },
}).narrow<{ platform: Platform }>()

const PAUSES = statement({
  name: 'backlog-paused',
  text: 'SELECT platform, count(*)::int AS count FROM provider_pauses GROUP BY platform',
  notNull: { count: 'count is never null' },
}).narrow<{ platform: Platform }>()

/** Some hundreds at most, since each is a series of a metric. */
const PAUSED_APPLICATIONS = statement({
  name: 'backlog-paused-applications',
  text: `SELECT p.platform, p.lanes, p.reason, a.app_id AS application FROM provider_pauses p
    JOIN applications a ON a.id = p.application_id AND a.app_id IS NOT NULL ORDER BY p.paused_at LIMIT 300`,
  notNull: { application: 'the condition requires it' },
})

export const openBacklog = (database: Database) => ({
  /** Direct deliveries that workers are to push, by application and platform; none = left out. */
  waiting: (): Promise<WaitingRow[]> => database.query(WAITING),

  backlog: async () => ({
    backlog: await database.query(BACKLOG),
    paused: await database.query(PAUSES),
    applications: await database.query(PAUSED_APPLICATIONS),
  }),
})
