// Messages: who gets one, what is stored of it, and what became of it.
import type { MessageBody, Platform } from '@push-server/contract'
import type { Database, Statement } from './database.ts'

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

export interface StoredChunk {
  id: number
  platform: Platform
  /** Its platform is paused: it waits without a job. */
  paused: boolean
}

/** One row for each recipient, or a single one without a device. */
const AUDIENCE: Statement = {
  name: 'message-audience',
  text: `SELECT a.id AS "applicationId", ARRAY(SELECT platform FROM credentials k WHERE k.application_id = a.id) AS configured,
      d.id AS "deviceId", d.user_id AS "userId", d.activation_id AS "activationId", d.platform, d.environment, d.token, d.active
    FROM applications a
    LEFT JOIN devices d ON d.application_id = a.id AND d.user_id = ANY($2) AND d.dropped_at IS NULL
    WHERE a.app_id = $1 ORDER BY d.registered_at DESC, d.id DESC`,
}

/** One statement, so one transaction: all of a request is stored, or nothing. */
const STORE: Statement = {
  name: 'message-store',
  text: `WITH message AS (
      INSERT INTO messages (id, application_id, user_id, activation_id, priority, silent, personal, body, valid_until)
      SELECT m.id, $1, m.user_id, m.activation_id, m.priority, m.silent, m.personal, m.body::jsonb, m.valid_until
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::bool[], $8::text[], $9::timestamptz[])
        AS m(id, user_id, activation_id, priority, silent, personal, body, valid_until)),
    chunk AS (
      INSERT INTO chunks (application_id, platform, lane, seed, total, waiter, expires_at)
      SELECT $1, c.platform, 'direct', c.seed, c.total, $13, now() + $14 * interval '1 ms'
      FROM unnest($10::uuid[], $11::text[], $12::int[]) AS c(seed, platform, total)
      RETURNING id, seed, application_id, platform, lane),
    delivery AS (
      INSERT INTO deliveries (message_id, chunk_id, position, device_id, activation_id, platform, environment, token, status, reason)
      SELECT d.message_id, chunk.id, d.position, d.device_id, d.activation_id, d.platform, d.environment, d.token, d.status, d.reason
      FROM unnest($15::uuid[], $16::uuid[], $17::smallint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[],
          $23::text[], $24::text[])
        AS d(message_id, seed, position, device_id, activation_id, platform, environment, token, status, reason)
      LEFT JOIN chunk ON chunk.seed = d.seed)
    SELECT c.id, c.platform, EXISTS (SELECT FROM provider_pauses p WHERE p.application_id = c.application_id
      AND p.platform = c.platform AND p.lanes = 'all') AS paused
    FROM chunk c`,
}

const TALLY: Statement = {
  name: 'message-tally',
  text: `SELECT platform, status, count(*)::int AS count FROM deliveries
    WHERE message_id = ANY($1) AND status <> 'skipped' GROUP BY platform, status`,
}

const column = <T, K extends keyof T>(rows: readonly T[], key: K) => rows.map((row) => row[key])

const messageColumns = (messages: readonly NewMessage[]) => [
  column(messages, 'id'),
  column(messages, 'userId'),
  column(messages, 'activationId'),
  column(messages, 'priority'),
  column(messages, 'silent'),
  column(messages, 'personal'),
  messages.map((message) => JSON.stringify(message.body)),
  messages.map(({ validUntil }) => (validUntil === null ? null : new Date(validUntil))),
]

const deliveryColumns = (deliveries: readonly NewDelivery[]) => {
  const recipients = column(deliveries, 'recipient')
  return [
    column(deliveries, 'messageId'),
    deliveries.map(({ chunk }) => chunk?.seed ?? null),
    deliveries.map(({ chunk }) => chunk?.position ?? null),
    column(recipients, 'deviceId'),
    column(recipients, 'activationId'),
    column(recipients, 'platform'),
    column(recipients, 'environment'),
    column(recipients, 'token'),
    column(deliveries, 'status'),
    column(deliveries, 'reason'),
  ]
}

export const openMessages = (database: Database) => ({
  /** The application and every device of the given users in it; undefined when there is no such application. */
  async audience(appId: string, userIds: readonly string[]): Promise<Audience | undefined> {
    type Row = Omit<Audience, 'recipients'> & { [K in keyof Recipient]: Recipient[K] | null }
    const rows = await database.query<Row>(AUDIENCE, [appId, userIds])
    const [first] = rows
    if (!first) return undefined
    const recipients = rows.filter((row) => row.deviceId !== null) as unknown as Recipient[]
    return { applicationId: first.applicationId, configured: first.configured, recipients }
  },

  /** Stores all of a request in one transaction and answers its chunks. */
  store: ({ applicationId, messages, chunks, deliveries, waiter, maxAgeMs }: NewMessages): Promise<StoredChunk[]> =>
    database.query(STORE, [
      applicationId,
      ...messageColumns(messages),
      column(chunks, 'seed'),
      column(chunks, 'platform'),
      column(chunks, 'total'),
      waiter,
      maxAgeMs,
      ...deliveryColumns(deliveries),
    ]),

  /** How many deliveries of the messages have which status, skipped ones left out. */
  tally: (messageIds: readonly string[]): Promise<{ platform: Platform; status: string; count: number }[]> =>
    database.query(TALLY, [messageIds]),
})
export type Messages = ReturnType<typeof openMessages>
