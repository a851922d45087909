// An import of inbox messages under the ids that they have had: staged in a table that only this connection sees, stored once all
// lines are read. The whole may be repeated: what a caller has deleted meanwhile, or what has ended, does not come back.
import type { InboxMessageType } from '@push-server/contract'
import {
  applyBatches,
  openStaging,
  type ApplyOptions,
  type DroppedLines,
  type ImportCounts,
  type StagingOptions,
} from '../connection/staging.ts'
import { statement } from '../connection/statement.ts'
import { LIVING, type MaxAge } from './row.ts'

export interface ImportedInboxRow {
  line: number
  id: string
  userId: string
  type: InboxMessageType
  subject: string
  summary: string
  body: string
  createdAt: Date
  /** Null = unread. */
  readAt: Date | null
  /** Null = without end. */
  validUntil: Date | null
  applicationIds: readonly number[]
}

export interface InboxImport {
  stage(rows: readonly ImportedInboxRow[]): Promise<void>
  /** Lines whose id is that of another user's message here. They are left out from then on. */
  dropForeign(most: number): Promise<DroppedLines>
  /**
   * Of the lines about one id the last counts. A known message changes only when the line has read it earlier. One that was deleted
   * here, or that would not be shown any more, counts as kept.
   */
  apply(options: ApplyOptions & { maxAge: MaxAge }): Promise<ImportCounts>
  /** Forgets what was staged. */
  close(): Promise<void>
}

const BATCH = 2_000

const STAGING = `CREATE TEMPORARY TABLE staged (
    line integer NOT NULL, id uuid NOT NULL, user_id text NOT NULL, type text NOT NULL, subject text NOT NULL,
    summary text NOT NULL, body text NOT NULL, created_at timestamptz(3) NOT NULL, read_at timestamptz(3),
    valid_until timestamptz(3), application_ids json NOT NULL)`
const STAGE = statement({
  name: 'inbox-import-stage',
  tables: STAGING,
  text: `INSERT INTO staged SELECT * FROM unnest($1::int[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[],
      $7::text[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::json[])`,
  nullableElements: [9, 10],
})
/** In the order of lines: messages of one time stay in the order that they have had. */
const ARRANGE = `CREATE INDEX ON staged (id); CREATE INDEX ON staged (line); ANALYZE staged;
  DELETE FROM staged s WHERE EXISTS (SELECT FROM staged later WHERE later.id = s.id AND later.line > s.line)`

const DROP_FOREIGN = statement({
  name: 'inbox-import-drop-foreign',
  tables: STAGING,
  text: `WITH gone AS (
      DELETE FROM staged s USING inbox_messages m WHERE m.public_id = s.id AND m.user_id <> s.user_id RETURNING s.line)
    SELECT count(*)::int AS count, coalesce((array_agg(line ORDER BY line))[:$1], '{}') AS lines FROM gone`,
  notNull: { count: 'count is never null', lines: 'coalesced with a constant' },
}).narrow<{ lines: number[] }>()

const APPLY = statement({
  name: 'inbox-import-apply',
  tables: STAGING,
  text: `WITH batch AS MATERIALIZED (SELECT * FROM staged WHERE line > $1 ORDER BY line LIMIT $2),
    applied AS (
      INSERT INTO inbox_messages AS m (public_id, user_id, type, subject, summary, body, created_at, read_at, valid_until, imported)
      SELECT id, user_id, type, subject, summary, body, created_at, read_at, valid_until, true FROM batch m
      WHERE ${LIVING('$3')} AND NOT EXISTS (SELECT FROM deleted_inbox_messages d WHERE d.public_id = m.id)
      ORDER BY line
      ON CONFLICT (public_id) DO UPDATE SET read_at = EXCLUDED.read_at
      WHERE m.user_id = EXCLUDED.user_id AND EXCLUDED.read_at < coalesce(m.read_at, 'infinity')
      RETURNING id, public_id, xmax = 0 AS is_new),
    shown AS (
      INSERT INTO inbox_message_applications (message_id, application_id)
      SELECT applied.id, a.id FROM applied JOIN batch ON batch.id = applied.public_id,
        json_array_elements_text(batch.application_ids) AS named JOIN applications a ON a.id = named::int
      WHERE applied.is_new AND a.app_id IS NOT NULL)
    SELECT (SELECT max(line) FROM batch) AS last, (SELECT count(*)::int FROM batch) AS total,
      (SELECT count(*)::int FROM applied WHERE is_new) AS imported,
      (SELECT count(*)::int FROM applied WHERE NOT is_new) AS updated`,
  notNull: { total: 'count is never null', imported: 'count is never null', updated: 'count is never null' },
  nullable: [3],
})

/** What was being deleted when its line was applied: the insertion waited for the deletion, and did not see that it is one. */
const DELETE_RETURNED = statement({
  name: 'inbox-import-delete-returned',
  tables: STAGING,
  text: `DELETE FROM inbox_messages m USING staged s, deleted_inbox_messages d
    WHERE s.line > $1 AND s.line <= $2 AND m.public_id = s.id AND d.public_id = m.public_id RETURNING m.id`,
})

export function openInboxImport(options: StagingOptions): InboxImport {
  const connection = openStaging(options, STAGING)
  return {
    async stage(rows) {
      await connection.query(STAGE, [
        rows.map((row) => row.line),
        rows.map((row) => row.id),
        rows.map((row) => row.userId),
        rows.map((row) => row.type),
        rows.map((row) => row.subject),
        rows.map((row) => row.summary),
        rows.map((row) => row.body),
        rows.map((row) => row.createdAt),
        rows.map((row) => row.readAt),
        rows.map((row) => row.validUntil),
        rows.map((row) => JSON.stringify(row.applicationIds)),
      ])
    },
    async dropForeign(most) {
      await connection.run(ARRANGE)
      const [gone] = await connection.query(DROP_FOREIGN, [most])
      return gone ?? { count: 0, lines: [] }
    },
    async apply({ maxAge, ...options }) {
      const counts = await applyBatches(connection, { ...options, first: 0 }, async (one, after) => {
        const [applied] = await one.query(APPLY, [after, BATCH, maxAge ?? null])
        if (!applied) throw new Error('an import was applied without counts')
        if (applied.last === null || applied.imported === 0) return applied
        const returned = await one.query(DELETE_RETURNED, [after, applied.last])
        return { ...applied, imported: applied.imported - returned.length }
      })
      // Left to itself the planner learns of so many new rows a minute later.
      if (counts.imported >= BATCH && !options.dryRun) await connection.run('ANALYZE inbox_messages')
      return counts
    },
    close: () => connection.close(),
  }
}
