// What is stored of many requests at once: messages, chunks and deliveries in one statement, under idempotency keys or without.
import { IS_OPEN } from '../chunks/open-chunks.ts'
import type { Platform } from '@push-server/contract'
import { confirmed } from '../connection/confirmation.ts'
import type { Database } from '../connection/database.ts'
import type { KeyedRequest, NewBatch, NewKeyedRequest, NewRequest, StoredBatch, StoredChunk } from './batch.ts'
import { chunkColumns, columnOf, deliveryColumns, keyColumns, messageColumns, requestColumns } from './batch-columns.ts'
import { statement } from '../connection/statement.ts'

export interface StoredKeyedBatch extends StoredBatch {
  /** What stands under the key of each request, in their order; undefined when its application has gone. */
  requests: readonly (KeyedRequest | undefined)[]
}

/** An array whose length the planner does not see: it would plan for each length anew. */
const array = (place: number, type: string) => `(SELECT $${place}::${type}[])::${type}[]`

const IS_PAUSED = `EXISTS (SELECT FROM provider_pauses p WHERE p.application_id = c.application_id
  AND p.platform = c.platform AND p.lanes = 'all')`

interface Parts {
  /** `request(place)`: the requests that are stored, by their place, and parts that they stand on. */
  requests: string
  result: string
  keyed: boolean
}

/**
 * A chunk has the deliveries of several requests, of which some may not be stored: so its total is counted here. Deliveries of a chunk
 * that is to be sent later have that time as well: whatever makes the chunk due before then pushes none of them. A time stored is
 * rounded to milliseconds, and so may be half of one ahead of now.
 */
const storing = ({ requests, result, keyed }: Parts) => `WITH app AS MATERIALIZED (
      SELECT id FROM applications WHERE id = ANY(${array(1, 'int')}) AND app_id IS NOT NULL),
    ${requests}
    message AS (
      INSERT INTO messages (id, application_id, user_id, activation_id, priority, silent, personal, body, valid_until, platforms, keyed,
        correlation_id, trace_context)
      SELECT m.id, m.application_id, m.user_id, m.activation_id, m.priority, m.silent, m.personal, m.body::jsonb, m.valid_until,
        m.platforms::text[], ${keyed}, request.correlation_id, request.trace_context
      FROM unnest(${array(2, 'int')}, ${array(3, 'int')}, ${array(4, 'uuid')}, ${array(5, 'text')}, ${array(6, 'text')}, ${array(7, 'text')},
          ${array(8, 'bool')}, ${array(9, 'bool')}, ${array(10, 'text')}, ${array(11, 'timestamptz')}, ${array(12, 'text')})
        AS m(request, application_id, id, user_id, activation_id, priority, silent, personal, body, valid_until, platforms)
      JOIN request ON request.place = m.request),
    given AS MATERIALIZED (
      SELECT d.* FROM unnest(${array(13, 'int')}, ${array(14, 'uuid')}, ${array(15, 'uuid')}, ${array(16, 'smallint')}, ${array(17, 'bigint')},
          ${array(18, 'text')}, ${array(19, 'text')}, ${array(20, 'text')}, ${array(21, 'text')}, ${array(22, 'text')}, ${array(23, 'text')})
        WITH ORDINALITY
        AS d(request, message_id, seed, position, device_id, activation_id, platform, environment, token, status, reason, place)
      JOIN request ON request.place = d.request),
    chunk AS (
      INSERT INTO chunks (application_id, platform, lane, seed, total, waiter, due_at, expires_at)
      SELECT c.application_id, c.platform, 'direct', c.seed, part.total, c.waiter, coalesce(c.send_at, now()),
        greatest(c.send_at, now()) + $29 * interval '1 ms'
      FROM unnest(${array(24, 'uuid')}, ${array(25, 'int')}, ${array(26, 'text')}, ${array(27, 'text')}, ${array(28, 'timestamptz')})
        AS c(seed, application_id, platform, waiter, send_at)
      JOIN (SELECT seed, count(*)::int AS total FROM given WHERE seed IS NOT NULL GROUP BY seed) AS part ON part.seed = c.seed
      RETURNING id, seed, application_id, platform, total, due_at),
    delivery AS (
      INSERT INTO deliveries (message_id, chunk_id, position, device_id, activation_id, platform, environment, token, status, reason,
        next_attempt_at)
      SELECT d.message_id, chunk.id, d.position, d.device_id, d.activation_id, d.platform, d.environment, d.token, d.status, d.reason,
        CASE WHEN chunk.due_at > now() + interval '1 ms' THEN chunk.due_at END
      FROM given d LEFT JOIN chunk ON chunk.seed = d.seed ORDER BY d.place)
    ${result}`

