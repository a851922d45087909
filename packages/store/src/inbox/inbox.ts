// The inbox: messages that wait for the user. An unknown application is told from an empty inbox.
import type { InboxMessageType, Page } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'

export interface NewInboxMessage {
  userId: string
  type: InboxMessageType
  subject: string
  summary: string
  body: string
  appIds: readonly string[]
}

export interface InboxSummaryRow {
  id: string
  type: InboxMessageType
  subject: string
  summary: string
  createdAt: Date
  readAt: Date | null
}

export interface InboxMessageRow extends InboxSummaryRow {
  userId: string
  body: string
  appIds: string[]
}

export interface InboxListing {
  userId: string
  appIds: readonly string[]
  onlyUnread: boolean
  page: Page
  /** Among messages of the same creation time; the latest is always the first. */
  sort?: { column: SortColumn; descending: boolean } | undefined
}

const SORT_COLUMNS = {
  type: 'm.type',
  subject: 'm.subject',
  summary: 'm.summary',
  read: '(m.read_at IS NOT NULL)',
  readAt: 'm.read_at',
} as const
export type SortColumn = keyof typeof SORT_COLUMNS

const SUMMARY = 'm.public_id AS id, m.type, m.subject, m.summary, m.created_at AS "createdAt", m.read_at AS "readAt"'
const MESSAGE = `${SUMMARY}, m.user_id AS "userId", m.body`

/** The applications are locked as their foreign keys would be: one that is just being removed is not found. */
const CREATE = statement({
  name: 'inbox-create',
  text: `WITH application AS (SELECT id, app_id FROM applications WHERE app_id = ANY($6) FOR KEY SHARE),
    m AS (
      INSERT INTO inbox_messages (user_id, type, subject, summary, body)
      SELECT $1, $2, $3, $4, $5 WHERE (SELECT count(*) FROM application) = cardinality($6::text[])
      RETURNING *),
    shown AS (
      INSERT INTO inbox_message_applications (message_id, application_id)
      SELECT m.id, application.id FROM m, application)
    SELECT ${MESSAGE}, ARRAY(SELECT app_id FROM application ORDER BY id) AS "appIds" FROM m`,
  notNull: { appIds: 'ARRAY of a query is never null' },
}).narrow<Pick<InboxMessageRow, 'type' | 'appIds'>>()

const APP_IDS = `ARRAY(SELECT a.app_id FROM inbox_message_applications s JOIN applications a ON a.id = s.application_id
  WHERE s.message_id = m.id AND a.app_id IS NOT NULL ORDER BY a.id) AS "appIds"`

const FIND = statement({
  name: 'inbox-find',
  text: `SELECT ${MESSAGE}, ${APP_IDS} FROM inbox_messages m WHERE m.public_id = $1`,
  notNull: { appIds: 'ARRAY of a query is never null' },
}).narrow<Pick<InboxMessageRow, 'type' | 'appIds'>>()

/** Of two that read it at once the first sets the time, which the second then sees: hence no condition on it. */
const READ = statement({
  name: 'inbox-read',
  text: `WITH m AS (
      UPDATE inbox_messages SET read_at = coalesce(read_at, now())
      WHERE public_id = $1 AND ($2::text IS NULL OR user_id = $2) RETURNING *)
    SELECT ${MESSAGE}, ${APP_IDS} FROM m`,
  notNull: { appIds: 'ARRAY of a query is never null' },
  nullable: [2],
}).narrow<Pick<InboxMessageRow, 'type' | 'appIds'>>()

type Order = Pick<InboxListing, 'onlyUnread' | 'sort'>

const variantOf = ({ onlyUnread, sort }: Order) =>
  `${onlyUnread ? 'unread' : 'all'}${sort ? `-${sort.column}-${sort.descending ? 'desc' : 'asc'}` : ''}`

