// Claims: which worker has a chunk. At most one at a time, each under an epoch of its own.
import { IS_OPEN } from './open-chunks.ts'
import type { Lane, Platform } from '@push-server/contract'
import type { Claim, ClaimedChunk } from './row.ts'
import { CLOCK, type DatabaseClock } from '../connection/clock.ts'
import type { Database } from '../connection/database.ts'
import { readDirectContents, type DirectContent } from './direct-contents.ts'
import { readRunContent, type ChunkHead } from './run-chunk-content.ts'
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
const CLAIMABLE = `${IS_OPEN} AND (c.lease_until IS NULL OR c.lease_until < now())
      AND c.due_at <= now() + interval '1 s' AND NOT ${PAUSED}`

/** Rows that another statement holds are passed by: one chunk that is being paused must not keep the others waiting. */
const CLAIM = statement({
  name: 'chunk-claim',
  text: `WITH free AS MATERIALIZED (
      SELECT c.id FROM chunks c WHERE c.id = ANY((SELECT $1::bigint[])::bigint[]) AND ${CLAIMABLE}
      ORDER BY c.id FOR UPDATE OF c SKIP LOCKED)
    UPDATE chunks c SET owner = $2, epoch = epoch + 1, lease_until = now() + $3 * interval '1 ms'
    FROM free WHERE c.id = free.id
    RETURNING c.id, c.epoch, c.application_id AS "applicationId", c.platform, c.lane, c.run_id AS "runId", c.try, c.seed,
      c.waiter IS NOT NULL AS "isAwaited", ${PROBES} AS probe, (extract(epoch FROM c.expires_at) * 1000)::float8 AS "expiresAt",
      ${CLOCK} AS "claimedAt"`,
  notNull: {
    claimedAt: 'clock_timestamp is never null',
    isAwaited: 'IS NOT NULL is never null',
    probe: 'EXISTS is never null',
    expiresAt: 'computed from a column that is not null',
  },
}).narrow<{ platform: Platform; lane: Lane }>()

const UNCLAIM = statement({
  name: 'chunk-unclaim',
  text: `UPDATE chunks c SET owner = NULL, lease_until = NULL
    FROM unnest($1::bigint[], $2::int[]) AS held(id, epoch) WHERE c.id = held.id AND c.epoch = held.epoch`,
})

/**
 * Of chunks that were not claimed: the gateway that waits for one whose platform was being paused while it was stored is
 * notified here. Those that could be claimed now were held by another statement.
 */
const PASSED_BY = statement({
  name: 'chunk-passed-by',
  text: `SELECT c.id, ${CLAIMABLE} AS "isFree",
      CASE WHEN c.settled_at IS NULL AND c.waiter IS NOT NULL AND ${PAUSED} THEN pg_notify(c.waiter, c.id::text) END AS notified
    FROM chunks c WHERE c.id = ANY((SELECT $1::bigint[])::bigint[])`,
})

/** Locks in the order of ids, as every statement over several chunks does that waits for locks: no two of them deadlock. */
const RENEW = statement({
  name: 'chunk-renew',
  text: `WITH owned AS MATERIALIZED (
      SELECT c.id FROM unnest((SELECT $2::bigint[])::bigint[], (SELECT $3::int[])::int[]) AS held(id, epoch)
      JOIN chunks c ON c.id = held.id
      WHERE c.epoch = held.epoch AND c.owner = $1 AND ${IS_OPEN} ORDER BY c.id FOR UPDATE OF c)
    UPDATE chunks c SET lease_until = now() + $4 * interval '1 ms'
    FROM owned WHERE c.id = owned.id RETURNING c.id`,
})

/**
 * Of groups of chunks that a worker holds: those of which nothing may be pushed any more. Reads no chunk, so that looking each
 * second costs the same however many are held. An id is that of a chunk that probes a pause, and 0 for all others.
 */
const STOPPED = statement({
  name: 'chunk-stopped',
  text: `SELECT c.place::int AS place
    FROM unnest((SELECT $1::bigint[])::bigint[], (SELECT $2::int[])::int[], (SELECT $3::text[])::text[], (SELECT $4::text[])::text[],
        (SELECT $5::bigint[])::bigint[]) WITH ORDINALITY AS c(id, application_id, platform, lane, run_id, place)
    WHERE ${PAUSED} OR EXISTS (SELECT FROM applications a WHERE a.id = c.application_id AND a.app_id IS NULL)`,
  notNull: { place: 'ordinality is never null' },
  nullableElements: [5],
})