const CHUNK_COLUMNS = `c.id, c.seed, c.platform, c.application_id AS "applicationId", c.total AS size, ${IS_PAUSED} AS paused`

const NULLABLE = { nullableElements: [6, 10, 11, 12, 15, 16, 20, 23, 27, 28, 32, 33] }

/** One statement, so one transaction: all of the requests is stored, or nothing. A row for each application without a chunk too. */
const STORE = statement({
  name: 'message-store',
  text: storing({
    keyed: false,
    requests: `request AS (
      SELECT r.place, r.correlation_id, r.trace_context
      FROM unnest(${array(30, 'int')}, ${array(31, 'int')}, ${array(32, 'text')}, ${array(33, 'text')})
        AS r(place, application_id, correlation_id, trace_context) JOIN app ON app.id = r.application_id),`,
    result: `SELECT app.id AS "storedId", ${CHUNK_COLUMNS} FROM app LEFT JOIN chunk c ON c.application_id = app.id`,
  }),
  ...NULLABLE,
}).narrow<{ platform: Platform | null }>()

/**
 * The same under keys. Of two requests at once one stores; the other waits for its end, finds the key taken and gets the
 * first one's row in place of its own. A key past its age counts as free, whether or not its row was removed yet. Keys are
 * taken in one order, so that two batches wait for one another but never in a circle.
 */
const STORE_KEYED = statement({
  name: 'message-store-keyed',
  text: storing({
    keyed: true,
    requests: `asked AS MATERIALIZED (
      SELECT r.place, r.application_id, r.correlation_id, r.trace_context, r.key, r.digest, r.message_ids::uuid[] AS message_ids
      FROM unnest(${array(30, 'int')}, ${array(31, 'int')}, ${array(32, 'text')}, ${array(33, 'text')}, ${array(34, 'text')}, ${array(35, 'bytea')},
          ${array(36, 'text')})
        AS r(place, application_id, correlation_id, trace_context, key, digest, message_ids) JOIN app ON app.id = r.application_id),
    key AS (
      INSERT INTO idempotency_keys AS k (application_id, key, digest, message_ids, expires_at)
      SELECT application_id, key, digest, message_ids, now() + $37 * interval '1 ms' FROM asked ORDER BY application_id, key
      ON CONFLICT (application_id, key) DO UPDATE SET
        digest = CASE WHEN k.expires_at > now() THEN k.digest ELSE excluded.digest END,
        message_ids = CASE WHEN k.expires_at > now() THEN k.message_ids ELSE excluded.message_ids END,
        expires_at = CASE WHEN k.expires_at > now() THEN k.expires_at ELSE excluded.expires_at END
      RETURNING application_id, key, digest, message_ids),
    decided AS MATERIALIZED (
      SELECT asked.place, asked.application_id, asked.correlation_id, asked.trace_context, key.digest, key.message_ids, key.message_ids = asked.message_ids AS stored
      FROM asked JOIN key ON key.application_id = asked.application_id AND key.key = asked.key),
    request AS (SELECT place, correlation_id, trace_context FROM decided WHERE stored),`,
    result: `SELECT decided.place, decided.digest, decided.message_ids AS "messageIds", decided.application_id AS "storedId",
      NULL::bigint AS id, NULL::uuid AS seed, NULL::text AS platform, NULL::int AS "applicationId", NULL::int AS size, false AS paused FROM decided
    UNION ALL SELECT NULL, NULL, NULL, NULL, ${CHUNK_COLUMNS} FROM chunk c`,
  }),
  ...NULLABLE,
}).narrow<{ messageIds: string[] | null; platform: Platform | null }>()

const FIND_KEYED = statement({
  name: 'message-find-keyed',
  text: `SELECT a.app_id AS "appId", k.key, k.digest, k.message_ids AS "messageIds"
    FROM unnest(${array(1, 'text')}, ${array(2, 'text')}) AS w(app_id, key)
    JOIN applications a ON a.app_id = w.app_id
    JOIN idempotency_keys k ON k.application_id = a.id AND k.key = w.key AND k.expires_at > now()`,
  notNull: { messageIds: 'a key is written with its messages', appId: 'the condition compares it' },
}).narrow<{ messageIds: string[] }>()

const FIND_UNDER_KEYS = statement({
  name: 'message-find-under-keys',
  text: `SELECT k.application_id AS "applicationId", k.key, k.digest, k.message_ids AS "messageIds"
    FROM unnest(${array(1, 'int')}, ${array(2, 'text')}) AS w(application_id, key)
    JOIN idempotency_keys k ON k.application_id = w.application_id AND k.key = w.key AND k.expires_at > now()`,
  notNull: { messageIds: 'a key is written with its messages' },
}).narrow<{ messageIds: string[] }>()

