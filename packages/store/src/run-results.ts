// What became of a run so far: sums over its chunks, and who was not reached.
import type { Platform } from '@push-server/contract'
import type { Database, Statement } from './database.ts'

export interface RunTally {
  platform: Platform
  total: number
  sent: number
  failed: number
  /** Settled within the last ten seconds. */
  recent: number
}

export interface Failure {
  userId: string
  platform: Platform
  reason: string
}

const TALLY: Statement = {
  name: 'run-tally',
  text: `SELECT platform, sum(total)::int AS total, sum(sent)::int AS sent, sum(failed)::int AS failed,
      coalesce(sum(sent + failed) FILTER (WHERE settled_at > now() - interval '10 s'), 0)::int AS recent
    FROM chunks WHERE run_id = $1 GROUP BY platform`,
}

const REASONS: Statement = {
  name: 'run-reasons',
  text: `SELECT key AS reason, sum(value::int)::int AS count FROM chunks c, jsonb_each_text(c.reasons)
    WHERE c.run_id = $1 AND c.failed > 0 GROUP BY key ORDER BY key`,
}

/** Only chunks that the page touches are taken apart. What was pending when its chunk was closed has the chunk's reason. */
const FAILURES: Statement = {
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
}

const STARTED: Statement = {
  name: 'run-started',
  text: `SELECT extract(epoch FROM now() - started_at)::float8 AS "seconds" FROM runs WHERE id = $1`,
}

export const openRunResults = (database: Database) => ({
  /** Of each platform that the run goes to, as far as it is cut. */
  tally: (runId: number): Promise<RunTally[]> => database.query(TALLY, [runId]),

  /** How many failed with each reason. */
  async reasons(runId: number): Promise<Record<string, number>> {
    const rows = await database.query<{ reason: string; count: number }>(REASONS, [runId])
    return Object.fromEntries(rows.map(({ reason, count }) => [reason, count]))
  },

  /** Seconds since its start. */
  async age(runId: number): Promise<number> {
    const [row] = await database.query<{ seconds: number | null }>(STARTED, [runId])
    return row?.seconds ?? 0
  },

  failures: (runId: number, offset: number, limit: number): Promise<Failure[]> =>
    database.query(FAILURES, [runId, offset, limit]),
})
