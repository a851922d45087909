// Requests and responses about the inbox: messages that wait for the user in the mobile application.
import Type, { type Static } from 'typebox'
import { AppId } from './application.ts'
import { UserId } from './device.ts'
import { pageMembers } from './paging.ts'
import { BooleanWord, Nullable, Time, UnitText, Words, TIME_IN_REQUEST } from './schema.ts'

export const INBOX_MESSAGE_TYPES = ['text', 'html'] as const
export type InboxMessageType = (typeof INBOX_MESSAGE_TYPES)[number]

/** Messages of a page when the request names no size. */
export const INBOX_PAGE_SIZE = 100

const EXAMPLE_ID = 'ae641389-d37a-4425-bd14-41c29484596f'

const TypeName = Words('InboxMessageType', INBOX_MESSAGE_TYPES, {
  'x-case': 'lower',
  description: '`text`: the subject and the body make the page. `html`: the body is a whole HTML document.',
  examples: ['text'],
})
const subject = UnitText(255, { description: 'Subject of the message.', examples: ['Example subject'] })
const summary = UnitText(255, {
  description: 'Summary of the message, for lists and notifications.',
  examples: ['Example summary'],
})
const body = UnitText(65_536, { description: 'Text that the user reads.', examples: ['Example message body'] })

export const InboxMessageId = Type.String({
  minLength: 1,
  maxLength: 255,
  description: 'Identifier of the inbox message.',
  examples: [EXAMPLE_ID],
})

const validUntilOf = (description: string) =>
  Type.Optional(
    Nullable(
      Type.Union([Type.String(), Type.Number()], { description, 'x-example': 'timeAhead' }),
      // As of a message's body.
      { 'x-document': { anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] } },
    ),
  )

export const CreateInboxMessageRequest = Type.Object(
  {
    userId: UserId,
    type: TypeName,
    subject,
    summary,
    body,
    applications: Type.Array(AppId, {
      minItems: 1,
      description: 'The applications that show the message, each once.',
      examples: [['mobile-app']],
    }),
    validUntil: validUntilOf(
      'Until when the message is shown: ISO 8601 with offset, or seconds since the epoch. It must be in the future.',
    ),
  },
  { title: 'CreateInboxMessageRequest' },
)
export type CreateInboxMessageRequest = Static<typeof CreateInboxMessageRequest>

const read = Type.Boolean({ description: 'Whether the user has read it.', examples: [false] })
const timestampCreated = Time('When the message was created.')

const validUntil = Type.Optional(Time('Until when the message is shown. Absent = without end.'))

export const InboxMessage = Type.Object(
  {
    id: InboxMessageId,
    userId: UserId,
    type: TypeName,
    subject,
    summary,
    body,
    read,
    timestampCreated,
    timestampRead: Type.Optional(Time('When the message was first read. Absent until then.')),
    validUntil,
    applications: Type.Array(AppId, {
      description: 'Identifiers of the applications that show the message, in the order of their creation.',
    }),
  },
  { title: 'InboxMessage' },
)
export type InboxMessage = Static<typeof InboxMessage>

export const InboxMessageSummary = Type.Object(
  { id: InboxMessageId, type: TypeName, subject, summary, read, timestampCreated, validUntil },
  { title: 'InboxMessageSummary' },
)
export type InboxMessageSummary = Static<typeof InboxMessageSummary>

export const InboxMessageList = Type.Array(InboxMessageSummary, { title: 'InboxMessageList' })

export const InboxSort = Type.String({
  pattern: '^(type|subject|summary|read|timestampCreated|timestampRead)(,(asc|desc|ASC|DESC))?$',
  description:
    'Orders messages of the same creation time: type, subject, summary, read, timestampCreated or timestampRead, with `,asc` or `,desc`.',
  examples: ['subject,asc'],
})

export const InboxListQuery = Type.Object({
  userId: UserId,
  applications: Type.String({
    'x-list': true,
    minLength: 1,
    maxLength: 255,
    description:
      'Identifiers of applications, comma-separated, each once. The list has the messages that any of them shows.',
    examples: ['mobile-app'],
  }),
  onlyUnread: Type.Optional(
    BooleanWord({ default: false, description: 'Leaves out messages that the user has read.', examples: [true] }),
  ),
  ...pageMembers(INBOX_PAGE_SIZE),
  sort: Type.Optional(InboxSort),
})
export type InboxListQuery = Static<typeof InboxListQuery>

/** The messages that one application shows to a user, to be counted or marked as read. */
export const InboxOfUser = Type.Object({ userId: UserId, appId: AppId }, { title: 'InboxOfUser' })
export type InboxOfUser = Static<typeof InboxOfUser>

export const InboxCount = Type.Object(
  { countUnread: Type.Integer({ description: 'Number of messages that the user has not read.', examples: [1] }) },
  { title: 'InboxCount' },
)

const eitherId = {
  messageId: Type.Optional(InboxMessageId),
  id: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'The same identifier under another name, for existing clients.',
    }),
  ),
}

export const InboxDetailQuery = Type.Object(eitherId)

export const InboxReadQuery = Type.Object({
  userId: Type.Optional(UserId),
  ...eitherId,
})

export const ReadInboxMessageRequest = Type.Object(
  { inboxId: InboxMessageId, userId: Type.Optional(Nullable(UserId)) },
  { title: 'ReadInboxMessageRequest' },
)

/** Last parts of paths below `/inbox/messages` that are operations, and no ids. */
export const INBOX_WORDS = ['list', 'count', 'detail', 'read', 'read-all', 'import'] as const

export const InboxMessageParams = Type.Object({ id: InboxMessageId })

export const InboxDeleteQuery = Type.Object({ userId: Type.Optional(UserId) })

/** One line of an import: the format of the `detail` response. */
export const ImportedInboxMessage = Type.Object(
  {
    ...CreateInboxMessageRequest.properties,
    validUntil: validUntilOf('Until when the message is shown. One that has ended by then is not stored.'),
    id: Type.String({
      pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
      description: 'Identifier of the message, a UUID. It stays.',
      examples: [EXAMPLE_ID],
    }),
    read: Type.Optional(Nullable(Type.Boolean({ default: false, examples: [false] }))),
    timestampCreated: Type.String({ maxLength: 64, ...TIME_IN_REQUEST, description: 'When it was created.' }),
    timestampRead: Type.Optional(
      Nullable(
        Type.String({
          maxLength: 64,
          ...TIME_IN_REQUEST,
          description: 'When it was read; by default when it was created.',
        }),
      ),
    ),
  },
  { title: 'ImportedInboxMessage' },
)
export type ImportedInboxMessage = Static<typeof ImportedInboxMessage>
