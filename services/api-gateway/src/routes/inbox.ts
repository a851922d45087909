// /inbox/messages: messages that wait for the user. Reading has two forms: PUT with a query, POST with a body.
import {
  CreateInboxMessageRequest,
  InboxCount,
  InboxDeleteQuery,
  InboxDetailQuery,
  InboxListQuery,
  InboxMessage,
  InboxMessageList,
  inboxMessageNotFound,
  InboxMessageParams,
  InboxOfUser,
  InboxReadQuery,
  invalidRequest,
  OK,
  okWith,
  OkWith,
  Paged,
  paged,
  ReadInboxMessageRequest,
  TEXT,
  Wrapped,
} from '@push-server/contract'
import {
  countUnread,
  createInboxMessage,
  deleteInbox,
  deleteInboxMessage,
  describeInboxMessage,
  listInbox,
  readInbox,
  readInboxMessage,
  type Context,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { applicationsOfInboxMessage, fromBody, fromQuery, fromQueryList } from '../validation/applications.ts'
import { INBOX_PATH } from '../validation/inbox-path.ts'
import { responses, OK_RESPONSES } from '../openapi/responses.ts'

const tags = ['Inbox']
const messageResponses = responses(OkWith(InboxMessage))

const READ_ONCE =
  'A message that has been read keeps the time of its first reading. With a user, the message of another is not found.'
const READ_ALL = 'All messages that the application shows to the user; other applications see them as read, too.'

/** An inbox message goes by two names in a query. */
interface InboxIds {
  messageId?: string
  id?: string
}

function idOf({ messageId, id }: InboxIds): string {
  const given = messageId ?? id
  if (given === undefined) throw invalidRequest([{ fieldName: 'messageId', hint: 'must not be null' }])
  return given
}

export const inboxRoutes =
  (context: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const ofMessage = (place: 'path' | 'query' | 'body', idIn: (request: FastifyRequest) => string) =>
      ({ scope: 'inbox', applications: applicationsOfInboxMessage(context, place, idIn) }) as const

    app.post(
      '/inbox/messages',
      {
        config: { scope: 'inbox', applications: fromBody('applications') },
        schema: {
          tags,
          operationId: 'createInboxMessage',
          summary: 'Post a message to the inbox of a user',
          description: 'Nothing is pushed for it: send a message as well to draw the attention of the user.',
          body: Wrapped(CreateInboxMessageRequest),
          response: messageResponses,
        },
      },
      async ({ body: { requestObject } }) => okWith(await createInboxMessage(context, requestObject)),
    )

    app.get(
      '/inbox/messages/list',
      {
        config: { scope: 'inbox', applications: fromQueryList('applications') },
        schema: {
          tags,
          operationId: 'listInboxMessages',
          summary: 'List the inbox of a user, newest first',
          querystring: InboxListQuery,
          response: responses(Paged(InboxMessageList)),
        },
      },
      async ({ query }) => {
        const { page, messages } = await listInbox(context, query)
        return paged(page, messages)
      },
    )

    app.get(
      '/inbox/messages/count',
      {
        config: { scope: 'inbox', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: 'countInboxMessages',
          summary: 'Count the unread messages of a user',
          querystring: InboxOfUser,
          response: responses(OkWith(InboxCount)),
        },
      },
      async ({ query }) => okWith({ countUnread: await countUnread(context, query) }),
    )

    app.get(
      '/inbox/messages/detail',
      {
        config: ofMessage('query', ({ query }) => idOf(query as InboxIds)),
        schema: {
          tags,
          operationId: 'describeInboxMessage',
          summary: 'Show an inbox message',
          querystring: InboxDetailQuery,
          response: messageResponses,
        },
        preValidation: async ({ query }) => {
          const { messageId, id } = query
          // As any id that is of no message.
          if (messageId === '' || id === '') throw inboxMessageNotFound(TEXT.inboxMessageUnknown(''))
        },
      },
      async ({ query }) => okWith(await describeInboxMessage(context, idOf(query))),
    )

    app.put(
      '/inbox/messages/read',
      {
        config: ofMessage('query', ({ query }) => idOf(query as InboxIds)),
        schema: {
          tags,
          operationId: 'readInboxMessage',
          summary: 'Mark an inbox message as read',
          description: READ_ONCE,
          querystring: InboxReadQuery,
          response: messageResponses,
        },
      },
      async ({ query }) => okWith(await readInboxMessage(context, { id: idOf(query), userId: query.userId })),
    )

    app.post(
      '/inbox/messages/read',
      {
        config: ofMessage('body', ({ body }) => (body as { requestObject: { inboxId: string } }).requestObject.inboxId),
        schema: {
          tags,
          operationId: 'readInboxMessageByPost',
          summary: 'Mark an inbox message as read',
          description: READ_ONCE,
          body: Wrapped(ReadInboxMessageRequest),
          response: messageResponses,
        },
      },
      async ({ body: { requestObject } }) =>
        okWith(await readInboxMessage(context, { id: requestObject.inboxId, userId: requestObject.userId })),
    )

    app.put(
      '/inbox/messages/read-all',
      {
        config: { scope: 'inbox', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: 'readInbox',
          summary: 'Mark all messages of a user as read',
          description: READ_ALL,
          querystring: InboxOfUser,
          response: OK_RESPONSES,
        },
      },
      async ({ query }) => {
        await readInbox(context, query)
        return OK
      },
    )

    app.post(
      '/inbox/messages/read-all',
      {
        config: { scope: 'inbox', applications: fromBody('appId') },
        schema: {
          tags,
          operationId: 'readInboxByPost',
          summary: 'Mark all messages of a user as read',
          description: READ_ALL,
          body: Wrapped(InboxOfUser),
          response: OK_RESPONSES,
        },
      },
      async ({ body: { requestObject } }) => {
        await readInbox(context, requestObject)
        return OK
      },
    )

    app.delete(
      INBOX_PATH,
      {
        config: ofMessage('path', ({ params }) => (params as { id: string }).id),
        schema: {
          tags,
          operationId: 'deleteInboxMessage',
          summary: 'Delete an inbox message',
          description: 'From every application that shows it. With a user, the message of another is not found.',
          params: InboxMessageParams,
          querystring: InboxDeleteQuery,
          response: OK_RESPONSES,
        },
      },
      async ({ params: { id }, query: { userId }, log }) => {
        await deleteInboxMessage(context, { id, userId }, log)
        return OK
      },
    )

    app.delete(
      '/inbox/messages',
      {
        config: { scope: 'inbox', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: 'deleteInbox',
          summary: 'Delete all messages of a user',
          description:
            'All messages that the application shows to the user. One that other applications show as well stays there.',
          querystring: InboxOfUser,
          response: OK_RESPONSES,
        },
      },
      async ({ query, log }) => {
        await deleteInbox(context, query, log)
        return OK
      },
    )
  }
