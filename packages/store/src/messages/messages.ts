// Messages: who gets one and, with the two files beside, what is stored of it and what became of it.
import type { MessageBody, Platform } from '@push-server/contract'
import { PAUSED } from '../chunks/claims.ts'
import type { Database } from '../connection/database.ts'
import { IS_OUTDATED, RESPELLING } from '../devices/respelling.ts'
import type { StatusCount } from './status.ts'
import { statement } from '../connection/statement.ts'

/** A device that a message may go to. */
export interface Recipient {
  deviceId: number
  userId: string
  activationId: string
  platform: Platform
  environment: string | null
  token: string
  active: boolean
}

export interface Audience {
  applicationId: number
  /** Platforms that have credentials. */
  configured: Platform[]
  /** Latest registration first. */
  recipients: Recipient[]
}

export interface NewMessage {
  id: string
  userId: string
  activationId: string | null
  priority: 'HIGH' | 'NORMAL'
  silent: boolean
  personal: boolean
  body: MessageBody
  /** Milliseconds since the epoch. */
  validUntil: number | null
}

export interface NewChunk {
  seed: string
  platform: Platform
  total: number
}

export interface NewDelivery {
  messageId: string
  /** Seed of its chunk and place in it; null when nothing is to be pushed. */
  chunk: { seed: string; position: number } | null
  recipient: Recipient
  status: 'pending' | 'failed' | 'skipped'
  reason: string | null
}

export interface NewMessages {
  applicationId: number
  messages: readonly NewMessage[]
  chunks: readonly NewChunk[]
  deliveries: readonly NewDelivery[]
  /** Channel on which a gateway waits for the chunks. */
  waiter: string | null
  maxAgeMs: number
}

/** One row for each recipient, or a single one without a device. */
const AUDIENCE = statement({
  name: 'message-audience',
  text: `SELECT a.id AS "applicationId", ARRAY(SELECT platform FROM credentials k WHERE k.application_id = a.id) AS configured,
      d.id AS "deviceId", d.user_id AS "userId", d.activation_id AS "activationId", d.platform, d.environment, d.token, d.active,
      ${RESPELLING} AS respelling
    FROM applications a
    LEFT JOIN devices d ON d.application_id = a.id AND d.user_id = ANY($2) AND d.dropped_at IS NULL
    WHERE a.app_id = $1 ORDER BY d.registered_at DESC, d.id DESC`,
  notNull: { configured: 'ARRAY of a query is never null', respelling: 'EXISTS is never null' },
}).narrow<{ configured: Platform[]; platform: Platform | null }>()

/** Which of the devices are another phone's by now: read until the respelling is over. */
const OUTDATED = statement({
  name: 'message-outdated',
  text: `SELECT d.id FROM devices d WHERE d.id = ANY($1) AND ${IS_OUTDATED}`,
})

const TALLY = statement({
  name: 'message-tally',
  text: `SELECT platform, status, count(*)::int AS count FROM deliveries
    WHERE message_id = ANY($1) AND status <> 'skipped' GROUP BY platform, status`,
  notNull: { count: 'count is never null' },
}).narrow<{ platform: Platform }>()

/** A chunk that no worker has released yet, though one could claim it. */
export interface AwaitedChunk {
  id: number
  applicationId: number
  platform: Platform
}

const AWAITED = statement({
  name: 'message-awaited',
  text: `SELECT c.id, c.application_id AS "applicationId", c.platform FROM chunks c
    WHERE c.id IN (SELECT d.chunk_id FROM deliveries d WHERE d.message_id = ANY($1) AND d.status = 'pending')
      AND c.settled_at IS NULL AND c.try = 0 AND NOT ${PAUSED}`,
}).narrow<{ platform: Platform }>()

/** The columns of a device are null together, but for its environment. */
const isRecipient = <R extends { [K in keyof Recipient]: Recipient[K] | null }>(row: R): row is R & Recipient =>
  row.deviceId !== null

export const openMessages = (database: Database) => {
  async function withoutOutdated(recipients: Recipient[]): Promise<Recipient[]> {
    const onIos = recipients.filter(({ platform }) => platform === 'ios').map(({ deviceId }) => deviceId)
    if (onIos.length === 0) return recipients
    const outdated = new Set((await database.query(OUTDATED, [onIos])).map(({ id }) => id))
    return recipients.filter(({ deviceId }) => !outdated.has(deviceId))
  }

  return {
    /** The application and every device of the given users in it; undefined when there is no such application. */
    async audience(appId: string, userIds: readonly string[]): Promise<Audience | undefined> {
      const rows = await database.query(AUDIENCE, [appId, userIds])
      const [first] = rows
      if (!first) return undefined
      const recipients = rows.filter(isRecipient)
      const { applicationId, configured, respelling } = first
      return { applicationId, configured, recipients: respelling ? await withoutOutdated(recipients) : recipients }
    },

    /** How many deliveries of the messages have which status, skipped ones left out. */
    tally: (messageIds: readonly string[]): Promise<StatusCount[]> => database.query(TALLY, [messageIds]),

    /** The chunks of the messages that are still to be released for the first time. */
    awaited: (messageIds: readonly string[]): Promise<AwaitedChunk[]> => database.query(AWAITED, [messageIds]),
  }
}
export type Messages = ReturnType<typeof openMessages>
