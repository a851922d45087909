// What is stored of a request: messages, chunks and deliveries in one statement, under an idempotency key or without.
import type { Platform } from '@push-server/contract'
import { confirmed } from '../connection/confirmation.ts'
import type { Database } from '../connection/database.ts'
import type { NewDelivery, NewMessage, NewMessages } from './messages.ts'
import { statement, type ValuesOf } from '../connection/statement.ts'

export interface StoredChunk {
  id: number
  platform: Platform
  /** Its platform is paused: it waits without a job. */
  paused: boolean
}

/** The caller's name for a request. */
export interface NewKey {
  key: string
  /** Of what is to be sent. */
  digest: Buffer
  /** How long the request can be repeated. */
  ageMs: number
}

/** A request that was stored under a key. */
export interface KeyedRequest {
  digest: Buffer
  messageIds: string[]
}

interface Parts {
  /** A first part that the others hang on. */
  key?: string
  /** A condition that decides for all rows at once. */
  gate?: string
  result: string
}

const storing = ({ key = '', gate = '', result }: Parts) => `WITH ${key} message AS (
      INSERT INTO messages (id, application_id, user_id, activation_id, priority, silent, personal, body, valid_until, keyed)
      SELECT m.id, $1, m.user_id, m.activation_id, m.priority, m.silent, m.personal, m.body::jsonb, m.valid_until, ${key !== ''}
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::bool[], $8::text[], $9::timestamptz[])
        AS m(id, user_id, activation_id, priority, silent, personal, body, valid_until) ${gate}),
    chunk AS (
      INSERT INTO chunks (application_id, platform, lane, seed, total, waiter, expires_at)
      SELECT $1, c.platform, 'direct', c.seed, c.total, $13, now() + $14 * interval '1 ms'
      FROM unnest($10::uuid[], $11::text[], $12::int[]) AS c(seed, platform, total) ${gate}
      RETURNING id, seed, application_id, platform, lane),
    delivery AS (
      INSERT INTO deliveries (message_id, chunk_id, position, device_id, activation_id, platform, environment, token, status, reason)
      SELECT d.message_id, chunk.id, d.position, d.device_id, d.activation_id, d.platform, d.environment, d.token, d.status, d.reason
      FROM unnest($15::uuid[], $16::uuid[], $17::smallint[], $18::bigint[], $19::text[], $20::text[], $21::text[], $22::text[],
          $23::text[], $24::text[])
        AS d(message_id, seed, position, device_id, activation_id, platform, environment, token, status, reason)
      LEFT JOIN chunk ON chunk.seed = d.seed ${gate})
    ${result}`

const IS_PAUSED = `EXISTS (SELECT FROM provider_pauses p WHERE p.application_id = c.application_id
  AND p.platform = c.platform AND p.lanes = 'all') AS paused`

/** One statement, so one transaction: all of a request is stored, or nothing. */
const STORE = statement({
  name: 'message-store',
  text: storing({ result: `SELECT c.id, c.platform, ${IS_PAUSED} FROM chunk c` }),
  notNull: {
    id: 'each row is a chunk; the outer join is that of deliveries',
    platform: 'each row is a chunk; the outer join is that of deliveries',
    paused: 'EXISTS is never null',
  },
  nullable: [13],
  nullableElements: [4, 8, 9, 16, 17, 21, 24],
}).narrow<{ platform: Platform }>()

/**
 * The same under a key. Of two requests at once one stores; the other waits for its end, finds the key taken and gets the
 * first one's row in place of its own. A key past its age counts as free, whether or not its row was removed yet.
 */
const STORE_ONCE = statement({
  name: 'message-store-once',
  text: storing({
    key: `key AS (
      INSERT INTO idempotency_keys AS k (application_id, key, digest, message_ids, expires_at)
      VALUES ($1, $25, $26, $2, now() + $27 * interval '1 ms')
      ON CONFLICT (application_id, key) DO UPDATE SET
        digest = CASE WHEN k.expires_at > now() THEN k.digest ELSE excluded.digest END,
        message_ids = CASE WHEN k.expires_at > now() THEN k.message_ids ELSE excluded.message_ids END,
        expires_at = CASE WHEN k.expires_at > now() THEN k.expires_at ELSE excluded.expires_at END
      RETURNING digest, message_ids),`,
    gate: 'WHERE (SELECT message_ids FROM key) = $2',
    result: `SELECT key.digest, key.message_ids AS "messageIds", key.message_ids = $2 AS stored, c.id, c.platform, ${IS_PAUSED}
    FROM key LEFT JOIN chunk c ON true`,
  }),
  notNull: {
    digest: 'key is on the side of the join that is always there',
    messageIds: 'key is on the side of the join that is always there',
    stored: 'compares two lists that are not null',
  },
  nullable: [13],
  nullableElements: [4, 8, 9, 16, 17, 21, 24],
}).narrow<{ messageIds: string[]; platform: Platform | null }>()

