// Takes inbox messages from an application. One that no other application shows goes with it.
import type { Queryable } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

/** Of the messages `gone`, with their public_id: what an import has brought is not brought again. Two that delete one are no error. */
export const REMEMBERED = `remembered AS (
      INSERT INTO deleted_inbox_messages (public_id) SELECT public_id FROM gone WHERE imported ON CONFLICT DO NOTHING)`

/**
 * Of messages that are locked already: of two that take one message from its last two applications at once, neither would see that it
 * is left without any. Hence a statement after the one that locks. With $3 a caller has deleted them; otherwise the application goes,
 * and an import may bring it again with its messages.
 */
const HIDE = statement({
  name: 'inbox-hide',
  text: `WITH hidden AS (
      DELETE FROM inbox_message_applications WHERE application_id = $1 AND message_id = ANY($2) RETURNING message_id),
    gone AS (
      DELETE FROM inbox_messages m USING hidden WHERE m.id = hidden.message_id AND NOT EXISTS (
        SELECT FROM inbox_message_applications s WHERE s.message_id = m.id AND s.application_id <> $1)
      RETURNING m.public_id, m.imported AND $3 AS imported),
    ${REMEMBERED}
    SELECT count(*)::int AS count FROM hidden`,
  notNull: { count: 'count is never null' },
})

/** In the order of ids, so that two of them do not wait for each other. */
const LOCK_SOME = statement({
  name: 'inbox-lock-some',
  text: `SELECT m.id FROM inbox_messages m
    WHERE m.id IN (SELECT s.message_id FROM inbox_message_applications s WHERE s.application_id = $1 LIMIT $2)
    ORDER BY m.id FOR UPDATE`,
})

interface HiddenMessages {
  applicationId: number
  messageIds: readonly number[]
  byCaller: boolean
}

/** Within a transaction that has locked the messages. Resolves with how many the application has shown. */
export async function hideMessages(
  connection: Queryable,
  { applicationId, messageIds, byCaller }: HiddenMessages,
): Promise<number> {
  if (messageIds.length === 0) return 0
  const [hidden] = await connection.query(HIDE, [applicationId, messageIds, byCaller])
  return hidden?.count ?? 0
}

/** Up to `limit` messages of the application, within a transaction; resolves with how many. */
export async function hideSomeMessages(connection: Queryable, applicationId: number, limit: number): Promise<number> {
  const messages = await connection.query(LOCK_SOME, [applicationId, limit])
  return hideMessages(connection, { applicationId, messageIds: messages.map(({ id }) => id), byCaller: false })
}
