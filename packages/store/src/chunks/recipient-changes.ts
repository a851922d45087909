// Whom a stored recipient has become: devices change hands, go, get new tokens while a message waits for them. Compared at
// each claim, and again while pushes wait their turn, so that nothing reaches a phone that another person holds by then.
import type { ClaimedChunk, DeliveryRow, Obstacle } from './row.ts'
import type { Database, Queryable } from '../connection/database.ts'
import { NORMAL_TOKEN, TOKEN_SPELLINGS } from '../devices/token-spelling.ts'
import { statement } from '../connection/statement.ts'

const isSame = (platform: string, one: string, other: string) =>
  `(${one} = ${other} OR ${NORMAL_TOKEN(platform, one)} = ${NORMAL_TOKEN(platform, other)})`

/** Columns of a recipient as it was stored, as SQL. */
interface Stored {
  applicationId: string
  platform: string
  token: string
  userId: string
  /** Of a message that named one; null = any. */
  activationId: string
  personal: string
}

/** The device `v`, if its application still has it. Looked up one by one: a chunk is small beside the table, whatever is estimated. */
const deviceOf = (id: string, applicationId: string) =>
  `LEFT JOIN LATERAL (SELECT * FROM devices WHERE id = ${id} AND application_id = ${applicationId} OFFSET 0) AS v ON true`

/** A person who logged out and in again holds the token under another row: that row counts. */
const byToken = ({ applicationId, platform, token, userId, activationId, personal }: Stored) => `(
      SELECT CASE WHEN bool_or(held.matches AND (held.active OR NOT ${personal})) THEN NULL
          WHEN bool_or(held.matches) THEN 'NotActive' WHEN bool_or(held.foreign_user) THEN 'DeviceReassigned'
          ELSE 'DeviceRemoved' END
      FROM (SELECT t.active, t.user_id <> ${userId} AS foreign_user,
          t.user_id = ${userId} AND (${activationId} IS NULL OR t.activation_id = ${activationId}) AS matches
        FROM devices t WHERE t.application_id = ${applicationId} AND t.platform = ${platform} AND t.dropped_at IS NULL
          AND t.token = ANY(${TOKEN_SPELLINGS(platform, `${token}::text`)})
      ) AS held)`

/** An `Obstacle`, or null; of the device `v`. */
const obstacleOf = (stored: Stored) => `CASE
      WHEN v.id IS NULL THEN ${byToken(stored)}
      WHEN v.user_id <> ${stored.userId} THEN 'DeviceReassigned'
      WHEN v.dropped_at IS NOT NULL THEN 'DeviceRemoved'
      WHEN v.activation_id <> ${stored.activationId} THEN ${byToken(stored)}
      WHEN ${stored.personal} AND NOT v.active THEN 'NotActive'
      WHEN v.platform <> ${stored.platform} OR NOT ${isSame(stored.platform, 'v.token', stored.token)} THEN 'TokenReplaced'
    END`

const directStored = (applicationId: string): Stored => ({
  applicationId,
  platform: 'd.platform',
  token: 'd.token',
  userId: 'm.user_id',
  activationId: 'm.activation_id',
  personal: 'm.personal',
})

/** The kind of the token of a delivery `d`, where another row than that of its device holds it by now. */
const heldKind = (applicationId: string) => `(
        SELECT t.token_kind FROM devices t WHERE t.application_id = ${applicationId} AND t.platform = d.platform
          AND t.token = d.token AND t.dropped_at IS NULL ORDER BY t.registered_at DESC, t.id DESC LIMIT 1)`

/** Pending deliveries `d` of a chunk with their messages `m`, each beside what it has become; `columns` are those of d and m. */
export const directRecipients = (chunkId: string, applicationId: string, columns: string) => `SELECT ${columns},
      CASE WHEN m.cancelled_at IS NOT NULL THEN 'Cancelled' ELSE ${obstacleOf(directStored(applicationId))} END AS obstacle,
      CASE WHEN v.id IS NULL THEN d.environment ELSE v.environment END AS device_environment,
      CASE WHEN v.id IS NULL OR v.activation_id <> m.activation_id THEN ${heldKind(applicationId)} ELSE v.token_kind END
        AS device_token_kind,
      CASE WHEN v.platform = d.platform THEN v.token END AS new_token
    FROM deliveries d JOIN messages m ON m.id = d.message_id
    ${deviceOf('d.device_id', applicationId)}
    WHERE d.chunk_id = ${chunkId} AND d.status = 'pending'`

/**
 * Nothing has changed in the run's chunk `c`: as nearly always, and much cheaper to see for all at once. Chunks hold their devices
 * by id, which is how an index scan finds them; where the orders differ, as in chunks of earlier versions, this says no, and they
 * are compared one by one. Null says no as well.
 */
export const UNCHANGED = `(SELECT array_agg(d.user_id)::text[] = c.user_ids AND array_agg(d.token)::text[] = c.tokens
    FROM devices d WHERE d.id = ANY(c.device_ids) AND d.application_id = c.application_id AND d.platform = c.platform
      AND d.dropped_at IS NULL)`

const READ_UNCHANGED = statement({
  name: 'recipient-read-unchanged',
  text: `SELECT ${UNCHANGED} AS "isUnchanged" FROM chunks c WHERE c.id = $1`,
})

