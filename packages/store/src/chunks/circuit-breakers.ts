// The circuit breakers of the device table. One opens when too many tokens are refused for reasons that our own configuration
// can cause as well: then no more of them are dropped, what was dropped of late is taken back, and campaigns wait.
import type { Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { EVENT_SOURCE, LOG_EVENTS } from '../devices/events.ts'
import { statement } from '../connection/statement.ts'

/** When the circuit breaker opens. */
export interface BreakerLimits {
  /** Doubtful responses among a minute's pushes, percent, once there are `pushes` of them. */
  percent: number
  pushes: number
  /** Doubtful responses among the last 50 pushes. */
  recent: number
}

/** Pushes of one application since they were last counted. */
export interface BreakerCount {
  applicationId: number
  pushes: number
  doubtful: number
  /** The last of them, oldest first: 1 = doubtful. */
  recent: string
}

export interface BreakerState {
  applicationId: number
  opened: boolean
  /** By this very count. */
  justOpened: boolean
}

export const BREAKER_REASON = 'TooManyDoubtfulTokens'
export const BREAKER_RECENT = 50

/** In one order of applications, so that two workers do not wait for each other for ever. */
const COUNT = statement({
  name: 'breaker-count',
  text: `INSERT INTO token_guards AS g (application_id, platform, minute_from, pushes, doubtful, recent)
    SELECT application_id, $1, now(), pushes, doubtful, right(recent, ${BREAKER_RECENT})
    FROM unnest($2::int[], $3::int[], $4::int[], $5::text[]) AS t(application_id, pushes, doubtful, recent) ORDER BY 1
    ON CONFLICT (application_id, platform) DO UPDATE SET
      minute_from = CASE WHEN g.minute_from < now() - interval '1 min' THEN now() ELSE g.minute_from END,
      pushes = excluded.pushes + CASE WHEN g.minute_from < now() - interval '1 min' THEN 0 ELSE g.pushes END,
      doubtful = excluded.doubtful + CASE WHEN g.minute_from < now() - interval '1 min' THEN 0 ELSE g.doubtful END,
      recent = right(g.recent || excluded.recent, ${BREAKER_RECENT})
    RETURNING application_id`,
})

/** Sees what was just counted: a statement of its own. */
const OPEN = statement({
  name: 'breaker-open',
  text: `WITH opened AS (
      UPDATE token_guards SET tripped_at = now()
      WHERE application_id = ANY($2::int[]) AND platform = $1 AND tripped_at IS NULL
        AND ((pushes >= $4 AND doubtful * 100 > pushes * $3) OR length(replace(recent, '0', '')) >= $5)
      RETURNING application_id),
    paused AS (
      INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
      SELECT application_id, $1, 'campaign', '${BREAKER_REASON}', 'infinity' FROM opened ON CONFLICT DO NOTHING)
    SELECT g.application_id AS "applicationId", true AS opened, t.application_id IS NOT NULL AS "justOpened"
    FROM token_guards g LEFT JOIN opened t USING (application_id)
    WHERE g.application_id = ANY($2::int[]) AND g.platform = $1 AND (g.tripped_at IS NOT NULL OR t.application_id IS NOT NULL)`,
  notNull: {
    applicationId: 'token_guards is on the side of the join that is always there',
    opened: 'a constant',
    justOpened: 'IS NULL is never null',
  },
})

/**
 * Also for some time after the circuit breaker has opened: a drop that was under way then could not be seen. What was registered again
 * is no longer dropped.
 */
const TAKE_BACK = statement({
  name: 'breaker-take-back',
  text: `WITH restored AS (
      UPDATE devices d SET dropped_at = NULL, drop_reason = NULL, drop_doubtful = false
      FROM token_guards g
      WHERE g.tripped_at > now() - interval '1 min' AND d.application_id = g.application_id AND d.platform = g.platform
        AND d.drop_doubtful AND d.dropped_at > g.tripped_at - interval '1 hour'
      RETURNING ${EVENT_SOURCE('d')}),
    logged AS (${LOG_EVENTS('restored', 'restored', "'CircuitBreaker'")})
    SELECT id FROM restored`,
})

export const openCircuitBreakers = (database: Database) => ({
  /** Counts pushes of the platform's applications; resolves with those whose circuit breaker is open. */
  count: (platform: Platform, counts: readonly BreakerCount[], limits: BreakerLimits): Promise<BreakerState[]> =>
    database.transaction(async (connection) => {
      const applications = counts.map(({ applicationId }) => applicationId)
      await connection.query(COUNT, [
        platform,
        applications,
        counts.map(({ pushes }) => pushes),
        counts.map(({ doubtful }) => doubtful),
        counts.map(({ recent }) => recent),
      ])
      const { percent, pushes, recent } = limits
      return connection.query(OPEN, [platform, applications, percent, pushes, recent])
    }),

  /** Undoes the doubtful drops of the hour before a circuit breaker opened, for a minute after it did; resolves with how many. */
  async takeBack(): Promise<number> {
    return (await database.query(TAKE_BACK)).length
  },
})
