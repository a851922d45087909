// What became of messages, for those who ask later.
import type { Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface StatusCount {
  platform: Platform
  status: string
  count: number
}

export interface MessageHead {
  id: string
  appId: string
  userId: string
  createdAt: Date
}

export interface DeliveryStatus {
  activationId: string
  platform: Platform
  status: 'pending' | 'sent' | 'failed' | 'skipped'
  /** Of a pending one: why its last attempt failed, or that its platform is paused and why. */
  reason: string | null
  attempts: number
  /** Apple's id of the push in its push console: the development service gives one. */
  apnsUniqueId: string | null
  /** Milliseconds since the epoch; null unless another attempt waits for its time. */
  nextAttemptAt: number | null
  /** Milliseconds since the epoch. */
  updatedAt: number
}

/** What is shown of why a delivery `d` waits, and until when, as SQL; `p` is the pause of its platform, if any. */
export const SHOWN = {
  reason: `coalesce('Paused: ' || p.reason, d.reason)`,
  nextAt: 'greatest(d.next_attempt_at, p.next_probe_at)',
}

/** A `DeliveryStatus` of the delivery `d`, as SQL. */
export const deliveryJson = ({
  reason,
  nextAt,
}: typeof SHOWN) => `json_build_object('activationId', d.activation_id, 'platform', d.platform,
          'status', d.status, 'reason', ${reason}, 'attempts', d.attempts,
          'apnsUniqueId', CASE WHEN d.platform = 'ios' THEN nullif(split_part(d.provider_id, ' ', 2), '') END,
          'nextAttemptAt', extract(epoch FROM ${nextAt}) * 1000,
          'updatedAt', extract(epoch FROM d.updated_at) * 1000)`

const FIND = statement({
  name: 'message-find',
  text: `SELECT m.id, a.app_id AS "appId", m.user_id AS "userId", m.created_at AS "createdAt",
      (SELECT coalesce(json_agg(${deliveryJson(SHOWN)} ORDER BY d.id), '[]')
        FROM deliveries d LEFT JOIN provider_pauses p ON p.application_id = m.application_id AND p.platform = d.platform
          AND p.lanes = 'all' AND d.status = 'pending'
        WHERE d.message_id = m.id) AS deliveries
    FROM messages m JOIN applications a ON a.id = m.application_id WHERE m.id = $1`,
  notNull: { deliveries: 'coalesced with a constant' },
}).narrow<{ deliveries: DeliveryStatus[] }>()

/** One row for each message of the page, or a single one without a message. Ids grow with time, so they settle ties. */
const LIST = statement({
  name: 'message-list',
  text: `SELECT m.id, a.app_id AS "appId", m.user_id AS "userId", m.created_at AS "createdAt",
      (SELECT coalesce(json_agg(t), '[]') FROM (
        SELECT d.platform, d.status, count(*) AS count FROM deliveries d
        WHERE d.message_id = m.id AND d.status <> 'skipped' GROUP BY d.platform, d.status) t) AS counts
    FROM applications a
    LEFT JOIN LATERAL (
      SELECT id, user_id, created_at FROM messages WHERE application_id = a.id AND user_id = $2
      ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $3) m ON true
    WHERE a.app_id = $1 ORDER BY m.created_at DESC, m.id DESC`,
  notNull: { counts: 'coalesced with a constant', appId: 'the condition compares it' },
}).narrow<{ counts: StatusCount[] }>()

export interface MessageListing {
  appId: string
  userId: string
  /** From 0. */
  page: number
  size: number
}

type Listed = MessageHead & { counts: StatusCount[] }

/** The columns of a message are null together. */
const isMessage = (row: { [K in keyof Listed]: Listed[K] | null }): row is Listed => row.id !== null

export const openMessageStatus = (database: Database) => ({
  /** `id` must be a UUID. Deliveries come in the order in which they were stored. */
  async find(id: string): Promise<(MessageHead & { deliveries: DeliveryStatus[] }) | undefined> {
    const [message] = await database.query(FIND, [id])
    // A removed application has no name, and keeps its messages until they are cleared.
    return message && { ...message, appId: message.appId ?? '' }
  },

  /** Newest first, skipped deliveries not counted; undefined when there is no such application. */
  async list(listing: MessageListing): Promise<(MessageHead & { counts: StatusCount[] })[] | undefined> {
    const { appId, userId, page, size } = listing
    const rows = await database.query(LIST, [appId, userId, page * size, size])
    if (rows.length === 0) return undefined
    return rows.filter(isMessage)
  },
})
