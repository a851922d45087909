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
import type { Logger } from '@push-server/runtime'
import type { InboxListing, InboxMessageRow, InboxSummaryRow } from '@push-server/store'
import { validate as isUuid } from 'uuid'
import type { Context } from '../context.ts'
import { readValidUntil } from '../messages/index.ts'

interface Parts {
  store: Pick<Context['store'], 'inbox' | 'clock'>
  config: Pick<Context['config'], 'inboxMaxAge'>
}

export async function createInboxMessage(
  { store: { inbox, clock } }: Parts,
  request: CreateInboxMessageRequest,
): Promise<InboxMessage> {
  const { applications: appIds, type, validUntil: until, ...texts } = request
  const validUntil = validUntilOf(until, clock.now())
  const row = await inbox.create({ ...texts, type: type as InboxMessageType, appIds, validUntil })
  if (!row) throw applicationNotFound(TEXT.inboxApplicationsUnknown)
  return messageOf(row)
}

/** `now`: ms since the epoch, by the database's clock. What has ended already would be shown to nobody. */
function validUntilOf(value: CreateInboxMessageRequest['validUntil'], now: number): Date | null {
  const instant = readValidUntil(value, () => VALID_UNTIL)
  if (instant !== null && instant <= now)
    throw invalidRequest([{ fieldName: VALID_UNTIL, hint: 'must be in the future' }])
  return instant === null ? null : new Date(instant)
}

const VALID_UNTIL = 'requestObject.validUntil'

/** One page, newest first. */
export async function listInbox(
  { store: { inbox }, config: { inboxMaxAge: maxAge } }: Parts,
  query: InboxListQuery,
): Promise<{ page: Page; messages: InboxMessageSummary[] }> {
  const appIds = splitAppIds(query.applications)
  const page = { page: query.page ?? 0, size: query.size ?? INBOX_PAGE_SIZE }
  const { userId, onlyUnread = false } = query
  const { found, messages } = await inbox.list({ userId, appIds, onlyUnread, maxAge, page, sort: sortOf(query.sort) })
  if (found !== appIds.length) throw applicationNotFound(TEXT.inboxApplicationsUnknown)
  return { page, messages: messages.map(summaryOf) }
}

const findMessage = async ({ store: { inbox }, config }: Parts, id: string) =>
  isUuid(id) ? inbox.find(id, config.inboxMaxAge) : undefined

/** Ids of the applications that show the message; none of a message that does not exist. */
export async function inboxApplications(parts: Parts, id: string): Promise<readonly string[]> {
  return (await findMessage(parts, id))?.appIds ?? []
}

/** The id is random: a caller who knows it may read the message. */
export async function describeInboxMessage(parts: Parts, id: string): Promise<InboxMessage> {
  const row = await findMessage(parts, id)
  if (!row) throw inboxMessageNotFound(TEXT.inboxMessageUnknown(id))
  return messageOf(row)
}

/** One message. With a user, the message of another is not found. */
interface OneMessage {
  id: string
  userId?: string | null | undefined
}

/** The time of the first reading stays. */
export async function readInboxMessage(
  { store: { inbox }, config: { inboxMaxAge: maxAge } }: Parts,
  { id, userId }: OneMessage,
): Promise<InboxMessage> {
  const row = isUuid(id) ? await inbox.read({ id, userId, maxAge }) : undefined
  if (!row) throw inboxMessageNotFound(TEXT.inboxMessageUnmarked(id))
  return messageOf(row)
}

export async function countUnread(
  { store: { inbox }, config: { inboxMaxAge: maxAge } }: Parts,
  { userId, appId }: InboxOfUser,
): Promise<number> {
  const count = await inbox.countUnread({ userId, appId, maxAge })
  if (count === undefined) throw applicationNotFound(TEXT.inboxApplicationUnknown(appId))
  return count
}

/** Marks all messages that the application shows. They count as read in every other application too. */
export async function readInbox(
  { store: { inbox }, config: { inboxMaxAge: maxAge } }: Parts,
  { userId, appId }: InboxOfUser,
): Promise<void> {
  if (!(await inbox.readAll({ userId, appId, maxAge }))) throw applicationNotFound(TEXT.inboxApplicationUnknown(appId))
}

/** From every application that shows it. */
export async function deleteInboxMessage(
  { store: { inbox }, config: { inboxMaxAge: maxAge } }: Parts,
  { id, userId }: OneMessage,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const isDeleted = isUuid(id) && (await inbox.delete({ id, userId, maxAge }))
  if (!isDeleted) throw inboxMessageNotFound(TEXT.inboxMessageUndeleted(id))
  log.info({ inboxMessageId: id }, 'inbox message deleted')
}

/** A message that other applications show as well stays there. */
export async function deleteInbox(
  { store: { inbox } }: Parts,
  { userId, appId }: InboxOfUser,
  log: Pick<Logger, 'info'>,
): Promise<void> {
  const messages = await inbox.deleteAll({ userId, appId })
  if (messages === undefined) throw applicationNotFound(TEXT.inboxApplicationUnknown(appId))
  log.info({ appId, userId, messages }, 'inbox of a user deleted')
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

const summaryOf = (row: InboxSummaryRow): InboxMessageSummary => ({
  id: row.id,
  type: row.type,
  subject: row.subject,
  summary: row.summary,
  read: row.readAt !== null,
  timestampCreated: timestampOf(row.createdAt),
  ...(row.validUntil && { validUntil: timestampOf(row.validUntil) }),
})

const messageOf = (row: InboxMessageRow): InboxMessage => ({
  ...summaryOf(row),
  userId: row.userId,
  body: row.body,
  ...(row.readAt && { timestampRead: timestampOf(row.readAt) }),
  applications: row.appIds,
})
