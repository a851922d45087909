// What became of a run: why deliveries failed, and who was not reached. How far it is stands with its campaign.
import type { Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface Failure {
  userId: string
  platform: Platform
  reason: string
}

const REASONS = statement({
  name: 'run-reasons',
  text: `SELECT key AS reason, sum(value::int)::int AS count FROM chunks c, jsonb_each_text(c.reasons)
    WHERE c.run_id = $1 AND c.failed > 0 GROUP BY key ORDER BY key`,
  notNull: { reason: 'members of an object have names', count: 'each group has a count' },
})

/** Only chunks that the page touches are taken apart. What was pending when its chunk was closed has the chunk's reason. */
const FAILURES = statement({
  name: 'run-failures',
  text: `WITH counted AS (
      SELECT id, failed, (sum(failed) OVER (ORDER BY id) - failed) AS before FROM chunks WHERE run_id = $1 AND failed > 0),
    page AS (SELECT id, before FROM counted WHERE before + failed > $2::bigint AND before < $2 + $3::bigint),
    failures AS (
      SELECT c.id, p.position, c.platform, c.user_ids[p.position + 1] AS "userId",
        CASE WHEN p.code >= 2 THEN c.reason_names[p.code - 1] ELSE c.close_reason END AS reason
      FROM page JOIN chunks c ON c.id = page.id, LATERAL (
        SELECT n AS position, coalesce(get_byte(c.outcomes, n), 0) AS code FROM generate_series(0, c.total - 1) AS n) AS p
      WHERE p.code >= 2 OR (p.code = 0 AND c.close_reason IS NOT NULL))
    SELECT "userId", platform, reason FROM failures ORDER BY id, position
    OFFSET $2 - coalesce((SELECT min(before) FROM page), 0) LIMIT $3`,
  notNull: { userId: 'each position has a user', reason: 'each outcome has a reason' },
}).narrow<{ platform: Platform }>()

export const openRunResults = (database: Database) => ({
  /** How many failed with each reason. */
  async reasons(runId: number): Promise<Record<string, number>> {
    const rows = await database.query(REASONS, [runId])
    return Object.fromEntries(rows.map(({ reason, count }) => [reason, count]))
  },

  failures: (runId: number, offset: number, limit: number): Promise<Failure[]> =>
    database.query(FAILURES, [runId, offset, limit]),
})
