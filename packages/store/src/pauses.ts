// Pauses: nothing is pushed to a platform of an application whose credentials are at fault.
import type { Platform } from '@push-server/contract'
import type { Database, Statement } from './database.ts'

export interface PauseRow {
  platform: Platform
  lanes: 'all' | 'campaign'
  reason: string
  pausedAt: Date
}

/**
 * Beside the pause itself: whoever waits for a chunk that is now parked is told at once. Nothing happens when the
 * credentials were changed since the push that failed; if that is just happening, the lock waits for its end.
 */
const PAUSE: Statement = {
  name: 'pause-put',
  text: `WITH paused AS (
      INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
      SELECT application_id, platform, 'all', $4, now() + interval '1 minute' FROM credentials
      WHERE application_id = $1 AND platform = $2 AND version = $3 FOR SHARE
      ON CONFLICT DO NOTHING RETURNING application_id),
    parked AS (
      SELECT c.id, c.waiter FROM chunks c, paused
      WHERE c.application_id = $1 AND c.platform = $2 AND c.settled_at IS NULL AND c.waiter IS NOT NULL)
    SELECT count(pg_notify(waiter, id::text)) AS told, (SELECT count(*) FROM paused) AS paused FROM parked`,
}

export const openPauses = (database: Database) => ({
  /** Pauses a platform of an application; false when it was paused already or its credentials have changed. */
  async pause(target: {
    applicationId: number
    platform: Platform
    version: number
    reason: string
  }): Promise<boolean> {
    const [row] = await database.query<{ paused: number }>(PAUSE, [
      target.applicationId,
      target.platform,
      target.version,
      target.reason,
    ])
    return row?.paused === 1
  },
})
export type Pauses = ReturnType<typeof openPauses>
