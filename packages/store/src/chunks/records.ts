// Records: what became of a chunk's deliveries, written in bulk and only under the claim's epoch.
import { IS_OPEN } from './open-chunks.ts'
import type { Platform } from '@push-server/contract'
import { NOTIFY, NOTIFY_ALL } from './chunk-news.ts'
import { deadTokenColumns, DROP_NONE, DROP_TOKENS, RELEASED, RELEASED_NOT_NULL, RELEASE_COLUMNS } from './release.ts'
import type { Claim, DeadToken, DeliveryRecord } from './row.ts'
import type { Database } from '../connection/database.ts'
import { statement, type ValuesOf } from '../connection/statement.ts'

/**
 * Checkpoints and releases of many chunks in one statement. `fence` keeps a worker that lost a claim from writing to that chunk.
 * Only what was pending counts, so that a record whose response was lost can be written again. Chunks are locked in one order, or
 * two statements with the same chunks would deadlock.
 */
const recording = (dropped: string) => `WITH fence AS MATERIALIZED (
      SELECT c.id, held.release, held.due_at
      FROM unnest((SELECT $2::bigint[])::bigint[], (SELECT $3::int[])::int[], (SELECT $4::bool[])::bool[], (SELECT $5::timestamptz[])::timestamptz[])
        AS held(id, epoch, release, due_at)
      JOIN chunks c ON c.id = held.id
      WHERE c.owner = $1 AND c.epoch = held.epoch AND ${IS_OPEN} ORDER BY c.id FOR UPDATE OF c),
    delivered AS (
      UPDATE deliveries d SET status = r.status, reason = r.reason, attempts = r.attempts,
        next_attempt_at = r.next_attempt_at, provider_id = r.provider_id, updated_at = now()
      FROM fence, unnest((SELECT $6::bigint[])::bigint[], (SELECT $7::bigint[])::bigint[], (SELECT $8::text[])::text[], (SELECT $9::text[])::text[],
          (SELECT $10::smallint[])::smallint[], (SELECT $11::timestamptz[])::timestamptz[], (SELECT $12::text[])::text[])
        AS r(chunk_id, id, status, reason, attempts, next_attempt_at, provider_id)
      WHERE r.chunk_id = fence.id AND d.id = r.id AND d.chunk_id = fence.id AND d.status = 'pending'
      RETURNING d.chunk_id, d.position, d.status, d.reason),
    tally AS MATERIALIZED (
      SELECT chunk_id, count(*) FILTER (WHERE status = 'sent') AS sent, count(*) FILTER (WHERE status = 'failed') AS failed
      FROM (SELECT chunk_id, status FROM delivered UNION ALL SELECT id, NULL FROM fence) AS d GROUP BY chunk_id),
    failures AS MATERIALIZED (
      SELECT chunk_id, coalesce(reason, '') AS reason, count(*) AS n FROM delivered WHERE status = 'failed' GROUP BY 1, 2),
    counted AS MATERIALIZED (
      SELECT fence.id, fence.release, fence.due_at, tally.sent, tally.failed FROM fence JOIN tally ON tally.chunk_id = fence.id),
    recorded AS (
      UPDATE chunks c SET
        sent = c.sent + counted.sent, failed = c.failed + counted.failed,
        reasons = CASE WHEN counted.failed = 0 THEN c.reasons ELSE c.reasons || (
          SELECT jsonb_object_agg(f.reason, coalesce((c.reasons ->> f.reason)::int, 0) + f.n) FROM failures f WHERE f.chunk_id = c.id) END,
        ${RELEASE_COLUMNS({
          release: 'counted.release',
          dueAt: 'counted.due_at',
          settles: 'counted.release AND c.sent + counted.sent + c.failed + counted.failed >= c.total',
        })}
      FROM counted WHERE c.id = counted.id
      RETURNING c.application_id, c.platform, c.waiter, c.settled_at, c.try, c.due_at, c.id, c.total, c.sent, c.failed, counted.release),
    ${dropped}
    ${RELEASED(NOTIFY({ chunk: 'recorded', delivered: 'delivered', release: 'c.release' }))}`

const NULLABLE = { nullableElements: [5, 9, 11, 12] }

const RECORD = statement({
  name: 'chunk-record',
  text: recording(DROP_NONE),
  notNull: RELEASED_NOT_NULL,
  ...NULLABLE,
})
const RECORD_AND_DROP = statement({
  name: 'chunk-record-and-drop',
  text: recording(DROP_TOKENS(13)),
  notNull: RELEASED_NOT_NULL,
  ...NULLABLE,
})

/** Touches the chunk's row alone, with values of our own: whatever else of it was rejected does not stand in the way. */
const SETTLE = statement({
  name: 'chunk-settle-unrecordable',
  text: `WITH recorded AS (
      UPDATE chunks c SET failed = total - sent, settled_at = now(), owner = NULL, lease_until = NULL, close_reason = $4::text,
        reasons = reasons || jsonb_build_object($4::text, coalesce((reasons ->> $4::text)::int, 0) + total - sent - failed)
      WHERE c.id = $1 AND c.owner = $2 AND c.epoch = $3 AND ${IS_OPEN}
      RETURNING c.waiter, c.settled_at, c.try, c.due_at, c.id, c.total, c.sent, c.failed),
    ${DROP_NONE}
    ${RELEASED(NOTIFY_ALL)}`,
  notNull: RELEASED_NOT_NULL,
})

