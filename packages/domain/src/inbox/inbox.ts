// Inbox messages: created, listed, read. Nothing is pushed for them; the caller sends a message beside them.
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

type InboxStore = Pick<Store, 'inbox'>

export async function createInboxMessage(
  { inbox }: InboxStore,
  request: CreateInboxMessageRequest,
): Promise<InboxMessage> {
  const { applications: appIds, type, ...texts } = request
  const row = await inbox.create({ ...texts, type: type as InboxMessageType, appIds })
  if (!row) throw applicationNotFound(TEXT.inboxApplicationsUnknown)
  return messageOf(row)
}

/** One page, newest first. */
export async function listInbox(
  { inbox }: InboxStore,
  query: InboxListQuery,
): Promise<{ page: Page; messages: InboxMessageSummary[] }> {
  const appIds = splitAppIds(query.applications)
  const page = { page: query.page ?? 0, size: query.size ?? INBOX_PAGE_SIZE }
  const { userId, onlyUnread = false } = query
  const { found, messages } = await inbox.list({ userId, appIds, onlyUnread, page, sort: sortOf(query.sort) })
  if (found !== appIds.length) throw applicationNotFound(TEXT.inboxApplicationsUnknown)
  return { page, messages: messages.map(summaryOf) }
}

/** Ids of the applications that show the message; none of a message that does not exist. */
export async function inboxApplications({ inbox }: InboxStore, id: string): Promise<readonly string[]> {
  const row = isUuid(id) ? await inbox.find(id) : undefined
  return row?.appIds ?? []
}

/** The id is random: a caller who knows it may read the message. */
export async function describeInboxMessage({ inbox }: InboxStore, id: string): Promise<InboxMessage> {
  const row = isUuid(id) ? await inbox.find(id) : undefined
  if (!row) throw inboxMessageNotFound(TEXT.inboxMessageUnknown(id))
  return messageOf(row)
}

/** The time of the first reading stays. With a user, the message of another is not found. */
export async function readInboxMessage(
  { inbox }: InboxStore,
  id: string,
  userId?: string | null,
): Promise<InboxMessage> {
  const row = isUuid(id) ? await inbox.read(id, userId) : undefined
  if (!row) throw inboxMessageNotFound(TEXT.inboxMessageUnmarked(id))
  return messageOf(row)
}

export async function countUnread({ inbox }: InboxStore, { userId, appId }: InboxOfUser): Promise<number> {
  const count = await inbox.countUnread(userId, appId)
  if (count === undefined) throw applicationNotFound(TEXT.inboxApplicationUnknown(appId))
  return count
}

/** Marks all messages that the application shows. They count as read in every other application too. */
export async function readInbox({ inbox }: InboxStore, { userId, appId }: InboxOfUser): Promise<void> {
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

/** Messages are sorted by creation time in any case. */
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
