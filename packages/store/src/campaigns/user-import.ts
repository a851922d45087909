// An import of users of campaigns, of one or of many: staged in a table that only this connection sees, added once all lines are
// read, in batches that lock for a moment only. The whole may be repeated.
import {
  applyBatches,
  openStaging,
  type ApplyOptions,
  type DroppedLines,
  type ImportCounts,
  type StagingOptions,
} from '../connection/staging.ts'
import { statement } from '../connection/statement.ts'
import { LIVING } from './campaigns.ts'

export interface ImportedUserRow {
  line: number
  campaignId: number
  userId: string
}

export interface UserImport {
  stage(rows: readonly ImportedUserRow[]): Promise<void>
  /** Lines about campaigns that there are not, or no longer. They are left out from then on. */
  dropUnknown(most: number): Promise<DroppedLines>
  /** Adds whom the campaigns do not have yet. Rejects with CampaignGone when one of them is deleted meanwhile. */
  apply(options: ApplyOptions): Promise<ImportCounts>
  /** Forgets what was staged. */
  close(): Promise<void>
}

/** A campaign of the file was deleted while its users were added. */
export class CampaignGone extends Error {
  override readonly name = 'CampaignGone'
}

const BATCH = 20_000

const STAGING = `CREATE TEMPORARY TABLE staged (
    line integer NOT NULL, campaign_id bigint NOT NULL, user_id text COLLATE "C" NOT NULL)`
const STAGE = statement({
  name: 'user-import-stage',
  tables: STAGING,
  text: 'INSERT INTO staged SELECT * FROM unnest($1::int[], $2::bigint[], $3::text[])',
})
const ARRANGE = 'CREATE INDEX ON staged (campaign_id, user_id); ANALYZE staged'

const DROP_UNKNOWN = statement({
  name: 'user-import-drop-unknown',
  tables: STAGING,
  text: `WITH gone AS (
      DELETE FROM staged s WHERE NOT EXISTS (SELECT FROM ${LIVING} WHERE c.id = s.campaign_id) RETURNING s.line)
    SELECT count(*)::int AS count, coalesce((array_agg(line ORDER BY line))[:$1], '{}') AS lines FROM gone`,
  notNull: { count: 'count is never null', lines: 'coalesced with a constant' },
}).narrow<{ lines: number[] }>()

/** A share lock on the campaigns, in their order: one that is being deleted takes no more users. */
const APPLY = statement({
  name: 'user-import-apply',
  tables: STAGING,
  text: `WITH batch AS MATERIALIZED (
      SELECT DISTINCT campaign_id, user_id FROM staged WHERE (campaign_id, user_id) > ($1, $2)
      ORDER BY campaign_id, user_id LIMIT $3),
    campaign AS MATERIALIZED (
      SELECT id FROM campaigns WHERE id IN (SELECT campaign_id FROM batch) AND deleted_at IS NULL ORDER BY id FOR SHARE),
    added AS (
      INSERT INTO campaign_users (campaign_id, user_id)
      SELECT batch.campaign_id, batch.user_id FROM batch JOIN campaign ON campaign.id = batch.campaign_id
      ORDER BY batch.campaign_id, batch.user_id
      ON CONFLICT DO NOTHING RETURNING 1),
    final AS (SELECT campaign_id, user_id FROM batch ORDER BY campaign_id DESC, user_id DESC LIMIT 1)
    SELECT (SELECT campaign_id FROM final) AS "lastCampaign", (SELECT user_id FROM final) AS "lastUser",
      (SELECT count(*)::int FROM batch) AS total, (SELECT count(*)::int FROM added) AS added,
      (SELECT count(DISTINCT campaign_id) FROM batch) = (SELECT count(*) FROM campaign) AS "areThere"`,
  notNull: {
    total: 'count is never null',
    added: 'count is never null',
    areThere: 'counts are never null',
  },
})

export function openUserImport(options: StagingOptions): UserImport {
  const connection = openStaging(options, STAGING)
  return {
    async stage(rows) {
      await connection.query(STAGE, [
        rows.map((row) => row.line),
        rows.map((row) => row.campaignId),
        rows.map((row) => row.userId),
      ])
    },
    async dropUnknown(most) {
      await connection.run(ARRANGE)
      const [gone] = await connection.query(DROP_UNKNOWN, [most])
      return gone ?? { count: 0, lines: [] }
    },
    async apply(options) {
      const first = { campaignId: 0, userId: '' }
      const counts = await applyBatches(connection, { ...options, first }, async (one, after) => {
        const [batch] = await one.query(APPLY, [after.campaignId, after.userId, BATCH])
        if (!batch?.areThere) throw new CampaignGone()
        const { lastCampaign, lastUser, total, added } = batch
        const last = lastCampaign === null || lastUser === null ? null : { campaignId: lastCampaign, userId: lastUser }
        return { imported: added, updated: 0, total, last }
      })
      // Left to itself the planner learns of so many new rows a minute later.
      if (counts.imported >= BATCH && !options.dryRun) await connection.run('ANALYZE campaign_users')
      return counts
    },
    close: () => connection.close(),
  }
}