/**
 * A chunk has messages of many callers. What of it stays pending goes into a chunk of its own, or the content of all of them would
 * be kept until the last one has ended. Ids of pushes stay the same: they are made from the seed, and from the position.
 */
const SET_ASIDE = statement({
  name: 'chunk-set-aside',
  text: `WITH part AS (
      SELECT * FROM chunks c WHERE id = $1 AND ${IS_OPEN} AND owner IS NULL AND lane = 'direct' AND sent + failed > 0 FOR UPDATE),
    rest AS (
      INSERT INTO chunks (application_id, platform, lane, seed, due_at, try, total, expires_at)
      SELECT application_id, platform, lane, seed, due_at, try, total - sent - failed, expires_at FROM part
      RETURNING id, try, due_at, total),
    moved AS (UPDATE deliveries d SET chunk_id = rest.id FROM rest WHERE d.chunk_id = $1 AND d.status = 'pending'),
    ended AS (UPDATE chunks c SET settled_at = now(), total = part.sent + part.failed FROM part WHERE c.id = part.id)
    SELECT id, try, total AS pending, greatest(0, extract(epoch FROM due_at - now()) * 1000)::float8 AS "delayMs" FROM rest`,
  notNull: { delayMs: 'due_at is not null' },
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

/** The chunk that pending deliveries were moved to. */
export interface RestOfChunk {
  id: number
  try: number
  pending: number
  delayMs: number
}

/** What a release says about the chunk. */
export interface Release {
  settled: boolean
  /** Number of its deliveries that are pending, and of those that have ended. */
  pending: number
  ended: number
  /** Number of the next job, when one is needed. */
  try: number
  /** Until it is due again. */
  delayMs: number
  /** Devices dropped by this record. */
  dropped: number
}

/** What a worker writes of one chunk. */
export interface ChunkRecord {
  claim: Claim
  deliveries: readonly DeliveryRecord[]
  /** The last record of a claim: the chunk is settled, or due again at `dueAt` (ms since the epoch; null = now). */
  release?: { dueAt: number | null } | undefined
}

const timeOf = (ms: number | null) => (ms === null ? null : new Date(ms))

const valuesOf = (owner: string, records: readonly ChunkRecord[]): ValuesOf<'chunk-record'> => {
  const deliveries = records.flatMap(({ claim: { id: chunkId }, deliveries }) =>
    deliveries.map((delivery) => ({ chunkId, ...delivery })),
  )
  return [
    owner,
    records.map(({ claim }) => claim.id),
    records.map(({ claim }) => claim.epoch),
    records.map(({ release }) => release !== undefined),
    records.map(({ release }) => (release ? timeOf(release.dueAt) : null)),
    deliveries.map((delivery) => delivery.chunkId),
    deliveries.map((delivery) => delivery.id),
    deliveries.map((delivery) => delivery.status),
    deliveries.map((delivery) => delivery.reason),
    deliveries.map((delivery) => delivery.attempts),
    deliveries.map((delivery) => timeOf(delivery.nextAttemptAt)),
    deliveries.map((delivery) => delivery.providerId),
  ]
}

export const openChunkRecords = (database: Database) => ({
  /** Writes records of different chunks. For each, in their order: undefined when its claim is lost and nothing was written. */
  async record(owner: string, records: readonly ChunkRecord[]): Promise<(Release | undefined)[]> {
    const rows = await database.query(RECORD, valuesOf(owner, records))
    const released = new Map(rows.map((row) => [row.id, row]))
    return records.map(({ claim }) => released.get(claim.id))
  },

  /** Writes one record and drops the devices of its dead tokens. */
  async recordAndDrop(
    owner: string,
    record: ChunkRecord,
    deadTokens: readonly DeadToken[],
  ): Promise<Release | undefined> {
    const values = [...valuesOf(owner, [record]), ...deadTokenColumns(deadTokens)] as const
    const [row] = await database.query(RECORD_AND_DROP, values)
    return row
  },

  /** Ends the claim and settles the chunk: what was not recorded fails as `Unrecordable`. Undefined when the claim is lost. */
  async settleUnrecordable(claim: Claim, owner: string): Promise<Release | undefined> {
    const [row] = await database.query(SETTLE, [claim.id, owner, claim.epoch, UNRECORDABLE])
    return row
  },

  /**
   * Moves the pending deliveries of a released direct chunk to a chunk of their own, and settles the rest. Undefined when somebody
   * else has claimed it, or none of it has ended.
   */
  async setAside(id: number): Promise<RestOfChunk | undefined> {
    const [rest] = await database.query(SET_ASIDE, [id])
    return rest
  },

  /** Settles up to `limit` chunks past their age limit; resolves with them. */
  expire: (limit: number): Promise<{ id: number; platform: Platform }[]> => database.query(EXPIRE, [limit]),
})
