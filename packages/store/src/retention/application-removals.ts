// Removes an application: first its name goes, so that no request finds it any more; then, in bounded steps, all that it had.
import type { Database, Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { hideSomeMessages } from '../inbox/hiding.ts'

export interface Removal {
  id: number
  /** Deliveries that were still to be pushed, and will not be. */
  pending: number
  /** Ids of the API keys that were for this application alone. */
  revokedKeys: string[]
}

const LOCK = statement({
  name: 'removal-lock',
  text: 'SELECT id FROM applications WHERE app_id = $1 FOR UPDATE',
})

/** A run that is just being made waits for this lock at its foreign key. */
const LOCK_CAMPAIGNS = statement({
  name: 'removal-lock-campaigns',
  text: 'SELECT id FROM campaigns WHERE application_id = $1 ORDER BY id FOR UPDATE',
})

const ACTIVE = statement({
  name: 'removal-active',
  text: `SELECT r.campaign_id AS "campaignId" FROM runs r JOIN campaigns c ON c.id = r.campaign_id
    WHERE c.application_id = $1 AND r.state IN ('scheduled', 'fanning-out', 'sending') ORDER BY r.id LIMIT 1`,
})

/** Gateways that wait for one of its chunks are notified at once. */
const BEGIN = statement({
  name: 'removal-begin',
  text: `WITH application AS (UPDATE applications SET app_id = NULL, updated_at = now() WHERE id = $1),
    credential AS (DELETE FROM credentials WHERE application_id = $1),
    pause AS (DELETE FROM provider_pauses WHERE application_id = $1),
    proof AS (DELETE FROM proven_credentials WHERE application_id = $1),
    doubt AS (DELETE FROM doubtful_tokens WHERE application_id = $1)
    SELECT coalesce(sum(total - sent - failed), 0)::int AS pending,
      count(CASE WHEN waiter IS NOT NULL THEN pg_notify(waiter, id::text) END) AS notified
    FROM chunks WHERE application_id = $1 AND settled_at IS NULL`,
  notNull: { pending: 'coalesced with a constant' },
})

/**
 * Keys that are bound to application $1, called $2, lose it; those of processes of earlier versions know it by its name alone.
 * A key that is left without a living application is revoked and keeps its list: an empty one would mean all applications.
 */
const LEAVE_KEYS = statement({
  name: 'removal-leave-keys',
  text: `WITH bound AS (
      SELECT k.id, array_remove(k.app_ids, $2) AS app_ids,
        EXISTS (SELECT FROM api_key_applications b WHERE b.key_id = k.id) AS has_rows
      FROM api_keys k
      WHERE k.revoked_at IS NULL AND $2 = ANY(k.app_ids)
      ORDER BY k.id FOR UPDATE OF k),
    judged AS (
      SELECT id, app_ids, cardinality(app_ids) = 0 OR (has_rows AND NOT EXISTS (
        SELECT FROM api_key_applications b JOIN applications a ON a.id = b.application_id
        WHERE b.key_id = bound.id AND a.id <> $1 AND a.app_id IS NOT NULL)) AS ends
      FROM bound),
    unbound AS (DELETE FROM api_key_applications b USING judged WHERE b.key_id = judged.id AND b.application_id = $1)
    UPDATE api_keys k SET revoked_at = CASE WHEN judged.ends THEN now() END,
      app_ids = CASE WHEN judged.ends THEN k.app_ids ELSE judged.app_ids END
    FROM judged WHERE k.id = judged.id RETURNING k.id, judged.ends AS revoked`,
  notNull: { revoked: 'app_ids is never null, EXISTS neither' },
})

/** An application that no other process is clearing. */
const NEXT = statement({
  name: 'removal-next',
  text: `SELECT id FROM applications WHERE app_id IS NULL AND cleared_at IS NULL
    ORDER BY id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED`,
})

const counting = (text: string) => `WITH gone AS (${text}) SELECT count(*)::int AS count FROM gone`
const notNull = { count: 'count is never null' }

/**
 * What belongs to application $1, at most $2 rows of each. Open chunks come first: a worker that has one loses its
 * claim. Settled chunks hold no data of users and stay until their time. Deliveries, runs and partitions go by cascade.
 */
const CLEAR = [
  statement({
    name: 'removal-clear-chunks',
    text: counting(`DELETE FROM chunks WHERE id IN (
      SELECT id FROM chunks WHERE application_id = $1 AND settled_at IS NULL ORDER BY id LIMIT $2 FOR UPDATE) RETURNING 1`),
    notNull,
  }),
  statement({
    name: 'removal-clear-run-chunks',
    text: counting(`DELETE FROM chunks WHERE id IN (
      SELECT k.id FROM campaigns c JOIN runs r ON r.campaign_id = c.id JOIN chunks k ON k.run_id = r.id
      WHERE c.application_id = $1 LIMIT $2) RETURNING 1`),
    notNull,
  }),
  statement({
    name: 'removal-clear-messages',
    text: counting(
      `DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE application_id = $1 LIMIT $2) RETURNING 1`,
    ),
    notNull,
  }),
  statement({
    name: 'removal-clear-devices',
    text: counting(
      `DELETE FROM devices WHERE id IN (SELECT id FROM devices WHERE application_id = $1 LIMIT $2) RETURNING 1`,
    ),
    notNull,
  }),
  statement({
    name: 'removal-clear-device-events',
    text: counting(
      `DELETE FROM device_events WHERE id IN (SELECT id FROM device_events WHERE application_id = $1 LIMIT $2) RETURNING 1`,
    ),
    notNull,
  }),
  statement({
    name: 'removal-clear-campaign-users',
    text: counting(`DELETE FROM campaign_users WHERE (campaign_id, user_id) IN (
      SELECT u.campaign_id, u.user_id FROM campaigns c JOIN campaign_users u ON u.campaign_id = c.id
      WHERE c.application_id = $1 LIMIT $2) RETURNING 1`),
    notNull,
  }),
]

/** Once its users and chunks are gone a campaign is a few rows. */
const CLEAR_CAMPAIGNS = statement({
  name: 'removal-clear-campaigns',
  text: 'DELETE FROM campaigns WHERE application_id = $1',
})

const CLEARED = statement({
  name: 'removal-cleared',
  text: 'UPDATE applications SET cleared_at = now() WHERE id = $1',
})

export const openApplicationRemovals = (database: Database) => ({
  /** Changes nothing while a run is active, and resolves with its campaign; undefined when there is no such application. */
  begin: (appId: string): Promise<Removal | { campaignId: number } | undefined> =>
    database.transaction(async (connection) => {
      const [application] = await connection.query(LOCK, [appId])
      if (!application) return undefined
      await connection.query(LOCK_CAMPAIGNS, [application.id])
      const [active] = await connection.query(ACTIVE, [application.id])
      if (active) return active
      const keys = await connection.query(LEAVE_KEYS, [application.id, appId])
      const [begun] = await connection.query(BEGIN, [application.id])
      const revokedKeys = keys.flatMap(({ id, revoked }) => (revoked ? id : []))
      return { id: application.id, pending: begun?.pending ?? 0, revokedKeys }
    }),

  /** One step of clearing what is left of a removed application; undefined when there is none to clear. */
  clear: (rows: number): Promise<{ id: number; isCleared: boolean } | undefined> =>
    database.transaction(async (connection) => {
      const [application] = await connection.query(NEXT)
      if (!application) return undefined
      const isCleared = await clear(connection, application.id, rows)
      return { id: application.id, isCleared }
    }),
})
export type ApplicationRemovals = ReturnType<typeof openApplicationRemovals>

async function clear(connection: Queryable, id: number, rows: number): Promise<boolean> {
  let isCleared = true
  for (const statement of CLEAR) {
    const [gone] = await connection.query(statement, [id, rows])
    if (gone?.count === rows) isCleared = false
  }
  if ((await hideSomeMessages(connection, id, rows)) === rows) isCleared = false
  if (!isCleared) return false
  await connection.query(CLEAR_CAMPAIGNS, [id])
  await connection.query(CLEARED, [id])
  return true
}
