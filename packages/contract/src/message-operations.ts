// Requests and responses about messages after their acceptance: cancelling, what waits, what has failed.
import Type, { type Static } from 'typebox'
import { AppId } from './application.ts'
import { DeliveryStatus, MESSAGE_ID_PATTERN, MessageId } from './message.ts'
import { sliceMembers } from './paging.ts'
import { PlatformText, Time, TIME_IN_REQUEST } from './schema.ts'

export const MessageCancelled = Type.Object(
  {
    cancelled: Type.Integer({
      description: 'Number of deliveries that were not pushed yet and have failed as `Cancelled`.',
      examples: [2],
    }),
    inDelivery: Type.Integer({
      description:
        'Number of deliveries that a worker has in hand. Their pushes may still be made, and are recorded as they end; none is attempted again.',
      examples: [0],
    }),
  },
  { title: 'MessageCancelled' },
)
export type MessageCancelled = Static<typeof MessageCancelled>

const UserId = Type.String({ examples: ['user-1'] })
const next = Type.Optional(
  Type.String({ description: 'The `after` of the next page. Left out with the last one, and only with that.' }),
)

export const WaitingQuery = Type.Object({
  appId: AppId,
  ...sliceMembers(100, '^[0-9]{1,15}-[0-9]{1,5}$'),
})

export const WaitingDelivery = Type.Object(
  {
    messageId: MessageId,
    userId: UserId,
    activationId: Type.String({ examples: ['49414e31-f3df-4cea-87e6-f214ca3b8412'] }),
    platform: PlatformText,
    reason: Type.Optional(
      Type.String({
        description: 'Why it waits: `Paused: …` behind a pause of the platform, or why the latest attempt failed.',
        examples: ['Paused: InvalidProviderToken'],
      }),
    ),
    attempts: Type.Integer({ description: 'Number of attempts so far.', examples: [0] }),
    inDelivery: Type.Boolean({ description: 'Whether a worker has it in hand.', examples: [false] }),
    timestampNextAttempt: Type.Optional(
      Time('When it is due: the next attempt, the next probe of the pause, or `sendAt`. Left out = now.'),
    ),
    timestampCreated: Time('When the message was accepted.'),
  },
  { title: 'WaitingDelivery' },
)

export const WaitingDeliveryPage = Type.Object(
  { deliveries: Type.Array(WaitingDelivery), next },
  { title: 'WaitingDeliveryPage' },
)
export type WaitingDeliveryPage = Static<typeof WaitingDeliveryPage>

const bound = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 64, ...TIME_IN_REQUEST, description }))

export const FailedQuery = Type.Object({
  appId: AppId,
  from: bound('Only messages accepted at this time or later: ISO 8601 with offset.'),
  to: bound('Only messages accepted before this time: ISO 8601 with offset. By default now.'),
  reason: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Only deliveries that failed for this reason.' }),
  ),
  ...sliceMembers(100, `^[0-9]{1,14}-${MESSAGE_ID_PATTERN}$`),
})

export const FailedMessage = Type.Object(
  {
    id: MessageId,
    userId: UserId,
    timestampCreated: Time('When the message was accepted.'),
    resendable: Type.Boolean({
      description: 'Whether its content is still kept and valid, so that it can be sent again.',
      examples: [true],
    }),
    deliveries: Type.Array(DeliveryStatus, { description: 'Those that failed.' }),
  },
  { title: 'FailedMessage' },
)

export const FailedMessagePage = Type.Object(
  { messages: Type.Array(FailedMessage), next },
  { title: 'FailedMessagePage' },
)
export type FailedMessagePage = Static<typeof FailedMessagePage>
