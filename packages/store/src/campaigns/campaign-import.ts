// An import of campaigns under the ids that they have had: staged in a table that only this connection sees, added once all lines
// are read. The whole may be repeated.
import type { MessageBody } from '@push-server/contract'
import {
  applyBatches,
  openStaging,
  type ApplyOptions,
  type DroppedLines,
  type ImportCounts,
  type StagingOptions,
} from '../connection/staging.ts'
import { statement } from '../connection/statement.ts'

export interface ImportedCampaignRow {
  line: number
  id: number
  applicationId: number
  message: MessageBody
  validUntil: Date | null
  createdAt: Date
}

export interface CampaignImport {
  stage(rows: readonly ImportedCampaignRow[]): Promise<void>
  /** Lines whose id is that of another campaign here. They are left out from then on. */
  dropTaken(most: number): Promise<DroppedLines>
  /** Of the lines about one id the last counts. New campaigns get ids beyond these. */
  apply(options: ApplyOptions): Promise<ImportCounts>
  /** Forgets what was staged. */
  close(): Promise<void>
}

const BATCH = 1_000

const STAGING = `CREATE TEMPORARY TABLE staged (
    line integer NOT NULL, id bigint NOT NULL, application_id integer NOT NULL, message jsonb NOT NULL,
    valid_until timestamptz(3), created_at timestamptz(3) NOT NULL)`
const STAGE = statement({
  name: 'campaign-import-stage',
  tables: STAGING,
  text: `INSERT INTO staged
    SELECT * FROM unnest($1::int[], $2::bigint[], $3::int[], $4::jsonb[], $5::timestamptz[], $6::timestamptz[])`,
  nullableElements: [5],
})
const ARRANGE = 'CREATE INDEX ON staged (id, line DESC); ANALYZE staged'

const DROP_TAKEN = statement({
  name: 'campaign-import-drop-taken',
  tables: STAGING,
  text: `WITH gone AS (
      DELETE FROM staged s USING campaigns c
      WHERE c.id = s.id AND (c.application_id, c.created_at) IS DISTINCT FROM (s.application_id, s.created_at)
      RETURNING s.line)
    SELECT count(*)::int AS count, coalesce((array_agg(line ORDER BY line))[:$1], '{}') AS lines FROM gone`,
  notNull: { count: 'count is never null', lines: 'coalesced with a constant' },
}).narrow<{ lines: number[] }>()

const IS_BEHIND = statement({
  name: 'campaign-import-is-behind',
  tables: STAGING,
  text: `SELECT coalesce((SELECT max(id) FROM staged) > (SELECT last_value FROM campaigns_id_seq), false) AS behind`,
  notNull: { behind: 'coalesced with a constant' },
})

/** Nobody may take an id between the reading and the writing of the sequence: it would be given twice. */
const MOVE_SEQUENCE = `BEGIN; LOCK TABLE campaigns IN SHARE ROW EXCLUSIVE MODE;
  SELECT setval('campaigns_id_seq', greatest((SELECT max(id) FROM staged), (SELECT last_value FROM campaigns_id_seq)));
  COMMIT`

const APPLY = statement({
  name: 'campaign-import-apply',
  tables: STAGING,
  text: `WITH batch AS MATERIALIZED (
      SELECT DISTINCT ON (id) * FROM staged WHERE id > $1 ORDER BY id, line DESC LIMIT $2),
    added AS (
      INSERT INTO campaigns (id, application_id, message, valid_until, created_at, imported)
      SELECT id, application_id, message, valid_until, created_at, true FROM batch ORDER BY id
      ON CONFLICT (id) DO NOTHING RETURNING 1)
    SELECT (SELECT max(id) FROM batch) AS last, (SELECT count(*)::int FROM batch) AS total,
      (SELECT count(*)::int FROM added) AS imported`,
  notNull: { total: 'count is never null', imported: 'count is never null' },
})

export function openCampaignImport(options: StagingOptions): CampaignImport {
  const connection = openStaging(options, STAGING)
  return {
    async stage(rows) {
      await connection.query(STAGE, [
        rows.map((row) => row.line),
        rows.map((row) => row.id),
        rows.map((row) => row.applicationId),
        rows.map((row) => JSON.stringify(row.message)),
        rows.map((row) => row.validUntil),
        rows.map((row) => row.createdAt),
      ])
    },
    async dropTaken(most) {
      await connection.run(ARRANGE)
      const [gone] = await connection.query(DROP_TAKEN, [most])
      return gone ?? { count: 0, lines: [] }
    },
    async apply(options) {
      const [sequence] = await connection.query(IS_BEHIND)
      if (sequence?.behind && !options.dryRun) await connection.run(MOVE_SEQUENCE)
      return applyBatches(connection, { ...options, first: 0 }, async (one, after) => {
        const [applied] = await one.query(APPLY, [after, BATCH])
        if (!applied) throw new Error('an import was applied without counts')
        return { ...applied, updated: 0 }
      })
    },
    close: () => connection.close(),
  }
}
