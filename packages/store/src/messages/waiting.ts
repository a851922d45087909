// What an application's direct messages wait for. Pages go by the place of a delivery in its chunk: no page costs more than another.
import type { Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { SHOWN } from './status.ts'

/** A delivery that is pending. */
export interface WaitingDelivery {
  chunkId: number
  position: number
  messageId: string
  userId: string
  activationId: string
  platform: Platform
  /** Of the pause that it waits behind, or of its latest attempt. */
  reason: string | null
  attempts: number
  /** Milliseconds since the epoch; null = as soon as a worker is free. */
  nextAttemptAt: number | null
  /** A worker has it in hand. */
  inDelivery: boolean
  createdAt: Date
}

/** After the delivery at this place. */
export interface WaitingCursor {
  chunkId: number
  position: number
}

/**
 * A row for each delivery, or a single one without a delivery. Each open chunk has something that is pending, but for moments: so a page
 * needs no more of them than it has rows. `OFFSET 0` keeps the planner from walking through all chunks by their ids.
 */
const WAITING = statement({
  name: 'message-waiting',
  text: `WITH app AS MATERIALIZED (SELECT id FROM applications WHERE app_id = $1),
    open AS MATERIALIZED (
      SELECT * FROM (
        SELECT c.id, c.application_id, c.platform, c.lease_until > now() AS held FROM chunks c, app
        WHERE c.application_id = app.id AND c.settled_at IS NULL AND c.lane = 'direct' OFFSET 0) AS c
      WHERE c.id >= $2 ORDER BY c.id LIMIT $4 + 1)
    SELECT (SELECT max(id) FROM open) AS "lastChunkId", (SELECT count(*) > $4 FROM open) AS "isMore",
      w.chunk_id AS "chunkId", w.position::int AS position, w.message_id AS "messageId", w.user_id AS "userId", w.activation_id AS "activationId",
      w.platform, w.reason, w.attempts, (extract(epoch FROM w.next_at) * 1000)::float8 AS "nextAttemptAt", w.held AS "inDelivery",
      w.created_at AS "createdAt"
    FROM app LEFT JOIN LATERAL (
      SELECT d.chunk_id, d.position, d.message_id, m.user_id, d.activation_id, d.platform, d.attempts, coalesce(open.held, false) AS held,
        ${SHOWN.reason} AS reason, ${SHOWN.nextAt} AS next_at, m.created_at
      FROM open
      CROSS JOIN LATERAL (
        SELECT * FROM deliveries d WHERE d.chunk_id = open.id AND d.status = 'pending' AND (open.id > $2 OR d.position > $3::int)
        ORDER BY d.position LIMIT $4) AS d
      JOIN messages m ON m.id = d.message_id
      LEFT JOIN provider_pauses p ON p.application_id = open.application_id AND p.platform = open.platform AND p.lanes = 'all'
      ORDER BY d.chunk_id, d.position LIMIT $4) AS w ON true
    ORDER BY w.chunk_id, w.position`,
  notNull: { isMore: 'count is never null' },
}).narrow<{ platform: Platform | null }>()

type Columns = { [K in keyof WaitingDelivery]: WaitingDelivery[K] | null }
/** The columns of a delivery are null together, but for two of them. */
const isDelivery = <R extends Columns>(row: R): row is R & WaitingDelivery => row.chunkId !== null

export interface WaitingPage {
  deliveries: WaitingDelivery[]
  /** Where the next page begins; undefined = this is the last one. */
  next: WaitingCursor | undefined
}

const START: WaitingCursor = { chunkId: 0, position: -1 }
/** Beyond each position of a chunk. */
const END_OF_CHUNK = 32_767

export const openWaitingMessages = (database: Database) => ({
  /** In an order that stays, unless a delivery is put into another chunk. Undefined when there is no such application. */
  async waiting(appId: string, after: WaitingCursor | undefined, size: number): Promise<WaitingPage | undefined> {
    const { chunkId, position } = after ?? START
    const rows = await database.query(WAITING, [appId, chunkId, position, size])
    const [first] = rows
    if (!first) return undefined
    const deliveries = rows.filter(isDelivery)
    const rest = first.isMore ? { chunkId: first.lastChunkId ?? chunkId, position: END_OF_CHUNK } : undefined
    return { deliveries, next: deliveries.length === size ? deliveries.at(-1) : rest }
  },
})
