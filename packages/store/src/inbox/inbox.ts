// The inbox: messages that wait for the user. An unknown application is told from an empty inbox.
import type { InboxMessageType } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { hideMessages, REMEMBERED } from './hiding.ts'
import { LIVING, MESSAGE, type InboxMessageRow, type MaxAge } from './row.ts'

export interface NewInboxMessage {
  userId: string
  type: InboxMessageType
  subject: string
  summary: string
  body: string
  appIds: readonly string[]
  /** Null = without end. */
  validUntil: Date | null
}

/** What one application shows to a user. */
export interface InboxView {
  userId: string
  appId: string
  maxAge: MaxAge
}

/** One message. With a user, that of another is not found. */
export interface InboxSelection {
  id: string
  userId?: string | null | undefined
  maxAge: MaxAge
}

/** The applications are locked as their foreign keys would be: one that is just being removed is not found. */
const CREATE = statement({
  name: 'inbox-create',
  text: `WITH application AS (SELECT id, app_id FROM applications WHERE app_id = ANY($6) FOR KEY SHARE),
    m AS (
      INSERT INTO inbox_messages (user_id, type, subject, summary, body, valid_until)
      SELECT $1, $2, $3, $4, $5, $7::timestamptz WHERE (SELECT count(*) FROM application) = cardinality($6::text[])
      RETURNING *),
    shown AS (
      INSERT INTO inbox_message_applications (message_id, application_id)
      SELECT m.id, application.id FROM m, application)
    SELECT ${MESSAGE}, ARRAY(SELECT app_id FROM application ORDER BY id) AS "appIds" FROM m`,
  notNull: { appIds: 'ARRAY of a query is never null' },
  nullable: [7],
}).narrow<Pick<InboxMessageRow, 'type' | 'appIds'>>()

const APP_IDS = `ARRAY(SELECT a.app_id FROM inbox_message_applications s JOIN applications a ON a.id = s.application_id
  WHERE s.message_id = m.id AND a.app_id IS NOT NULL ORDER BY a.id) AS "appIds"`

const FIND = statement({
  name: 'inbox-find',
  text: `SELECT ${MESSAGE}, ${APP_IDS} FROM inbox_messages m WHERE m.public_id = $1 AND ${LIVING('$2')}`,
  notNull: { appIds: 'ARRAY of a query is never null' },
  nullable: [2],
}).narrow<Pick<InboxMessageRow, 'type' | 'appIds'>>()

/** Of two that read it at once the first sets the time, which the second then sees: hence no condition on it. */
const READ = statement({
  name: 'inbox-read',
  text: `WITH m AS (
      UPDATE inbox_messages m SET read_at = coalesce(read_at, now())
      WHERE public_id = $1 AND ($2::text IS NULL OR user_id = $2) AND ${LIVING('$3')} RETURNING *)
    SELECT ${MESSAGE}, ${APP_IDS} FROM m`,
  notNull: { appIds: 'ARRAY of a query is never null' },
  nullable: [2, 3],
}).narrow<Pick<InboxMessageRow, 'type' | 'appIds'>>()

/** In the order of ids, so that two of them do not wait for each other. */
const READ_ALL = statement({
  name: 'inbox-read-all',
  text: `WITH a AS (SELECT id FROM applications WHERE app_id = $2),
    unread AS (SELECT m.id FROM a, LATERAL (
      SELECT m.id FROM inbox_messages m JOIN inbox_message_applications s ON s.message_id = m.id
      WHERE m.user_id = $1 AND m.read_at IS NULL AND ${LIVING('$3')} AND s.application_id = a.id
      ORDER BY m.id FOR UPDATE OF m) AS m),
    marked AS (UPDATE inbox_messages SET read_at = now() WHERE id IN (SELECT id FROM unread))
    SELECT id FROM a`,
  nullable: [3],
})

const COUNT_UNREAD = statement({
  name: 'inbox-count-unread',
  text: `SELECT (SELECT count(*)::int FROM inbox_messages m
        WHERE m.user_id = $1 AND m.read_at IS NULL AND ${LIVING('$3')} AND EXISTS (
          SELECT FROM inbox_message_applications s WHERE s.message_id = m.id AND s.application_id = a.id)) AS count
    FROM applications a WHERE a.app_id = $2`,
  notNull: { count: 'count is never null' },
  nullable: [3],
})

const DELETE = statement({
  name: 'inbox-delete',
  text: `WITH gone AS (
      DELETE FROM inbox_messages m
      WHERE m.public_id = $1 AND ($2::text IS NULL OR m.user_id = $2) AND ${LIVING('$3')} RETURNING m.id, m.public_id, m.imported),
    ${REMEMBERED}
    SELECT id FROM gone`,
  nullable: [2, 3],
})

/** A row without a message when there is none. In the order of ids, as above. */
const LOCK_OF_USER = statement({
  name: 'inbox-lock-of-user',
  text: `SELECT a.id AS "applicationId", shown.id AS "messageId" FROM applications a LEFT JOIN LATERAL (
      SELECT m.id FROM inbox_messages m JOIN inbox_message_applications s ON s.message_id = m.id
      WHERE m.user_id = $1 AND s.application_id = a.id ORDER BY m.id FOR UPDATE OF m) AS shown ON true
    WHERE a.app_id = $2`,
})

export const openInbox = (database: Database) => ({
  /** Undefined, and nothing is stored, when an application is unknown or named twice. */
  async create(message: NewInboxMessage): Promise<InboxMessageRow | undefined> {
    const { userId, type, subject, summary, body, appIds, validUntil } = message
    const [row] = await database.query(CREATE, [userId, type, subject, summary, body, appIds, validUntil])
    return row
  },

  async find(id: string, maxAge: MaxAge): Promise<InboxMessageRow | undefined> {
    const [row] = await database.query(FIND, [id, maxAge ?? null])
    return row
  },

  /** Marks it as read, once and for all; with a user only when it is that user's. */
  async read({ id, userId, maxAge }: InboxSelection): Promise<InboxMessageRow | undefined> {
    const [row] = await database.query(READ, [id, userId ?? null, maxAge ?? null])
    return row
  },

  /** Undefined when the application is unknown. */
  async countUnread({ userId, appId, maxAge }: InboxView): Promise<number | undefined> {
    const [row] = await database.query(COUNT_UNREAD, [userId, appId, maxAge ?? null])
    return row?.count
  },

  /** Marks all that the application shows to the user; false when the application is unknown. */
  async readAll({ userId, appId, maxAge }: InboxView): Promise<boolean> {
    const [application] = await database.query(READ_ALL, [userId, appId, maxAge ?? null])
    return application !== undefined
  },

  /** From all applications; with a user only when it is that user's. False when nothing was deleted. */
  async delete({ id, userId, maxAge }: InboxSelection): Promise<boolean> {
    return (await database.query(DELETE, [id, userId ?? null, maxAge ?? null])).length > 0
  },

  /**
   * Takes all messages of the user from the application; those that no other application shows go. Resolves with how many, undefined
   * when the application is unknown.
   */
  deleteAll: ({ userId, appId }: Pick<InboxView, 'userId' | 'appId'>): Promise<number | undefined> =>
    database.transaction(async (connection) => {
      const rows = await connection.query(LOCK_OF_USER, [userId, appId])
      const [first] = rows
      if (!first) return undefined
      return hideMessages(connection, {
        applicationId: first.applicationId,
        messageIds: rows.flatMap(({ messageId }) => messageId ?? []),
        byCaller: true,
      })
    }),
})
export type Inbox = ReturnType<typeof openInbox>
