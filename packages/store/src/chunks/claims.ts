// Claims: which worker has a chunk. At most one at a time, each under an epoch of its own.
import type { Lane, Platform } from '@push-server/contract'
import type { Claim, ClaimedChunk, MessageRow } from './row.ts'
import type { Database } from '../connection/database.ts'
import { DIRECT_RECIPIENTS, takeNewTokens, type DirectRecipient } from './recipient-changes.ts'
import { readRunContent, type ChunkHead } from './run-chunks.ts'
import { statement } from '../connection/statement.ts'

/**
 * A chunk whose application's platform is paused for its lane, or whose run is held or cancelled. The one chunk that probes
 * a pause is not.
 */
export const PAUSED = `(EXISTS (SELECT FROM provider_pauses p WHERE p.application_id = c.application_id AND p.platform = c.platform
  AND p.lanes IN ('all', c.lane) AND p.probe_chunk_id IS DISTINCT FROM c.id) OR (c.run_id IS NOT NULL AND EXISTS (
    SELECT FROM runs r WHERE r.id = c.run_id AND (r.paused_at IS NOT NULL OR r.cancelled_at IS NOT NULL))))`

const PROBES = `EXISTS (SELECT FROM provider_pauses p WHERE p.application_id = c.application_id AND p.platform = c.platform
  AND p.probe_chunk_id = c.id)`

/** A second of tolerance: queue and database have clocks of their own. */
const CLAIM = statement({
  name: 'chunk-claim',
  text: `UPDATE chunks c SET owner = $2, epoch = epoch + 1, lease_until = now() + $3 * interval '1 ms'
    WHERE c.id = $1 AND c.settled_at IS NULL AND (c.lease_until IS NULL OR c.lease_until < now())
      AND c.due_at <= now() + interval '1 s' AND NOT ${PAUSED}
    RETURNING c.id, c.epoch, c.application_id AS "applicationId", c.platform, c.lane,
      c.run_id AS "runId", c.try, c.seed, c.waiter IS NOT NULL AS "isAwaited", ${PROBES} AS probe, (extract(epoch FROM c.expires_at) * 1000)::float8 AS "expiresAt"`,
  notNull: { isAwaited: 'IS NOT NULL is never null', probe: 'EXISTS is never null', expiresAt: 'computed from a column that is not null' },
}).narrow<{ platform: Platform; lane: Lane }>()

/**
 * What the chunk is about. A statement of its own, after the claim: the claim may have waited for the last record of the
 * former owner, and must not see the deliveries as they were before it.
 */
const CONTENT = statement({
  name: 'chunk-content',
  text: `SELECT
      (SELECT version FROM credentials k WHERE k.application_id = $2 AND k.platform = $3) AS "credentialsVersion",
      (SELECT coalesce(json_agg(json_build_object('id', m.id, 'body', m.body, 'silent', m.silent, 'priority', m.priority,
          'validUntil', extract(epoch FROM m.valid_until) * 1000, 'createdAt', extract(epoch FROM m.created_at) * 1000)), '[]')
        FROM messages m WHERE m.id IN (SELECT message_id FROM deliveries d WHERE d.chunk_id = $1 AND d.status = 'pending')) AS messages,
      (SELECT coalesce(json_agg(json_build_object('id', r.id, 'position', r.position, 'messageId', r.message_id,
          'token', r.token, 'environment', r.device_environment, 'attempts', r.attempts,
          'obstacle', r.obstacle, 'newToken', r.new_token) ORDER BY r.position), '[]')
        FROM (${DIRECT_RECIPIENTS}) AS r
        WHERE r.next_attempt_at IS NULL OR r.next_attempt_at <= now() + interval '1 s') AS deliveries,
      (SELECT (extract(epoch FROM min(d.next_attempt_at)) * 1000)::float8 FROM deliveries d WHERE d.chunk_id = $1
        AND d.status = 'pending' AND d.next_attempt_at > now() + interval '1 s') AS "laterDueAt"`,
  notNull: { messages: 'coalesced with a constant', deliveries: 'coalesced with a constant' },
}).narrow<{ messages: MessageRow[]; deliveries: DirectRecipient[] }>()

const UNCLAIM = statement({
  name: 'chunk-unclaim',
  text: 'UPDATE chunks SET owner = NULL, lease_until = NULL WHERE id = $1 AND epoch = $2',
})

