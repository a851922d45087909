// Messages with deliveries that failed, by when they were accepted. A page looks at a bounded number of messages: where few have failed,
// it may be empty and still have a next one.
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { deliveryJson, type DeliveryStatus } from './status.ts'

/** Messages that one page looks at: some 50 ms. */
const EXAMINED = 5_000

export interface FailedMessage {
  id: string
  userId: string
  createdAt: Date
  /** Its content is kept, and has not lost its meaning. */
  isResendable: boolean
  /** Those that failed. */
  deliveries: DeliveryStatus[]
}

/** After the message at this place; the time is that of its acceptance, ms since the epoch. */
export interface FailedCursor {
  createdAt: number
  id: string
}

export interface FailedListing {
  appId: string
  /** Accepted at this time or later; ms since the epoch. */
  from: number
  /** Accepted before; ms since the epoch. */
  to: number
  /** Undefined = any. */
  reason: string | undefined
  after: FailedCursor | undefined
  size: number
}

/** Nothing that has failed waits for anything. */
const ENDED = { reason: 'd.reason', nextAt: 'd.next_attempt_at' }

/** A row for each message, or a single one without a message. */
const FAILED = statement({
  name: 'message-failed',
  text: `WITH app AS MATERIALIZED (SELECT id FROM applications WHERE app_id = $1),
    examined AS MATERIALIZED (
      SELECT m.id, m.user_id, m.created_at, m.body IS NOT NULL AND (m.valid_until IS NULL OR m.valid_until > now()) AS resendable
      FROM messages m, app WHERE m.application_id = app.id AND (m.created_at, m.id) > ($2::timestamptz, $3::uuid) AND m.created_at < $4
      ORDER BY m.created_at, m.id LIMIT ${EXAMINED}),
    hits AS (
      SELECT e.*, f.deliveries FROM examined e CROSS JOIN LATERAL (
        SELECT json_agg(${deliveryJson(ENDED)} ORDER BY d.id) AS deliveries FROM deliveries d
        WHERE d.message_id = e.id AND d.status = 'failed' AND ($5::text IS NULL OR d.reason = $5)) AS f
      WHERE f.deliveries IS NOT NULL ORDER BY e.created_at, e.id LIMIT $6)
    SELECT l.id AS "lastId", l.created_at AS "lastAt", (SELECT count(*) = ${EXAMINED} FROM examined) AS "isMore",
      h.id, h.user_id AS "userId", h.created_at AS "createdAt", h.resendable AS "isResendable", h.deliveries
    FROM app LEFT JOIN hits h ON true LEFT JOIN LATERAL (
      SELECT id, created_at FROM examined ORDER BY created_at DESC, id DESC LIMIT 1) AS l ON true
    ORDER BY h.created_at, h.id`,
  notNull: { isMore: 'count is never null' },
  nullable: [5],
}).narrow<{ deliveries: DeliveryStatus[] | null }>()

type Columns = { [K in keyof FailedMessage]: FailedMessage[K] | null }
const isMessage = <R extends Columns>(row: R): row is R & FailedMessage => row.id !== null

export interface FailedPage {
  messages: FailedMessage[]
  /** Where the next page begins; undefined = this is the last one. */
  next: FailedCursor | undefined
}

const FIRST_ID = '00000000-0000-0000-0000-000000000000'

export const openFailedMessages = (database: Database) => ({
  /** Oldest first; undefined when there is no such application. */
  async failed({ appId, from, to, reason, after, size }: FailedListing): Promise<FailedPage | undefined> {
    const { createdAt, id } = after ?? { createdAt: from, id: FIRST_ID }
    const times = [new Date(createdAt), id, new Date(to)] as const
    const rows = await database.query(FAILED, [appId, ...times, reason ?? null, size])
    const [first] = rows
    if (!first) return undefined
    const messages = rows.filter(isMessage)
    const last = messages.length === size ? messages.at(-1) : undefined
    if (last) return { messages, next: { createdAt: last.createdAt.getTime(), id: last.id } }
    const { isMore, lastAt, lastId } = first
    return {
      messages,
      next: isMore && lastAt && lastId !== null ? { createdAt: lastAt.getTime(), id: lastId } : undefined,
    }
  },
})
