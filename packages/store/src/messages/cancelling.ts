// Cancels messages: what is not pushed yet fails. A chunk that a worker has claimed is left to it: its pushes may be under way. Such a
// message stays marked, so that no further attempt of it is made, until none of it is pending.
import { NOTIFY } from '../chunks/chunk-news.ts'
import { IS_OPEN } from '../chunks/open-chunks.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export const CANCELLED = 'Cancelled'

/** How many deliveries a cancellation has ended, and how many are left to the workers that have them in hand. */
export interface Cancellation {
  cancelled: number
  inDelivery: number
}

const MARK = statement({
  name: 'message-cancel-mark',
  text: 'UPDATE messages SET cancelled_at = now() WHERE id = $1 RETURNING id',
})

const MARKED = statement({
  name: 'message-cancel-marked',
  text: `SELECT id FROM messages WHERE cancelled_at IS NOT NULL ORDER BY cancelled_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED`,
})

/** In the order of ids, as every statement over several chunks that waits for locks. */
const LOCK_CHUNKS = statement({
  name: 'message-cancel-lock',
  text: `SELECT c.id FROM chunks c WHERE ${IS_OPEN} AND c.id IN (
      SELECT d.chunk_id FROM deliveries d WHERE d.message_id = ANY((SELECT $1::uuid[])::uuid[]) AND d.status = 'pending')
    ORDER BY c.id FOR UPDATE OF c`,
})

/**
 * Of the locked chunks those that no worker has. A statement of its own, since it must see what the former owner of a chunk has
 * recorded while this one waited for the lock. The epoch keeps an owner whose lease ran out from writing.
 */
const CANCEL = statement({
  name: 'message-cancel',
  text: `WITH free AS MATERIALIZED (
      SELECT c.id FROM chunks c WHERE c.id = ANY((SELECT $2::bigint[])::bigint[]) AND ${IS_OPEN}
        AND (c.lease_until IS NULL OR c.lease_until < now())),
    cancelled AS (
      UPDATE deliveries d SET status = 'failed', reason = '${CANCELLED}', next_attempt_at = NULL, updated_at = now()
      FROM free WHERE d.chunk_id = free.id AND d.message_id = ANY((SELECT $1::uuid[])::uuid[]) AND d.status = 'pending'
      RETURNING d.chunk_id, d.position, d.status),
    counted AS MATERIALIZED (SELECT chunk_id, count(*)::int AS n FROM cancelled GROUP BY chunk_id),
    changed AS (
      UPDATE chunks c SET failed = c.failed + counted.n, owner = NULL, lease_until = NULL, epoch = c.epoch + 1,
        settled_at = CASE WHEN c.sent + c.failed + counted.n >= c.total THEN now() END,
        reasons = c.reasons || jsonb_build_object('${CANCELLED}', coalesce((c.reasons ->> '${CANCELLED}')::int, 0) + counted.n)
      FROM counted WHERE c.id = counted.chunk_id RETURNING c.id, c.waiter),
    notification AS (
      ${NOTIFY({ chunk: 'changed', delivered: 'cancelled', release: 'false' })})
    SELECT coalesce(sum(n), 0)::int AS cancelled, (SELECT count(*) FROM notification) AS notified FROM counted`,
  notNull: { cancelled: 'coalesced with a constant' },
})

/** Of the messages nothing of which is pending: only what is pending can be attempted again. */
const UNMARK = statement({
  name: 'message-cancel-unmark',
  text: `UPDATE messages m SET cancelled_at = NULL WHERE m.id = ANY((SELECT $1::uuid[])::uuid[]) AND m.cancelled_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM deliveries d WHERE d.message_id = m.id AND d.status = 'pending')`,
})

const PENDING = statement({
  name: 'message-cancel-pending',
  text: `SELECT count(*)::int AS count FROM deliveries WHERE message_id = $1 AND status = 'pending'`,
  notNull: { count: 'count is never null' },
})

/** The messages are locked, so that none is cancelled twice at once. Resolves with the number of deliveries that it has ended. */
async function cancelFree(connection: Queryable, ids: readonly string[]): Promise<number> {
  const chunks = await connection.query(LOCK_CHUNKS, [ids])
  if (chunks.length === 0) return 0
  const [row] = await connection.query(CANCEL, [ids, chunks.map(({ id }) => id)])
  return row?.cancelled ?? 0
}

export const openCancelling = (database: Database) => ({
  /** `id` must be a UUID; undefined when there is no such message. May be repeated. */
  cancel: (id: string): Promise<Cancellation | undefined> =>
    database.transaction(async (connection) => {
      const [message] = await connection.query(MARK, [id])
      if (!message) return undefined
      const cancelled = await cancelFree(connection, [id])
      await connection.query(UNMARK, [[id]])
      const [pending] = await connection.query(PENDING, [id])
      return { cancelled, inDelivery: pending?.count ?? 0 }
    }),

  /** Goes on with up to `limit` messages that workers had in hand; resolves with the number of deliveries that it has ended. */
  cancelRest: (limit: number): Promise<number> =>
    database.transaction(async (connection) => {
      const marked = (await connection.query(MARKED, [limit])).map(({ id }) => id)
      if (marked.length === 0) return 0
      const cancelled = await cancelFree(connection, marked)
      await connection.query(UNMARK, [marked])
      return cancelled
    }),
})