/** Of the positions $2 of the run's chunk $1. A statement of its own: its plan costs more than a whole chunk's comparison. */
const READ_RUN = statement({
  name: 'recipient-read-run',
  text: `SELECT position, obstacle
    FROM (SELECT (w.place - 1)::int AS position, ${obstacleOf({
      applicationId: 'c.application_id',
      platform: 'c.platform',
      token: 'w.token',
      userId: 'w.user_id',
      activationId: 'NULL::text',
      personal: 'false',
    })} AS obstacle
      FROM chunks c, unnest(c.device_ids, c.user_ids, c.tokens) WITH ORDINALITY AS w(device_id, user_id, token, place)
      ${deviceOf('w.device_id', 'c.application_id')}
      WHERE c.id = $1 AND w.place - 1 = ANY($2) AND (v.id IS NULL OR v.user_id <> w.user_id OR v.dropped_at IS NOT NULL
        OR v.platform <> c.platform OR v.token <> w.token)) AS changed
    WHERE obstacle IS NOT NULL`,
  notNull: { position: 'the ordinality is never null', obstacle: 'the condition keeps nulls out' },
}).narrow<{ obstacle: Obstacle }>()

/** Recipients of a run's chunk that have changed, by position; of those at `positions`. */
export async function runObstacles(
  database: Queryable,
  chunkId: number,
  positions: readonly number[],
): Promise<Map<number, Obstacle>> {
  const rows = await database.query(READ_RUN, [chunkId, positions])
  return new Map(rows.map(({ position, obstacle }) => [position, obstacle]))
}

const READ_DIRECT = statement({
  name: 'recipient-read-direct',
  text: `SELECT id, obstacle, new_token IS NOT NULL AS "isReplaceable" FROM (${directRecipients('$1', '$2', 'd.id')}) AS r
    WHERE id = ANY($3) AND obstacle IS NOT NULL`,
  notNull: { isReplaceable: 'IS NULL is never null', obstacle: 'the condition keeps nulls out' },
}).narrow<{ obstacle: Obstacle }>()

/** One worker at a time decides which delivery of a message gets a token. */
const LOCK_MESSAGES = statement({
  name: 'recipient-lock-messages',
  text: `SELECT m.id FROM messages m WHERE m.id IN (SELECT d.message_id FROM deliveries d WHERE d.id = ANY($1))
    ORDER BY m.id FOR NO KEY UPDATE`,
})

/** A token goes to one delivery of a message: neither has another one it, nor had it, nor is it given to two at once. */
const TAKE_TOKENS = statement({
  name: 'recipient-take-tokens',
  text: `WITH taken AS (
      SELECT DISTINCT ON (d.message_id, n.token) d.id, n.token
      FROM unnest($1::bigint[], $2::text[]) AS n(id, token) JOIN deliveries d ON d.id = n.id
      WHERE d.status = 'pending' AND NOT EXISTS (
        SELECT FROM deliveries o WHERE o.message_id = d.message_id AND o.id <> d.id AND o.platform = d.platform
          AND o.status <> 'skipped' AND EXISTS (
            SELECT FROM unnest(o.former_tokens || o.token::text) AS had(token) WHERE ${isSame('d.platform', 'had.token', 'n.token')}))
      ORDER BY d.message_id, n.token, d.id)
    UPDATE deliveries d SET former_tokens = d.former_tokens || d.token::text, token = taken.token
    FROM taken WHERE d.id = taken.id RETURNING d.id`,
})

/** A delivery as a claim reads it: with the token that its device has got meanwhile. */
export interface DirectRecipient extends DeliveryRow {
  newToken: string | null
}

/** Gives deliveries the new tokens of their devices, as far as the message has not reached these in another way. */
export async function takeNewTokens<R extends DirectRecipient>(
  database: Database,
  recipients: readonly R[],
): Promise<Omit<R, 'newToken'>[]> {
  const moving = recipients.filter(isMoving)
  if (moving.length === 0) return recipients.map(withoutNewToken)
  const ids = moving.map(({ id }) => id)
  const taken = await database.transaction(async (connection) => {
    await connection.query(LOCK_MESSAGES, [ids])
    return connection.query(TAKE_TOKENS, [ids, moving.map(({ newToken }) => newToken)])
  })
  const moved = new Set(taken.map(({ id }) => id))
  return recipients.map((recipient) => {
    const { newToken, ...delivery } = recipient
    return moved.has(delivery.id) && newToken !== null ? { ...delivery, token: newToken, obstacle: null } : delivery
  })
}

const isMoving = <R extends DirectRecipient>(recipient: R): recipient is R & { newToken: string } =>
  recipient.obstacle === 'TokenReplaced' && recipient.newToken !== null
const withoutNewToken = <R extends DirectRecipient>({ newToken: _, ...delivery }: R): Omit<R, 'newToken'> => delivery

/** What a claimed delivery has become. */
export interface ChangedRecipient {
  id: number
  /** Null: its device has a new token, which the next claim pushes to. */
  obstacle: Obstacle | null
}

export const openRecipientChanges = (database: Database) => ({
  /** Of the given deliveries of a chunk, those that must not be pushed as they were read. One statement, or two if any changed. */
  async changes(
    chunk: Pick<ClaimedChunk, 'id' | 'applicationId' | 'runId'>,
    ids: readonly number[],
  ): Promise<ChangedRecipient[]> {
    if (chunk.runId !== null) {
      const [row] = await database.query(READ_UNCHANGED, [chunk.id])
      if (row?.isUnchanged) return []
      const obstacles = await runObstacles(database, chunk.id, ids)
      return Array.from(obstacles, ([id, obstacle]) => ({ id, obstacle }))
    }
    const rows = await database.query(READ_DIRECT, [chunk.id, chunk.applicationId, ids])
    return rows.map(({ id, obstacle, isReplaceable }) => ({
      id,
      obstacle: obstacle === 'TokenReplaced' && isReplaceable ? null : obstacle,
    }))
  },
})
