// Lists of the inbox: newest first, with one statement for each order that a caller may choose.
import type { InboxMessageType, Page } from '@push-server/contract'
import type { Database } from '../connection/database.ts'
import { statement } from '../connection/statement.ts'
import { LIVING, SUMMARY, type InboxSummaryRow, type MaxAge } from './row.ts'

export interface InboxListing {
  userId: string
  appIds: readonly string[]
  onlyUnread: boolean
  maxAge: MaxAge
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
        SELECT ${SUMMARY} FROM inbox_messages m
        WHERE m.user_id = $1 ${order.onlyUnread ? 'AND m.read_at IS NULL' : ''} AND ${LIVING('$5')} AND EXISTS (
          SELECT FROM inbox_message_applications s
          WHERE s.message_id = m.id AND s.application_id IN (SELECT id FROM application))
        ORDER BY m.created_at DESC, ${orderBy(order)} m.id DESC LIMIT $3 OFFSET $4::bigint) AS listed ON true`,
    notNull: { found: 'count is never null' },
    nullable: [5],
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

/** The columns of a message are null together, but for the times when it was read and when it ends. */
const isMessage = <R extends { [K in keyof InboxSummaryRow]: InboxSummaryRow[K] | null }>(
  row: R,
): row is R & InboxSummaryRow => row.id !== null

export const openInboxLists = (database: Database) => ({
  /** Newest first, and how many of the applications there are. */
  async list(listing: InboxListing): Promise<{ found: number; messages: InboxSummaryRow[] }> {
    const { userId, appIds, page, maxAge } = listing
    const rows = await database.query(listIn(listing), [
      userId,
      appIds,
      page.size,
      page.page * page.size,
      maxAge ?? null,
    ])
    return { found: rows[0]?.found ?? 0, messages: rows.filter(isMessage) }
  },
})