const KEPT = 'a key is written with its messages'

const FIND_KEYED = statement({
  name: 'message-find-keyed',
  text: `SELECT k.digest, k.message_ids AS "messageIds" FROM idempotency_keys k JOIN applications a ON a.id = k.application_id
    WHERE a.app_id = $1 AND k.key = $2 AND k.expires_at > now()`,
  notNull: { messageIds: KEPT },
}).narrow<{ messageIds: string[] }>()

/** One row at least when the message is there; of its chunks those that are not settled. */
const FIND_STORED = statement({
  name: 'message-find-stored',
  text: `SELECT c.id, c.platform, ${IS_PAUSED} FROM messages m LEFT JOIN chunks c ON c.settled_at IS NULL
      AND c.id IN (SELECT d.chunk_id FROM deliveries d WHERE d.message_id = ANY($1))
    WHERE m.id = ($1::uuid[])[1]`,
}).narrow<{ platform: Platform | null }>()

const FIND_UNDER_KEY = statement({
  name: 'message-find-under-key',
  text: `SELECT digest, message_ids AS "messageIds" FROM idempotency_keys
    WHERE application_id = $1 AND key = $2 AND expires_at > now()`,
  notNull: { messageIds: KEPT },
}).narrow<{ messageIds: string[] }>()

const column = <T, K extends keyof T>(rows: readonly T[], key: K) => rows.map((row) => row[key])

/** The content of a message without recipients is not kept. */
const messageColumns = (messages: readonly NewMessage[], deliveries: readonly NewDelivery[]) => {
  const pushed = new Set(deliveries.flatMap(({ chunk, messageId }) => (chunk === null ? [] : messageId)))
  return [
    column(messages, 'id'),
    column(messages, 'userId'),
    column(messages, 'activationId'),
    column(messages, 'priority'),
    column(messages, 'silent'),
    column(messages, 'personal'),
    messages.map(({ id, body }) => (pushed.has(id) ? JSON.stringify(body) : null)),
    messages.map(({ validUntil }) => (validUntil === null ? null : new Date(validUntil))),
  ] as const
}

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
  ] as const
}

const valuesOf = ({
  applicationId,
  messages,
  chunks,
  deliveries,
  waiter,
  maxAgeMs,
}: NewMessages): ValuesOf<'message-store'> => [
  applicationId,
  ...messageColumns(messages, deliveries),
  column(chunks, 'seed'),
  column(chunks, 'platform'),
  column(chunks, 'total'),
  waiter,
  maxAgeMs,
  ...deliveryColumns(deliveries),
]

/** Without a chunk there is one row that has none. */
type ChunkRow = { [K in keyof StoredChunk]: StoredChunk[K] | null }

const chunksOf = (rows: readonly ChunkRow[]): StoredChunk[] =>
  rows.flatMap(({ id, platform, paused }) =>
    id === null || platform === null ? [] : { id, platform, paused: paused ?? false },
  )

export const openMessageStoring = (database: Database) => {
  async function storeUnderKey(request: NewMessages, { key, digest, ageMs }: NewKey) {
    const rows = await database.query(STORE_ONCE, [...valuesOf(request), key, digest, ageMs])
    const [first] = rows
    if (first && !first.stored) return { digest: first.digest, messageIds: first.messageIds }
    return chunksOf(rows)
  }

  /** All of a request is there or nothing: no other request has its ids. */
  async function findStored({ messages }: NewMessages): Promise<StoredChunk[] | undefined> {
    const rows = await database.query(FIND_STORED, [column(messages, 'id')])
    return rows.length > 0 ? chunksOf(rows) : undefined
  }

  async function findUnderKey(request: NewMessages, { key }: NewKey) {
    const [found] = await database.query(FIND_UNDER_KEY, [request.applicationId, key])
    const isAnothers = found !== undefined && found.messageIds[0] !== request.messages[0]?.id
    return isAnothers ? found : findStored(request)
  }

  return {
    /** Stores all of a request in one transaction and resolves with its chunks. When the response is lost, they are read again. */
    store: (request: NewMessages): Promise<StoredChunk[]> =>
      confirmed(
        database,
        () => database.query(STORE, valuesOf(request)),
        () => findStored(request),
      ),

    /** The same unless the key is taken: then nothing is stored, and it resolves with what stands under the key. */
    storeOnce: (request: NewMessages, key: NewKey): Promise<StoredChunk[] | KeyedRequest> =>
      confirmed<StoredChunk[] | KeyedRequest>(
        database,
        () => storeUnderKey(request, key),
        () => findUnderKey(request, key),
      ),

    /** The request that stands under a key of the application and can still be repeated. */
    async findKeyed(appId: string, key: string): Promise<KeyedRequest | undefined> {
      const [request] = await database.query(FIND_KEYED, [appId, key])
      return request
    },
  }
}
