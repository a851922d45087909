// /push/message: what may be done about messages after their acceptance. Cancelling, what waits, what has failed, sending again.
import {
  ErrorResponse,
  FailedMessagePage,
  FailedQuery,
  MessageCancelled,
  MessageParams,
  okWith,
  OkWith,
  SendHeaders,
  SendMessageResponse,
  WaitingDeliveryPage,
  WaitingQuery,
} from '@push-server/contract'
import { cancelMessage, listFailed, listWaiting, resendMessage, type Context } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { subjectOf } from '../plugins/requests.ts'
import { applicationOfMessage, fromQuery } from '../validation/applications.ts'
import { idempotencyKeyOf, validKey } from '../validation/idempotency-key.ts'
import { MESSAGE_PATH } from '../validation/message-path.ts'
import { responses, responsesOrNotFound, sendResponses } from '../openapi/responses.ts'
import type { Sending } from '../parts.ts'

const tags = ['Messages']
const PAGE_SIZE = 100

export const messageOperationRoutes =
  (context: Context, { pressure, batches, quotas }: Sending): FastifyPluginAsyncTypebox =>
  async (app) => {
    const ofMessage = { scope: 'message', applications: applicationOfMessage(context.store) } as const
    const ofQuery = { scope: 'message', applications: fromQuery('appId') } as const

    app.delete(
      MESSAGE_PATH,
      {
        config: ofMessage,
        schema: {
          tags,
          operationId: 'cancelMessage',
          summary: 'Cancel what is not pushed yet of a message',
          description: 'Such deliveries fail as `Cancelled`. May be repeated; OK when nothing is left to cancel, too.',
          params: MessageParams,
          response: responsesOrNotFound(OkWith(MessageCancelled)),
        },
      },
      async ({ params, log }) => okWith(await cancelMessage(context, params.id, log)),
    )

    app.post(
      `${MESSAGE_PATH}/resend`,
      {
        config: ofMessage,
        schema: {
          tags,
          operationId: 'resendMessage',
          summary: 'Send a message again to the devices that it has not reached',
          description:
            'As a new message, under the same checks, to the devices of the user as they are now: those that have it already, or are still ' +
            'being pushed to, are left out. Refused once its content is not kept any more or has lost its validity.',
          params: MessageParams,
          headers: SendHeaders,
          response: { ...sendResponses(OkWith(SendMessageResponse)), 404: ErrorResponse },
        },
        preValidation: validKey,
      },
      async (call, reply) => {
        const { params, headers, log, caller, arrivedAt } = call
        const allowance = quotas.allowanceOf(caller)
        const resent = await resendMessage(context, {
          id: params.id,
          idempotencyKey: idempotencyKeyOf(headers),
          pressure,
          batches,
          allowance,
          arrivedAt,
          isAbandoned: () => reply.raw.destroyed,
          correlationId: call.id,
          traceContext: call.span?.traceparent,
          log,
        }).finally(() => void reply.headers(allowance.headers()))
        call.subject = subjectOf(resent.appId, resent)
        return okWith({ mode: 'ASYNCHRONOUS', messageIds: resent.messageIds })
      },
    )

    app.get(
      '/push/message/waiting',
      {
        config: ofQuery,
        schema: {
          tags,
          operationId: 'listWaitingDeliveries',
          summary: 'Deliveries of an application that are still to be pushed, and what they wait for',
          description:
            'Those of single messages. Pages go on with `after`, whatever has become of the deliveries before.',
          querystring: WaitingQuery,
          response: responses(OkWith(WaitingDeliveryPage)),
        },
      },
      async ({ query: { appId, after, size = PAGE_SIZE } }) =>
        okWith(await listWaiting(context, { appId, after, size })),
    )

    app.get(
      '/push/message/failed',
      {
        config: ofQuery,
        schema: {
          tags,
          operationId: 'listFailedMessages',
          summary: 'Messages of an application with deliveries that failed, oldest first',
          description:
            'Those of single messages, as long as they are kept. A page looks at a bounded number of messages: it may have fewer than ' +
            '`size`, or none, and still have a `next`.',
          querystring: FailedQuery,
          response: responses(OkWith(FailedMessagePage)),
        },
      },
      async ({ query: { appId, from, to, reason, after, size = PAGE_SIZE } }) =>
        okWith(await listFailed(context, { appId, from, to, reason, after, size })),
    )
  }
