// Records: what became of a chunk's deliveries, written in bulk and only under the claim's epoch.
import type { Platform } from '@push-server/contract'
import { NOTIFY, NOTIFY_ALL } from './chunk-news.ts'
import { deadTokenColumns, DROP_NONE, DROP_TOKENS, RELEASED, RELEASED_NOT_NULL, RELEASE_COLUMNS } from './release.ts'
import type { Claim, DeadToken, DeliveryRecord } from './row.ts'
import type { Database } from '../connection/database.ts'
import { statement, type ValuesOf } from '../connection/statement.ts'

/**
 * Checkpoint and release in one statement. `fence` keeps a worker that lost the claim from writing. Only what was pending counts, so
 * that a record whose response was lost can be written again.
 */
const recording = (dropped: string) => `WITH fence AS (
      SELECT id FROM chunks WHERE id = $1 AND owner = $2 AND epoch = $3 AND settled_at IS NULL FOR UPDATE),
    delivered AS (
      UPDATE deliveries d SET status = r.status, reason = r.reason, attempts = r.attempts,
        next_attempt_at = r.next_attempt_at, provider_id = r.provider_id, updated_at = now()
      FROM fence, unnest($4::bigint[], $5::text[], $6::text[], $7::smallint[], $8::timestamptz[], $9::text[])
        AS r(id, status, reason, attempts, next_attempt_at, provider_id)
      WHERE d.id = r.id AND d.chunk_id = fence.id AND d.status = 'pending'
      RETURNING d.chunk_id, d.position, d.status, d.reason),
    tally AS (
      SELECT count(*) FILTER (WHERE status = 'sent') AS sent, count(*) FILTER (WHERE status = 'failed') AS failed FROM delivered),
    failures AS (
      SELECT coalesce(reason, '') AS reason, count(*) AS n FROM delivered WHERE status = 'failed' GROUP BY 1),
    recorded AS (
      UPDATE chunks c SET
        sent = c.sent + tally.sent, failed = c.failed + tally.failed,
        reasons = c.reasons || coalesce((SELECT jsonb_object_agg(reason, coalesce((c.reasons ->> reason)::int, 0) + n)
          FROM failures), '{}'),
        ${RELEASE_COLUMNS({
          release: '$10',
          dueAt: '$11',
          settles: '$10 AND c.sent + tally.sent + c.failed + tally.failed >= c.total',
        })}
      FROM tally, fence WHERE c.id = fence.id
      RETURNING c.application_id, c.platform, c.waiter, c.settled_at, c.try, c.due_at, c.id, c.total, c.sent, c.failed),
    ${dropped}
    ${RELEASED(NOTIFY({ chunk: 'recorded', delivered: 'delivered', release: '$10' }))}`

const RECORD = statement({
  name: 'chunk-record',
  text: recording(DROP_NONE),
  notNull: RELEASED_NOT_NULL,
  nullable: [11],
  nullableElements: [6, 8, 9],
})
const RECORD_AND_DROP = statement({
  name: 'chunk-record-and-drop',
  text: recording(DROP_TOKENS(12)),
  notNull: RELEASED_NOT_NULL,
  nullable: [11],
  nullableElements: [6, 8, 9],
})

/** Touches the chunk's row alone, with values of our own: whatever else of it was rejected does not stand in the way. */
const SETTLE = statement({
  name: 'chunk-settle-unrecordable',
  text: `WITH recorded AS (
      UPDATE chunks c SET failed = total - sent, settled_at = now(), owner = NULL, lease_until = NULL, close_reason = $4::text,
        reasons = reasons || jsonb_build_object($4::text, coalesce((reasons ->> $4::text)::int, 0) + total - sent - failed)
      WHERE c.id = $1 AND c.owner = $2 AND c.epoch = $3 AND c.settled_at IS NULL
      RETURNING c.waiter, c.settled_at, c.try, c.due_at, c.id, c.total, c.sent, c.failed),
    ${DROP_NONE}
    ${RELEASED(NOTIFY_ALL)}`,
  notNull: RELEASED_NOT_NULL,
})

