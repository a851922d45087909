// An import of devices: lines are staged in a table that only this connection sees, and touch the devices once all are read.
// Then they are applied in batches that lock for a moment only; the whole may be repeated.
import { ACTIVATION_APPLICATION } from './activations.ts'
import { bucketOf } from './devices.ts'
import { EVENT_SOURCE, LOG_IMPORTED } from './events.ts'
import type { Registration } from './registration.ts'
import { NORMAL_TOKEN } from './token-spelling.ts'
import {
  applyBatches,
  openStaging,
  type ApplyOptions,
  type DroppedLines,
  type ImportCounts,
  type StagingOptions,
} from '../connection/staging.ts'
import { statement } from '../connection/statement.ts'

export interface ImportedRow extends Registration {
  line: number
  /** Null: now. */
  registeredAt: Date | null
}

export interface DeviceImport {
  stage(rows: readonly ImportedRow[]): Promise<void>
  /** Lines about activations of other applications. They are left out from then on. */
  dropForeign(most: number): Promise<DroppedLines>
  /** Of the lines about one activation the last counts. With `keep` the registry of activations learns them as well. */
  apply(options: ApplyOptions & { keep: boolean }): Promise<ImportCounts>
  /** Forgets what was staged. */
  close(): Promise<void>
}

/** Devices of one transaction: a registration waits for it in the worst case. */
const BATCH = 5_000

const STAGING = `CREATE TEMPORARY TABLE staged (
    line integer NOT NULL, application_id integer NOT NULL, activation_id text COLLATE "C" NOT NULL, user_id text NOT NULL, platform text NOT NULL,
    environment text, token text NOT NULL, active boolean NOT NULL, bucket integer NOT NULL, registered_at timestamptz,
    token_kind text)`

const STAGE = statement({
  name: 'import-stage',
  tables: STAGING,
  text: `INSERT INTO staged SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
      $8::boolean[], $9::int[], $10::timestamptz[], $11::text[])`,
  nullableElements: [6, 10, 11],
})

const ARRANGE = 'CREATE INDEX ON staged (activation_id, line DESC); ANALYZE staged'

/** The collation is named because the staging table sorts by another. */
const DROP_FOREIGN = statement({
  name: 'import-drop-foreign',
  tables: STAGING,
  text: `WITH theirs AS (
      SELECT s.line FROM devices d JOIN staged s ON d.activation_id = s.activation_id COLLATE "default"
      WHERE d.application_id <> s.application_id
      UNION
      SELECT s.line FROM staged s JOIN activations v ON v.activation_id = s.activation_id COLLATE "default"
      ${ACTIVATION_APPLICATION}
      WHERE v.application_id IS NOT NULL AND coalesce(r.app_id, n.app_id) IS NOT NULL AND coalesce(r.id, n.id) <> s.application_id),
    gone AS (
      DELETE FROM staged s USING theirs WHERE theirs.line = s.line RETURNING s.line)
    SELECT count(*)::int AS count, coalesce((array_agg(line ORDER BY line))[:$1], '{}') AS lines FROM gone`,
  notNull: { count: 'count is never null', lines: 'coalesced with a constant' },
}).narrow<{ lines: number[] }>()

/** What was dropped stays so under another spelling of its token, and not as another kind: it may have been dropped for that. */
const SAME_TOKEN = `(${NORMAL_TOKEN('d.platform', 'd.token')} = EXCLUDED.token
          AND d.token_kind IS NOT DISTINCT FROM EXCLUDED.token_kind)`

