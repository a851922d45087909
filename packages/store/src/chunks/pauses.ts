// Pauses: nothing is pushed to a platform of an application while the provider rejects its credentials.
import type { Lane, Platform } from '@push-server/contract'
import type { DueChunk } from './claims.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface PauseKey {
  applicationId: number
  platform: Platform
}

export interface PauseRow {
  platform: Platform
  lanes: 'all' | 'campaign'
  reason: string
  pausedAt: Date
}

/**
 * Beside the pause itself: gateways that wait for a chunk that is now parked are notified at once. Nothing happens when the
 * credentials were changed since the push that failed; if that is just happening, the lock waits for its end.
 */
const PAUSE = statement({
  name: 'pause-put',
  text: `WITH paused AS (
      INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
      SELECT application_id, platform, 'all', $4, now() + interval '1 minute' FROM credentials
      WHERE application_id = $1 AND platform = $2 AND version = $3 FOR SHARE
      ON CONFLICT DO NOTHING RETURNING application_id),
    parked AS (
      SELECT c.id, c.waiter FROM chunks c, paused
      WHERE c.application_id = $1 AND c.platform = $2 AND c.settled_at IS NULL AND c.waiter IS NOT NULL)
    SELECT count(pg_notify(waiter, id::text)) AS notified, (SELECT count(*) FROM paused) AS paused,
      (SELECT app_id FROM applications WHERE id = $1) AS "appId" FROM parked`,
  notNull: { paused: 'count is never null' },
})

/**
 * What waited is due, and overdue for the next sweep; not what is to be sent later, and so was never claimed. A circuit breaker that is
 * open starts anew.
 */
const RESUME = statement({
  name: 'pause-resume',
  text: `WITH resumed AS (
      DELETE FROM provider_pauses WHERE application_id = $1 AND platform = $2 AND ($3 OR lanes = 'all') RETURNING lanes),
    forgotten AS (
      DELETE FROM token_guards WHERE application_id = $1 AND platform = $2 AND EXISTS (
        SELECT FROM resumed WHERE lanes = 'campaign')),
    open AS MATERIALIZED (
      SELECT id FROM chunks WHERE application_id = $1 AND platform = $2 AND settled_at IS NULL AND EXISTS (SELECT FROM resumed)
        AND (try > 0 OR due_at <= now() + interval '1 s') ORDER BY id FOR UPDATE),
    due AS (
      UPDATE chunks c SET due_at = now() - interval '1 min', swept_at = NULL FROM open WHERE c.id = open.id)
    SELECT count(*)::int AS resumed FROM resumed`,
  notNull: { resumed: 'count is never null' },
})

/** Ends every pause of the platform; false when there was none. */
export async function resume(
  connection: Queryable,
  { applicationId, platform }: PauseKey,
  all = true,
): Promise<boolean> {
  const [row] = await connection.query(RESUME, [applicationId, platform, all])
  return (row?.resumed ?? 0) > 0
}

/** Minutes until the next probe, by how many there were. */
const NEXT_PROBE = 'CASE p.probes WHEN 0 THEN 2 WHEN 1 THEN 5 ELSE 10 END'

/** The chunk that is due longest, direct ones first; it is due now, whatever its own time, unless it is to be sent later. */
const PROBE = statement({
  name: 'pause-probe',
  text: `WITH due AS (
      SELECT * FROM provider_pauses WHERE lanes = 'all' AND next_probe_at <= now() FOR UPDATE SKIP LOCKED),
    picked AS (
      SELECT due.application_id, due.platform, c.id FROM due, LATERAL (
        SELECT id FROM chunks c WHERE c.application_id = due.application_id AND c.platform = due.platform AND c.settled_at IS NULL
          AND (c.try > 0 OR c.due_at <= now() + interval '1 s') AND (c.lease_until IS NULL OR c.lease_until < now()) AND (c.run_id IS NULL OR EXISTS (
            SELECT FROM runs r WHERE r.id = c.run_id AND r.paused_at IS NULL AND r.cancelled_at IS NULL))
        ORDER BY c.lane DESC, c.due_at LIMIT 1) AS c),
    probing AS (
      UPDATE provider_pauses p SET probe_chunk_id = picked.id, probes = p.probes + 1,
        next_probe_at = now() + ${NEXT_PROBE} * interval '1 min'
      FROM picked WHERE p.application_id = picked.application_id AND p.platform = picked.platform AND p.lanes = 'all')
    UPDATE chunks c SET due_at = now(), try = least(c.try, 32766) + 1 FROM picked WHERE c.id = picked.id
    RETURNING c.id, c.application_id AS "applicationId", c.platform, c.lane, c.try, c.total - c.sent - c.failed AS size`,
  notNull: { size: 'computed from columns that are not null' },
}).narrow<{ platform: Platform; lane: Lane }>()

const PROBED = statement({
  name: 'pause-probed',
  text: `UPDATE provider_pauses SET probe_chunk_id = NULL
    WHERE application_id = $1 AND platform = $2 AND probe_chunk_id = $3`,
})

export const openPauses = (database: Database) => ({
  /** Chunks that may be claimed in spite of a pause, to attempt one delivery of each; each pause at its times. */
  probe: (): Promise<DueChunk[]> => database.query(PROBE),

  /** The probe shows that the error is still there, or shows nothing. */
  async probed({ applicationId, platform }: PauseKey, chunkId: number): Promise<void> {
    await database.query(PROBED, [applicationId, platform, chunkId])
  },

  /** Ends the pauses for errors of credentials, and with `all` those of campaigns too; false when there was none. */
  resume: (key: PauseKey, { all }: { all: boolean }): Promise<boolean> => resume(database, key, all),

  /** Pauses a platform of an application; resolves with its name, or undefined when it was paused already or its credentials have changed. */
  async pause(target: {
    applicationId: number
    platform: Platform
    version: number
    reason: string
  }): Promise<{ appId: string | null } | undefined> {
    const [row] = await database.query(PAUSE, [target.applicationId, target.platform, target.version, target.reason])
    return row?.paused === 1 ? { appId: row.appId } : undefined
  },
})
export type Pauses = ReturnType<typeof openPauses>