/** Which of the messages are there, and their chunks that are not settled. */
const FIND_STORED = statement({
  name: 'message-find-stored',
  text: `SELECT DISTINCT m.application_id AS "storedId", ${CHUNK_COLUMNS} FROM messages m
    LEFT JOIN deliveries d ON d.message_id = m.id
    LEFT JOIN chunks c ON c.id = d.chunk_id AND ${IS_OPEN}
    WHERE m.id = ANY(${array(1, 'uuid')})`,
}).narrow<{ platform: Platform | null }>()

interface ChunkRow {
  id: number | null
  seed: string | null
  applicationId: number | null
  platform: Platform | null
  size: number | null
  paused: boolean | null
}

/** Rows without a chunk have none of these columns. */
const chunksOf = (rows: readonly ChunkRow[]): StoredChunk[] =>
  rows.flatMap(({ id, seed, applicationId, platform, size, paused }) =>
    id === null || seed === null || applicationId === null || platform === null
      ? []
      : { id, seed, applicationId, platform, size: size ?? 0, paused: paused ?? false },
  )

const storedBatch = (rows: readonly (ChunkRow & { storedId: number | null })[]): StoredBatch => ({
  applicationIds: new Set(rows.flatMap(({ storedId }) => storedId ?? [])),
  chunks: chunksOf(rows),
})

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)]

const valuesOf = ({ requests, chunks, maxAgeMs }: NewBatch) =>
  [
    distinct(columnOf(requests, 'applicationId')),
    ...messageColumns(requests),
    ...deliveryColumns(requests),
    ...chunkColumns(chunks),
    maxAgeMs,
    ...requestColumns(requests),
  ] as const

export const openMessageStoring = (database: Database) => {
  /** All of a batch is there or nothing, as no other has its ids. Undefined: nothing is. */
  async function findStored(requests: readonly NewRequest[]): Promise<StoredBatch | undefined> {
    const ids = requests.flatMap(({ messages }) => columnOf(messages, 'id'))
    const rows = await database.query(FIND_STORED, [ids])
    return rows.length > 0 ? storedBatch(rows) : undefined
  }

  async function storeKeyed(batch: NewBatch<NewKeyedRequest>): Promise<StoredKeyedBatch> {
    const rows = await database.query(STORE_KEYED, [...valuesOf(batch), ...keyColumns(batch.requests)])
    const stored: (KeyedRequest | undefined)[] = batch.requests.map(() => undefined)
    for (const { place, digest, messageIds } of rows)
      if (place !== null && digest && messageIds) stored[place] = { digest, messageIds }
    return { ...storedBatch(rows), requests: stored }
  }

  /** By their keys: those that stand there with the ids of this batch are stored, with all that belongs to them. */
  async function findKeyedBatch({ requests }: NewBatch<NewKeyedRequest>): Promise<StoredKeyedBatch | undefined> {
    const keys = requests.map(({ key }) => key.key)
    const rows = await database.query(FIND_UNDER_KEYS, [columnOf(requests, 'applicationId'), keys])
    const found = new Map(rows.map(({ applicationId, key, ...request }) => [`${applicationId}/${key}`, request]))
    const standing = requests.map(({ applicationId, key }) => found.get(`${applicationId}/${key.key}`))
    const own = requests.filter(({ messages }, place) => standing[place]?.messageIds[0] === messages[0]?.id)
    // Keys are written by one statement. One that is free beside others of ours is that of an application that has gone.
    if (own.length === 0 && standing.includes(undefined)) return undefined
    const stored = (await findStored(own)) ?? { chunks: [] }
    return { chunks: stored.chunks, applicationIds: new Set(columnOf(requests, 'applicationId')), requests: standing }
  }

  return {
    /** Stores all of the requests in one transaction. When the response is lost, they are looked up. */
    store: (batch: NewBatch): Promise<StoredBatch> =>
      confirmed(
        database,
        async () => storedBatch(await database.query(STORE, valuesOf(batch))),
        () => findStored(batch.requests),
      ),

    /** The same under keys. Of a request whose key is taken nothing is stored. */
    storeKeyed: (batch: NewBatch<NewKeyedRequest>): Promise<StoredKeyedBatch> =>
      confirmed(
        database,
        () => storeKeyed(batch),
        () => findKeyedBatch(batch),
      ),

    /** What stands under keys of applications and can still be repeated, in the order of the keys. */
    async findKeyed(keys: readonly { appId: string; key: string }[]): Promise<(KeyedRequest | undefined)[]> {
      const rows = await database.query(FIND_KEYED, [columnOf(keys, 'appId'), columnOf(keys, 'key')])
      const found = new Map(rows.map(({ appId, key, ...request }) => [`${appId}/${key}`, request]))
      return keys.map(({ appId, key }) => found.get(`${appId}/${key}`))
    },
  }
}
