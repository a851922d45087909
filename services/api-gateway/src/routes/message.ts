// /push/message: notifications to single users, and what became of them.
import {
  ListMessagesQuery,
  MessageList,
  MessagePreview,
  MessageParams,
  MessageStatus,
  okWith,
  OkWith,
  Paged,
  paged,
  PLATFORMS,
  PreferHeaders,
  PROVIDER_NAMES,
  sendBatchRequest,
  SendBatchResponse,
  SendHeaders,
  SendMessageResponse,
  SendMessageRequest,
  Wrapped,
  type Message,
} from '@push-server/contract'
import {
  acceptMessages,
  findMessage,
  listMessages,
  previewMessage,
  requireRawScope,
  type Accepted,
  type Context,
  type Tallies,
} from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { applicationOfMessage, fromBody, fromQuery } from '../validation/applications.ts'
import { idempotencyKeyOf, validKey } from '../validation/idempotency-key.ts'
import { MESSAGE_PATH } from '../validation/message-path.ts'
import { batchRules, sendRules } from '../validation/message-rules.ts'
import { reportIgnored } from '../plugins/preferences.ts'
import { enforce } from '../validation/rules.ts'
import { DEFAULT_LIMITS } from '../validation/json-limits.ts'
import { responses, responsesOrNotFound, sendResponses, withPreferences } from '../openapi/responses.ts'
import type { Sending } from '../parts.ts'
import { subjectOf } from '../plugins/requests.ts'

const tags = ['Messages']
const config = { scope: 'message', applications: fromBody('appId'), strays: 'handler' } as const

/** More than a payload has room for: one of 4096 bytes holds 2048 values at most. */
const VALUES_OF_A_MESSAGE = 2_048 + 64

/** Beside what every request has room for, so that a batch of too many messages gets its own text. */
const batchLimits = (most: number) => ({
  nodes: DEFAULT_LIMITS.nodes + most * VALUES_OF_A_MESSAGE,
  values: DEFAULT_LIMITS.values + most * VALUES_OF_A_MESSAGE,
})

interface SendRequest {
  appId: string
  mode?: string | null | undefined
  messages: readonly Message[]
  /** Path in the request of what has the path `inside` in a message. */
  fieldOf(index: number, inside: string): string
}

