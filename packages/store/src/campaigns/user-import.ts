// An import of a campaign's users: staged in a table that only this connection sees, added once all lines are read, in
// batches that lock for a moment only. The whole may be repeated.
import { openStaging, type StagingOptions } from '../connection/staging.ts'
import { statement } from '../connection/statement.ts'

export interface UserImport {
  stage(userIds: readonly string[]): Promise<void>
  /**
   * Adds whom it does not have yet. Undefined when the campaign is gone. Once `signal` is aborted it rejects with its reason after
   * the batch under way.
   */
  apply(campaignId: number, signal: AbortSignal): Promise<{ imported: number; kept: number } | undefined>
  /** Forgets what was staged. */
  close(): Promise<void>
}

const BATCH = 20_000

const STAGING = 'CREATE TEMPORARY TABLE staged (user_id text COLLATE "C" NOT NULL)'
const STAGE = statement({
  name: 'user-import-stage',
  tables: STAGING,
  text: 'INSERT INTO staged SELECT * FROM unnest($1::text[])',
})
const ARRANGE = 'CREATE INDEX ON staged (user_id); ANALYZE staged'

/** A share lock on the campaign: one that is being deleted takes no more users. */
const APPLY = statement({
  name: 'user-import-apply',
  tables: STAGING,
  text: `WITH campaign AS (SELECT id FROM campaigns WHERE id = $1 AND deleted_at IS NULL FOR SHARE),
    batch AS MATERIALIZED (
      SELECT DISTINCT user_id FROM staged WHERE user_id > $2 ORDER BY user_id LIMIT $3),
    added AS (
      INSERT INTO campaign_users (campaign_id, user_id) SELECT campaign.id, user_id FROM campaign, batch ORDER BY user_id
      ON CONFLICT DO NOTHING RETURNING 1)
    SELECT (SELECT max(user_id) FROM batch) AS last, (SELECT count(*)::int FROM batch) AS total,
      (SELECT count(*)::int FROM added) AS added, EXISTS (SELECT FROM campaign) AS exists`,
  notNull: { total: 'count is never null', added: 'count is never null', exists: 'EXISTS is never null' },
})

export function openUserImport(options: StagingOptions): UserImport {
  const connection = openStaging(options, STAGING)
  return {
    async stage(userIds) {
      await connection.query(STAGE, [userIds])
    },
    async apply(campaignId, signal) {
      await connection.run(ARRANGE)
      const counts = { imported: 0, kept: 0 }
      for (let after = ''; ;) {
        signal.throwIfAborted()
        const [batch] = await connection.query(APPLY, [campaignId, after, BATCH])
        if (!batch?.exists) return undefined
        if (batch.last === null) break
        counts.imported += batch.added
        counts.kept += batch.total - batch.added
        after = batch.last
      }
      // Left to itself the planner learns of so many new rows a minute later.
      if (counts.imported >= BATCH) await connection.run('ANALYZE campaign_users')
      return counts
    },
    close: () => connection.close(),
  }
}
