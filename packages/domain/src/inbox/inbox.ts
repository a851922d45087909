// Messages that wait for the user: posted, listed, read. Nothing is pushed for them; the caller sends a message beside them.
import {
  applicationNotFound,
  INBOX_PAGE_SIZE,
  inboxMessageNotFound,
  invalidRequest,
  TEXT,
  timestampOf,
  type CreateInboxMessageRequest,
  type InboxListQuery,
  type InboxMessage,
  type InboxMessageSummary,
  type InboxMessageType,
  type InboxOfUser,
  type Page,
} from '@push-server/contract'
import type { InboxListing, InboxMessageRow, InboxSummaryRow, Store } from '@push-server/store'
import { validate as isUuid } from 'uuid'

type Shelf = Pick<Store, 'inbox'>

export async function createInboxMessage({ inbox }: Shelf, request: CreateInboxMessageRequest): Promise<InboxMessage> {
  const { applications: appIds, type, ...texts } = request
  const row = await inbox.create({ ...texts, type: type as InboxMessageType, appIds })
  if (!row) throw applicationNotFound(TEXT.inboxApplicationsUnknown)
  return messageOf(row)
}

/** One page, newest first. */
export async function listInbox(
  { inbox }: Shelf,
  query: InboxListQuery,
): Promise<{ page: Page; messages: InboxMessageSummary[] }> {
  const appIds = splitAppIds(query.applications)
  const page = { page: query.page ?? 0, size: query.size ?? INBOX_PAGE_SIZE }
  const { userId, onlyUnread = false } = query
  const { found, messages } = await inbox.list({ userId, appIds, onlyUnread, page, sort: sortOf(query.sort) })
  if (found !== appIds.length) throw applicationNotFound(TEXT.inboxApplicationsUnknown)
  return { page, messages: messages.map(summaryOf) }
}

/** Whoever knows the id may read it: it is random. */
export async function describeInboxMessage({ inbox }: Shelf, id: string): Promise<InboxMessage> {
  const row = isUuid(id) ? await inbox.find(id) : undefined
  if (!row) throw inboxMessageNotFound(TEXT.inboxMessageUnknown(id))
  return messageOf(row)
}

/** The time of the first reading stays. With a user, the message of another is not found. */
export async function readInboxMessage({ inbox }: Shelf, id: string, userId?: string | null): Promise<InboxMessage> {
  const row = isUuid(id) ? await inbox.read(id, userId) : undefined
  if (!row) throw inboxMessageNotFound(TEXT.inboxMessageUnmarked(id))
  return messageOf(row)
}

export async function countUnread({ inbox }: Shelf, { userId, appId }: InboxOfUser): Promise<number> {
  const count = await inbox.countUnread(userId, appId)
  if (count === undefined) throw applicationNotFound(TEXT.inboxApplicationUnknown(appId))
  return count
}

/** Marks all that the application shows; it is marked wherever else it is shown, too. */
export async function readInbox({ inbox }: Shelf, { userId, appId }: InboxOfUser): Promise<void> {
  if (!(await inbox.readAll(userId, appId))) throw applicationNotFound(TEXT.inboxApplicationUnknown(appId))
}

/** As existing clients have it split: blanks count, commas at the end do not. */
function splitAppIds(text: string): string[] {
  const trimmed = text.replace(/,+$/, '')
  if (trimmed === '') throw invalidRequest([{ fieldName: 'applications', hint: 'must name an application' }])
  return trimmed.split(',')
}

const SORT_COLUMNS = {
  type: 'type',
  subject: 'subject',
  summary: 'summary',
  read: 'read',
  timestampRead: 'readAt',
} as const

/** By creation time they are sorted anyway. */
function sortOf(text: string | undefined): InboxListing['sort'] {
  const [property = '', direction = ''] = text?.split(',') ?? []
  if (!Object.hasOwn(SORT_COLUMNS, property)) return undefined
  const column = SORT_COLUMNS[property as keyof typeof SORT_COLUMNS]
  return { column, descending: direction.toLowerCase() === 'desc' }
}

const summaryOf = ({ id, type, subject, summary, createdAt, readAt }: InboxSummaryRow): InboxMessageSummary => ({
  id,
  type,
  subject,
  summary,
  read: readAt !== null,
  timestampCreated: timestampOf(createdAt),
})

const messageOf = (row: InboxMessageRow): InboxMessage => ({
  ...summaryOf(row),
  userId: row.userId,
  body: row.body,
  ...(row.readAt && { timestampRead: timestampOf(row.readAt) }),
  applications: row.appIds,
})