/** The next activations in their order, which is also the order of the locks; `last` is where to go on. */
const APPLY = statement({
  name: 'import-apply',
  tables: STAGING,
  text: `WITH batch AS MATERIALIZED (
      SELECT DISTINCT ON (activation_id) * FROM staged WHERE activation_id > $1
      ORDER BY activation_id, line DESC LIMIT $2),
    applied AS (
      INSERT INTO devices AS d (application_id, activation_id, user_id, platform, environment, token, active, bucket,
        registered_at, token_kind)
      SELECT application_id, activation_id, user_id, platform, environment, token, active, bucket,
        least(coalesce(registered_at, now()), now()), token_kind
      FROM batch ORDER BY activation_id
      ON CONFLICT (activation_id) DO UPDATE SET application_id = EXCLUDED.application_id, user_id = EXCLUDED.user_id,
        platform = EXCLUDED.platform, environment = EXCLUDED.environment, token = EXCLUDED.token,
        active = EXCLUDED.active, bucket = EXCLUDED.bucket, registered_at = EXCLUDED.registered_at,
        token_kind = EXCLUDED.token_kind,
        dropped_at = CASE WHEN ${SAME_TOKEN} THEN d.dropped_at END,
        drop_reason = CASE WHEN ${SAME_TOKEN} THEN d.drop_reason END
      WHERE d.registered_at <= EXCLUDED.registered_at
        AND (d.application_id, d.user_id, d.platform, d.environment, d.token, d.active, d.token_kind) IS DISTINCT FROM
          (EXCLUDED.application_id, EXCLUDED.user_id, EXCLUDED.platform, EXCLUDED.environment, EXCLUDED.token,
           EXCLUDED.active, EXCLUDED.token_kind)
      RETURNING ${EVENT_SOURCE('d')}, xmax = 0 AS is_new),
    logged AS (
      ${LOG_IMPORTED('applied')}),
    known AS (
      INSERT INTO activations (activation_id, user_id, status, application_id, application_row)
      SELECT d.activation_id, d.user_id, CASE WHEN d.active THEN 'ACTIVE' ELSE 'BLOCKED' END, a.app_id, a.id
      FROM applied d JOIN applications a ON a.id = d.application_id AND a.app_id IS NOT NULL WHERE $3
      ORDER BY d.activation_id
      ON CONFLICT (activation_id) DO UPDATE SET user_id = EXCLUDED.user_id, status = EXCLUDED.status, updated_at = now(),
        application_row = CASE WHEN activations.application_id IS NOT NULL THEN EXCLUDED.application_row END,
        application_id = CASE WHEN activations.application_id IS NOT NULL THEN EXCLUDED.application_id END
      WHERE activations.status <> 'REMOVED')
    SELECT (SELECT max(activation_id) FROM batch) AS last,
      (SELECT count(*)::int FROM batch) AS total,
      (SELECT count(*)::int FROM applied WHERE is_new) AS imported,
      (SELECT count(*)::int FROM applied WHERE NOT is_new) AS updated`,
  notNull: { total: 'count is never null', imported: 'count is never null', updated: 'count is never null' },
})

export function openDeviceImport(options: StagingOptions): DeviceImport {
  const connection = openStaging(options, STAGING)
  return {
    async stage(rows) {
      await connection.query(STAGE, [
        rows.map((row) => row.line),
        rows.map((row) => row.applicationId),
        rows.map((row) => row.activationId),
        rows.map((row) => row.userId),
        rows.map((row) => row.platform),
        rows.map((row) => row.environment),
        rows.map((row) => row.token),
        rows.map((row) => row.active),
        rows.map((row) => bucketOf(row.token)),
        rows.map((row) => row.registeredAt),
        rows.map((row) => row.tokenKind ?? null),
      ])
    },
    async dropForeign(most) {
      await connection.run(ARRANGE)
      const [gone] = await connection.query(DROP_FOREIGN, [most])
      return gone ?? { count: 0, lines: [] }
    },
    async apply({ keep, ...options }) {
      const counts = await applyBatches(connection, { ...options, first: '' }, async (one, after) => {
        const [applied] = await one.query(APPLY, [after, BATCH, keep])
        if (!applied) throw new Error('an import was applied without counts')
        return applied
      })
      // Left to itself the planner learns of so many new rows a minute later.
      if (counts.imported >= BATCH && !options.dryRun) await connection.run('ANALYZE devices')
      return counts
    },
    close: () => connection.close(),
  }
}
