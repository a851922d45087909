// Messages that are sent again: what is kept of one, whom it has reached already, and which messages send it again. The link is written
// before the message is stored, so that of two calls at once the second one knows of the first.
import type { MessageBody, Platform } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

/** A message as it was accepted. */
export interface KeptMessage {
  id: string
  appId: string
  userId: string
  activationId: string | null
  priority: 'HIGH' | 'NORMAL'
  silent: boolean
  personal: boolean
  /** Null = all. */
  platforms: Platform[] | null
  /** Null: its content is gone, or was never kept. */
  body: MessageBody | null
  validUntil: Date | null
}

/** A device that has the message, or is still being pushed to. */
export interface ReachedDevice {
  deviceId: number
  platform: Platform
  token: string
}

const FIND = statement({
  name: 'resend-find',
  text: `SELECT m.id, coalesce(a.app_id, '') AS "appId", m.user_id AS "userId", m.activation_id AS "activationId", m.priority, m.silent,
      m.personal, m.platforms, m.body, m.valid_until AS "validUntil"
    FROM messages m JOIN applications a ON a.id = m.application_id WHERE m.id = $1`,
  notNull: { appId: 'coalesced with a constant' },
}).narrow<{ body: MessageBody | null; priority: KeptMessage['priority']; platforms: Platform[] | null }>()

/** A lock of its own: the first message of the row may be gone. */
const LOCK = statement({
  name: 'resend-lock',
  text: `SELECT origin AS "originId", pg_advisory_xact_lock(hashtextextended('resend ' || origin, 0)) AS locked
    FROM (SELECT coalesce((SELECT origin_id FROM message_resends WHERE message_id = $1), $1::uuid) AS origin) AS o`,
  notNull: { originId: 'coalesced with a value' },
})

/** Unless another one was begun at most $3 ms ago and is not stored yet: what it will reach is not known. */
const BEGIN = statement({
  name: 'resend-begin',
  text: `INSERT INTO message_resends (message_id, origin_id) SELECT $1, $2::uuid WHERE NOT EXISTS (
      SELECT FROM message_resends r WHERE r.origin_id = $2 AND r.created_at > now() - $3 * interval '1 ms'
        AND NOT EXISTS (SELECT FROM messages m WHERE m.id = r.message_id)) RETURNING message_id`,
})

const REACHED = statement({
  name: 'resend-reached',
  text: `SELECT DISTINCT d.device_id AS "deviceId", d.platform, d.token FROM deliveries d
    WHERE d.status IN ('sent', 'pending') AND d.message_id IN (
      SELECT $1::uuid UNION ALL SELECT message_id FROM message_resends WHERE origin_id = $1)`,
}).narrow<{ platform: Platform }>()

const ABANDON = statement({
  name: 'resend-abandon',
  text: 'DELETE FROM message_resends WHERE message_id = $1',
})

export interface NewResend {
  /** The message that is sent again. */
  id: string
  /** The message that will send it. */
  messageId: string
  /** How long a resend that was begun may take until it is stored, ms. */
  leaseMs: number
}

export const openResends = (database: Database) => ({
  /** `id` must be a UUID. */
  async findKept(id: string): Promise<KeptMessage | undefined> {
    const [message] = await database.query(FIND, [id])
    return message
  },

  /** Resolves with the devices that need not get it again. Undefined: another resend of it is being stored. */
  beginResend: ({ id, messageId, leaseMs }: NewResend): Promise<ReachedDevice[] | undefined> =>
    database.transaction(async (connection) => {
      const [lock] = await connection.query(LOCK, [id])
      if (!lock) return undefined
      const [begun] = await connection.query(BEGIN, [messageId, lock.originId, leaseMs])
      return begun && connection.query(REACHED, [lock.originId])
    }),

  /** Nothing was stored. */
  async abandonResend(messageId: string): Promise<void> {
    await database.query(ABANDON, [messageId])
  },
})