/** A chunk that was stored while its platform was being paused: the gateway that waits for it is notified here. */
const NOTIFY_PAUSED = statement({
  name: 'chunk-notify-paused',
  text: `SELECT pg_notify(c.waiter, c.id::text) FROM chunks c
    WHERE c.id = $1 AND c.settled_at IS NULL AND c.waiter IS NOT NULL AND ${PAUSED}`,
})

const RENEW = statement({
  name: 'chunk-renew',
  text: `UPDATE chunks c SET lease_until = now() + $4 * interval '1 ms'
    FROM unnest($2::bigint[], $3::int[]) AS held(id, epoch)
    WHERE c.id = held.id AND c.epoch = held.epoch AND c.owner = $1 AND c.settled_at IS NULL
    RETURNING c.id, ${PAUSED} AS paused`,
  notNull: { paused: 'EXISTS is never null' },
})

const SWEEP = statement({
  name: 'chunk-sweep',
  text: `WITH due AS (
      SELECT c.id FROM chunks c
      WHERE c.settled_at IS NULL AND c.due_at < now() - $1 * interval '1 ms'
        AND (c.lease_until IS NULL OR c.lease_until < now())
        AND (c.swept_at IS NULL OR c.swept_at < now() - $1 * interval '1 ms') AND NOT ${PAUSED}
      ORDER BY c.swept_at NULLS FIRST, c.due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE chunks SET swept_at = now() FROM due WHERE chunks.id = due.id
    RETURNING chunks.id, chunks.application_id AS "applicationId", chunks.platform, chunks.lane, chunks.try,
      chunks.total - chunks.sent - chunks.failed AS size,
      floor(extract(epoch FROM now() - chunks.due_at) / 600)::int AS overdue`,
  notNull: { size: 'computed from columns that are not null', overdue: 'computed from a column that is not null' },
}).narrow<{ platform: Platform; lane: Lane }>()

const HANDLED = statement({
  name: 'chunk-handled',
  text: 'SELECT id FROM chunks WHERE id = ANY($1) AND (settled_at IS NOT NULL OR try > 0)',
})

/** A chunk that is due while no worker has it. */
export interface DueChunk {
  id: number
  applicationId: number
  platform: Platform
  lane: Lane
  try: number
  /** Number of its deliveries that are pending. */
  size: number
}

export interface SweptChunk extends DueChunk {
  /** Tens of minutes. */
  overdue: number
}

async function readContent(database: Database, chunk: ChunkHead): Promise<ClaimedChunk | undefined> {
  const readAt = performance.now()
  if (chunk.runId !== null) {
    const content = await readRunContent(database, chunk)
    return content && { ...chunk, ...content, readAt }
  }
  const [content] = await database.query(CONTENT, [chunk.id, chunk.applicationId, chunk.platform])
  if (!content) return undefined
  const deliveries = await takeNewTokens(database, content.deliveries)
  return { ...chunk, ...content, deliveries, readAt, rate: null, outcomes: null }
}

export const openChunkClaims = (database: Database) => ({
  /** Undefined when the chunk is settled, not due, claimed by another worker, or paused: there is nothing to do then. */
  async claim(id: number, owner: string, leaseMs: number): Promise<ClaimedChunk | undefined> {
    const [chunk] = await database.query(CLAIM, [id, owner, leaseMs])
    if (!chunk) {
      await database.query(NOTIFY_PAUSED, [id])
      return undefined
    }
    try {
      return await readContent(database, chunk)
    } catch (error) {
      // If this fails as well, the lease runs out.
      await database.query(UNCLAIM, [id, chunk.epoch]).catch(() => {})
      throw error
    }
  },

  /** Resolves with the claims that are still held, and whether the platform of each was paused meanwhile. */
  renew: (owner: string, claims: readonly Claim[], leaseMs: number): Promise<{ id: number; paused: boolean }[]> =>
    database.query(RENEW, [owner, claims.map((claim) => claim.id), claims.map((claim) => claim.epoch), leaseMs]),

  /** Those of the given chunks that a worker has settled, or put back for a later attempt. */
  async handled(ids: readonly number[]): Promise<number[]> {
    const rows = await database.query(HANDLED, [ids])
    return rows.map((row) => row.id)
  },

  /** Up to `limit` chunks that have been due for `afterMs` and are not claimed; none comes again before `afterMs`. */
  sweep: (afterMs: number, limit: number): Promise<SweptChunk[]> => database.query(SWEEP, [afterMs, limit]),
})