/** What was given a job within the last minute may still have it, waiting behind many others. */
const SWEEP = statement({
  name: 'chunk-sweep',
  text: `WITH due AS (
      SELECT c.id, c.swept_at FROM chunks c
      WHERE c.settled_at IS NULL AND c.due_at < now() - $1 * interval '1 ms'
        AND (c.lease_until IS NULL OR c.lease_until < now())
        AND (c.swept_at IS NULL OR c.swept_at < now() - $1 * interval '1 ms') AND NOT ${PAUSED}
      ORDER BY c.swept_at NULLS FIRST, c.due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    UPDATE chunks SET swept_at = now() FROM due WHERE chunks.id = due.id
    RETURNING chunks.id, chunks.application_id AS "applicationId", chunks.platform, chunks.lane, chunks.try,
      chunks.total - chunks.sent - chunks.failed AS size,
      floor(extract(epoch FROM now() - chunks.due_at) / 600)::int AS overdue,
      coalesce(due.swept_at > now() - interval '1 min', false) AS "isRecent"`,
  notNull: {
    size: 'computed from columns that are not null',
    overdue: 'computed from a column that is not null',
    isRecent: 'coalesced with a constant',
  },
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
  /** It was swept within the last minute. */
  isRecent: boolean
}

/** What says whether a chunk in delivery may go on. */
export type HeldChunk = Pick<ClaimedChunk, 'id' | 'epoch' | 'applicationId' | 'platform' | 'lane' | 'runId' | 'probe'>

/** Chunks of one group are stopped together. */
const groupOf = ({ id, applicationId, platform, lane, runId, probe }: HeldChunk): string =>
  [applicationId, platform, lane, runId, probe ? id : 0].join(' ')

/** Held by another statement for the moment. */
export const PASSED = 'passed'
export type Claiming = ClaimedChunk | typeof PASSED | undefined

export const openChunkClaims = (database: Database, clock: Pick<DatabaseClock, 'learn'>) => {
  /**
   * A statement of its own, after the claim: the claim may have waited for the last record of the former owner, and must not
   * see the deliveries as they were before it.
   */
  async function readContents(heads: readonly ChunkHead[]): Promise<Map<number, ClaimedChunk>> {
    const readAt = performance.now()
    const direct = heads.filter(({ runId }) => runId === null)
    const contents = direct.length > 0 ? await readDirectContents(database, direct) : new Map<number, DirectContent>()
    const chunks = new Map<number, ClaimedChunk>()
    for (const head of heads) {
      const content = head.runId === null ? contents.get(head.id) : await readRunContent(database, head)
      if (content) chunks.set(head.id, { rate: null, outcomes: null, ...head, ...content, readAt })
    }
    return chunks
  }

  /** Which of the ids can be claimed in a moment. */
  async function passedBy(ids: readonly number[]): Promise<Set<number>> {
    if (ids.length === 0) return new Set()
    const rows = await database.query(PASSED_BY, [ids])
    return new Set(rows.filter(({ isFree }) => isFree).map(({ id }) => id))
  }

  return {
    /**
     * For each of the ids, in their order. Undefined when the chunk is settled, not due, claimed by another worker, or paused:
     * there is nothing to do then.
     */
    async claim(ids: readonly number[], owner: string, leaseMs: number): Promise<Claiming[]> {
      const requestedAt = performance.now()
      const heads = await database.query(CLAIM, [ids, owner, leaseMs])
      const [latest] = heads.slice(-1)
      if (latest) clock.learn(latest.claimedAt, requestedAt)
      const claimed = new Set(heads.map(({ id }) => id))
      try {
        const passed = await passedBy(ids.filter((id) => !claimed.has(id)))
        const chunks = heads.length > 0 ? await readContents(heads) : new Map<number, ClaimedChunk>()
        return ids.map((id) => chunks.get(id) ?? (passed.has(id) ? PASSED : undefined))
      } catch (error) {
        const epochs = heads.map(({ epoch }) => epoch)
        // If this fails as well, the leases run out.
        await database.query(UNCLAIM, [[...claimed], epochs]).catch(() => {})
        throw error
      }
    },

    /** Resolves with the ids of the claims that are still held. */
    async renew(owner: string, claims: readonly Claim[], leaseMs: number): Promise<Set<number>> {
      const epochs = claims.map((claim) => claim.epoch)
      const rows = await database.query(RENEW, [owner, claims.map((claim) => claim.id), epochs, leaseMs])
      return new Set(rows.map(({ id }) => id))
    },

    /**
     * Of chunks in delivery, the ids of those whose platform was paused, whose run was held or cancelled, or whose application was
     * removed.
     */
    async stopped(held: readonly HeldChunk[]): Promise<Set<number>> {
      const groups = [...Map.groupBy(held, groupOf).values()]
      const first = groups.flatMap(([chunk]) => chunk ?? [])
      const column = <K extends keyof HeldChunk>(key: K) => first.map((chunk) => chunk[key])
      const ids = first.map(({ id, probe }) => (probe ? id : 0))
      const values = [ids, column('applicationId'), column('platform'), column('lane'), column('runId')] as const
      const rows = await database.query(STOPPED, [...values])
      return new Set(rows.flatMap(({ place }) => groups[place - 1]?.map(({ id }) => id) ?? []))
    },

    /** Those of the given chunks that a worker has settled, or put back for a later attempt. */
    async handled(ids: readonly number[]): Promise<number[]> {
      const rows = await database.query(HANDLED, [ids])
      return rows.map((row) => row.id)
    },

    /** Up to `limit` chunks that have been due for `afterMs` and are not claimed; none comes again before `afterMs`. */
    sweep: (afterMs: number, limit: number): Promise<SweptChunk[]> => database.query(SWEEP, [afterMs, limit]),
  }
}