/** A row without a message when there is none; `found` is how many of the applications exist. */
const listing = (order: Order) =>
  statement({
    name: 'inbox-list',
    variant: variantOf(order),
    text: `WITH application AS (SELECT id FROM applications WHERE app_id = ANY($2))
      SELECT found.count AS found, listed.* FROM (SELECT count(*)::int AS count FROM application) AS found
      LEFT JOIN LATERAL (
        SELECT ${SUMMARY} FROM inbox_messages m WHERE m.user_id = $1 ${order.onlyUnread ? 'AND m.read_at IS NULL' : ''} AND EXISTS (
          SELECT FROM inbox_message_applications s
          WHERE s.message_id = m.id AND s.application_id IN (SELECT id FROM application))
        ORDER BY m.created_at DESC, ${orderBy(order)} m.id DESC LIMIT $3 OFFSET $4::bigint) AS listed ON true`,
    notNull: { found: 'count is never null' },
  }).narrow<{ type: InboxMessageType | null }>()

const orderBy = ({ sort }: Order) => (sort ? `${SORT_COLUMNS[sort.column]} ${sort.descending ? 'DESC' : 'ASC'},` : '')

const SORTS = (Object.keys(SORT_COLUMNS) as SortColumn[]).flatMap((column) => [
  { column, descending: false },
  { column, descending: true },
])
const ORDERS = [undefined, ...SORTS].flatMap((sort) => [
  { onlyUnread: false, sort },
  { onlyUnread: true, sort },
])
const LISTS = new Map(ORDERS.map((order) => [variantOf(order), listing(order)]))

function listIn(order: Order) {
  const list = LISTS.get(variantOf(order))
  if (!list) throw new Error(`The inbox has no order ${variantOf(order)}`)
  return list
}

/** The columns of a message are null together, but for the time it was read. */
const isMessage = <R extends { [K in keyof InboxSummaryRow]: InboxSummaryRow[K] | null }>(
  row: R,
): row is R & InboxSummaryRow => row.id !== null

/** In the order of ids, so that two of them do not wait for each other. */
const READ_ALL = statement({
  name: 'inbox-read-all',
  text: `WITH a AS (SELECT id FROM applications WHERE app_id = $2),
    unread AS (SELECT m.id FROM a, LATERAL (
      SELECT m.id FROM inbox_messages m JOIN inbox_message_applications s ON s.message_id = m.id
      WHERE m.user_id = $1 AND m.read_at IS NULL AND s.application_id = a.id ORDER BY m.id FOR UPDATE OF m) AS m),
    marked AS (UPDATE inbox_messages SET read_at = now() WHERE id IN (SELECT id FROM unread))
    SELECT id FROM a`,
})

export const openInbox = (database: Database) => ({
  /** Undefined, and nothing is stored, when an application is unknown or named twice. */
  async create(message: NewInboxMessage): Promise<InboxMessageRow | undefined> {
    const { userId, type, subject, summary, body, appIds } = message
    const [row] = await database.query(CREATE, [userId, type, subject, summary, body, appIds])
    return row
  },

  async find(id: string): Promise<InboxMessageRow | undefined> {
    const [row] = await database.query(FIND, [id])
    return row
  },

  /** Marks it as read, once and for all; with a user only when it is that user's. */
  async read(id: string, userId?: string | null): Promise<InboxMessageRow | undefined> {
    const [row] = await database.query(READ, [id, userId ?? null])
    return row
  },

  /** Newest first, and how many of the applications there are. */
  async list(listing: InboxListing): Promise<{ found: number; messages: InboxSummaryRow[] }> {
    const { userId, appIds, page } = listing
    const rows = await database.query(listIn(listing), [userId, appIds, page.size, page.page * page.size])
    return { found: rows[0]?.found ?? 0, messages: rows.filter(isMessage) }
  },

  /** Undefined when the application is unknown. */
  async countUnread(userId: string, appId: string): Promise<number | undefined> {
    const { prisma } = database
    const application = await prisma.application.findUnique({ where: { appId }, select: { id: true } })
    if (!application) return undefined
    const applications = { some: { applicationId: application.id } }
    return prisma.inboxMessage.count({ where: { userId, readAt: null, applications } })
  },

  /** Marks all that the application shows to the user; false when the application is unknown. */
  async readAll(userId: string, appId: string): Promise<boolean> {
    const [application] = await database.query(READ_ALL, [userId, appId])
    return application !== undefined
  },
})
export type Inbox = ReturnType<typeof openInbox>