export const messageRoutes =
  (context: Context, { waiters, pressure, batches, quotas }: Sending): FastifyPluginAsyncTypebox =>
  async (app) => {
    async function accept(
      request: SendRequest,
      call: FastifyRequest,
      reply: FastifyReply,
    ): Promise<SendMessageResponse> {
      const { headers, log, caller, arrivedAt } = call
      call.subject = { appId: request.appId }
      requireRawScope(caller, request.messages)
      // Left out means SYNCHRONOUS; null means ASYNCHRONOUS and is left out of the response.
      const mode = request.mode === undefined ? 'SYNCHRONOUS' : request.mode
      const synchronous = mode === 'SYNCHRONOUS'
      const allowance = quotas.allowanceOf(caller)
      const accepted = await acceptMessages(context, {
        ...request,
        idempotencyKey: idempotencyKeyOf(headers),
        pressure,
        batches,
        isAbandoned: () => reply.raw.destroyed,
        onIgnored: (ignored) => reportIgnored(call, ignored),
        allowance,
        arrivedAt,
        correlationId: call.id,
        traceContext: call.span?.traceparent,
        waiters: synchronous ? waiters : undefined,
        log,
      }).finally(() => void reply.headers(allowance.headers()))
      call.subject = subjectOf(request.appId, accepted)
      if (call.form !== 'all') reply.headers(messageIdHeaders(accepted.messageIds))
      return responseOf(mode, accepted)
    }

    app.post(
      '/push/message/send',
      {
        config,
        schema: {
          tags,
          operationId: 'sendMessage',
          summary: 'Send a message to a user',
          headers: SendHeaders,
          body: Wrapped(SendMessageRequest),
          response: sendResponses(OkWith(SendMessageResponse)),
        },
        preValidation: [enforce(sendRules), validKey],
      },
      async (request, reply) => {
        const { appId, mode, message } = request.body.requestObject
        const fieldOf = (_: number, inside: string) => `requestObject.message.${inside}`
        return okWith(await accept({ appId, mode, messages: [message], fieldOf }, request, reply))
      },
    )

    app.post(
      '/push/message/batch/send',
      {
        config: { ...config, jsonLimits: batchLimits(context.config.batchSize) },
        schema: {
          tags,
          operationId: 'sendBatch',
          summary: 'Send messages to several users',
          description: 'The whole request is checked first; nothing is sent when it is refused.',
          headers: SendHeaders,
          body: Wrapped(sendBatchRequest(context.config.batchSize)),
          response: sendResponses(OkWith(SendBatchResponse)),
        },
        preValidation: [enforce(batchRules(context.config.batchSize)), validKey],
      },
      async (request, reply) => {
        const { appId, mode, batch } = request.body.requestObject
        const fieldOf = (index: number, inside: string) => `requestObject.batch[${index}].${inside}`
        return okWith(await accept({ appId, mode, messages: batch, fieldOf }, request, reply))
      },
    )

    app.post(
      '/push/message/preview',
      {
        config: { scope: 'message', applications: fromBody('appId') },
        schema: {
          tags,
          operationId: 'previewMessage',
          summary: 'What a message would become',
          description:
            'On each platform, the request for one device as a worker would build it, without tokens; and which devices would get it. Nothing is stored or sent.',
          headers: PreferHeaders,
          body: Wrapped(SendMessageRequest),
          response: responses(withPreferences(OkWith(MessagePreview))),
        },
        preValidation: [enforce(sendRules)],
      },
      async ({ body: { requestObject }, caller }) => {
        const { appId, message } = requestObject
        requireRawScope(caller, [message])
        const fieldOf = (inside: string) => `requestObject.message.${inside}`
        return okWith(await previewMessage(context, batches, { appId, message, fieldOf }))
      },
    )

    app.get(
      MESSAGE_PATH,
      {
        config: { scope: 'message', applications: applicationOfMessage(context.store) },
        schema: {
          tags,
          operationId: 'messageStatus',
          summary: 'What became of a message',
          params: MessageParams,
          response: responsesOrNotFound(OkWith(MessageStatus)),
        },
      },
      async ({ params }) => okWith(await findMessage(context, params.id)),
    )

    app.get(
      '/push/message/list',
      {
        config: { scope: 'message', applications: fromQuery('appId') },
        schema: {
          tags,
          operationId: 'listMessages',
          summary: 'Messages of a user, newest first',
          querystring: ListMessagesQuery,
          response: responses(Paged(MessageList)),
        },
      },
      async ({ query: { appId, userId, page = 0, size = 100 } }) =>
        paged({ page, size }, { messages: await listMessages(context, { appId, userId, page, size }) }),
    )
  }

/** A header of more is refused by proxies. */
const MOST_IDS = 50

/** Where a form has no member for the ids of messages. */
const messageIdHeaders = (ids: readonly string[]): Record<string, string> =>
  ids.length > MOST_IDS ? { 'x-message-ids-omitted': String(ids.length) } : { 'x-message-ids': ids.join(',') }

function responseOf(mode: string | null, { messageIds, tallies }: Accepted): SendMessageResponse {
  return { ...(mode !== null && { mode }), messageIds, ...(tallies && { result: tallies, ...mirrorsOf(tallies) }) }
}

/** The counters once more, flat, under both names of each platform: existing clients read them there. */
const mirrorsOf = (tallies: Tallies) =>
  Object.fromEntries(
    PLATFORMS.flatMap((platform) => [
      [platform, tallies[platform]],
      [PROVIDER_NAMES[platform], tallies[platform]],
    ]),
  )