/** Chunks past their age limit that no worker has claimed, paused or not. */
const EXPIRE = statement({
  name: 'chunk-expire',
  text: `WITH expired AS (
      SELECT id FROM chunks WHERE settled_at IS NULL AND expires_at < now() AND (lease_until IS NULL OR lease_until < now())
      ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED),
    late AS (
      UPDATE deliveries d SET status = 'failed', reason = 'TooOld', next_attempt_at = NULL, updated_at = now()
      FROM expired WHERE d.chunk_id = expired.id AND d.status = 'pending'),
    settled AS (
      UPDATE chunks c SET failed = total - sent, settled_at = now(), owner = NULL, lease_until = NULL, epoch = epoch + 1,
        close_reason = CASE WHEN run_id IS NOT NULL THEN 'TooOld' END,
        reasons = reasons || jsonb_build_object('TooOld', coalesce((reasons ->> 'TooOld')::int, 0) + total - sent - failed)
      FROM expired WHERE c.id = expired.id RETURNING c.id, c.platform, c.waiter)
    SELECT id, platform, CASE WHEN waiter IS NOT NULL THEN pg_notify(waiter, id::text) END AS notified FROM settled`,
}).narrow<{ platform: Platform }>()

/** Why a delivery failed whose outcome the database does not take. */
export const UNRECORDABLE = 'Unrecordable'

/** What a release says about the chunk. */
export interface Release {
  settled: boolean
  /** Number of its deliveries that are pending. */
  pending: number
  /** Number of the next job, when one is needed. */
  try: number
  /** Until it is due again. */
  delayMs: number
  /** Devices dropped by this record. */
  dropped: number
}

export interface Records {
  deliveries: readonly DeliveryRecord[]
  deadTokens: readonly DeadToken[]
}

interface Entry extends Records {
  claim: Claim
  owner: string
  release?: { dueAt: number | null }
}

const timeOf = (ms: number | null) => (ms === null ? null : new Date(ms))

export const openChunkRecords = (database: Database) => {
  const write = async ({ claim, owner, deliveries, deadTokens, release }: Entry) => {
    const values: ValuesOf<'chunk-record'> = [
      claim.id,
      owner,
      claim.epoch,
      deliveries.map((delivery) => delivery.id),
      deliveries.map((delivery) => delivery.status),
      deliveries.map((delivery) => delivery.reason),
      deliveries.map((delivery) => delivery.attempts),
      deliveries.map((delivery) => timeOf(delivery.nextAttemptAt)),
      deliveries.map((delivery) => delivery.providerId),
      release !== undefined,
      release ? timeOf(release.dueAt) : null,
    ]
    const [row] =
      deadTokens.length > 0
        ? await database.query(RECORD_AND_DROP, [...values, ...deadTokenColumns(deadTokens)])
        : await database.query(RECORD, values)
    return row
  }
  return {
    /** A checkpoint: the claim stays. Undefined when the claim is lost and nothing was written. */
    record: (claim: Claim, owner: string, records: Records) => write({ claim, owner, ...records }),

    /** The last record of a claim: the chunk is settled, or due again at `dueAt` (ms since the epoch; null = now). */
    release: (claim: Claim, owner: string, { dueAt, ...records }: Records & { dueAt: number | null }) =>
      write({ claim, owner, ...records, release: { dueAt } }),

    /** Ends the claim and settles the chunk: what was not recorded fails as `Unrecordable`. Undefined when the claim is lost. */
    async settleUnrecordable(claim: Claim, owner: string): Promise<Release | undefined> {
      const [row] = await database.query(SETTLE, [claim.id, owner, claim.epoch, UNRECORDABLE])
      return row
    },

    /** Settles up to `limit` chunks past their age limit; resolves with them. */
    expire: (limit: number): Promise<{ id: number; platform: Platform }[]> => database.query(EXPIRE, [limit]),
  }
}
