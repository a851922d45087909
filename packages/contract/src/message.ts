// Requests and responses about messages.
import Type, { type Static } from 'typebox'
import { AppId } from './application.ts'
import { MessageBody } from './message-body.ts'
import { PLATFORM_NAMES } from './platform.ts'
import { pageMembers } from './paging.ts'
import {
  byPlatform,
  byPlatformName,
  Nullable,
  optionally,
  PlatformNameText,
  PlatformText,
  Time,
  TIME_IN_REQUEST,
  Words,
} from './schema.ts'

export const SEND_MODES = ['SYNCHRONOUS', 'ASYNCHRONOUS'] as const
export type SendMode = (typeof SEND_MODES)[number]

const ModeText = Words('Mode', SEND_MODES, {
  description:
    'SYNCHRONOUS (when absent): the response arrives when each delivery has its result. ASYNCHRONOUS and null: the response arrives at once.',
  examples: ['SYNCHRONOUS'],
})
const Mode = Type.Optional(Nullable(ModeText))

/** Empty is refused by a rule, with a text of its own. */
export const Recipient = Type.String({
  maxLength: 255,
  'x-document': { minLength: 1 },
  description: 'User who gets the message.',
  examples: ['user-1'],
})

/** Null and left out mean all. */
export const ChosenPlatforms = Type.Optional(
  Nullable(
    Type.Array(PlatformNameText, {
      minItems: 1,
      maxItems: PLATFORM_NAMES.length,
      description: 'Sends the message only to devices of these platforms, in either of their names. By default to all.',
    }),
  ),
)

export const Message = Type.Object(
  {
    userId: Recipient,
    activationId: Type.Optional(
      Nullable(Type.String({ maxLength: 37, description: 'Sends the message only to the device of this activation.' })),
    ),
    priority: Type.Optional(
      Nullable(Words('Priority', ['NORMAL', 'HIGH'], { description: 'Urgency of the message.' }), { default: 'HIGH' }),
    ),
    attributes: Type.Optional(
      Nullable(
        Type.Object({
          silent: Type.Optional(
            Nullable(Type.Boolean({ default: false, description: 'Wakes the application and shows nothing.' })),
          ),
          personal: Type.Optional(
            Nullable(
              Type.Boolean({
                default: false,
                description: 'Sends the message only to devices whose activation is ACTIVE.',
              }),
            ),
          ),
        }),
      ),
    ),
    platforms: ChosenPlatforms,
    sendAt: Type.Optional(
      Nullable(
        Type.String({
          maxLength: 64,
          ...TIME_IN_REQUEST,
          description:
            'When to send the message: ISO 8601 with offset, in the future and within DELIVERY_MAX_AGE. The response arrives at once.',
        }),
      ),
    ),
    body: MessageBody,
  },
  { title: 'Message' },
)
export type Message = Static<typeof Message>

export const SendMessageRequest = Type.Object(
  { appId: AppId, mode: Mode, message: Message },
  { title: 'SendMessageRequest' },
)
export type SendMessageRequest = Static<typeof SendMessageRequest>

/** `most`: messages of a batch. More are refused by a rule, with a text of its own. */
export const sendBatchRequest = (most: number) =>
  Type.Object(
    { appId: AppId, mode: Mode, batch: Type.Array(Message, { minItems: 1, 'x-document': { maxItems: most } }) },
    { title: 'SendBatchRequest' },
  )

/** What became of the deliveries of one platform. */
export const Tally = Type.Object(
  { sent: Type.Integer(), pending: Type.Integer(), failed: Type.Integer(), total: Type.Integer() },
  { title: 'Tally', examples: [{ sent: 1, pending: 0, failed: 0, total: 1 }] },
)
export type Tally = Static<typeof Tally>

const HEX = '[0-9a-fA-F]'
/** Of an id of a message. */
export const MESSAGE_ID_PATTERN = `${HEX}{8}-${HEX}{4}-${HEX}{4}-${HEX}{4}-${HEX}{12}`

/** The path takes ids alone, so that its validation has nothing left to do. */
export const MessageId = Type.String({
  'x-document': { format: 'uuid' },
  description: 'Identifier of the message, from the response to the request that sent it.',
  examples: ['0199b1e5-5f0f-7a3e-8a65-4c1d6f2b7a90'],
})

/** SYNCHRONOUS responses have `result`, and the same tallies under the names that existing clients read. */
const sendResponse = {
  mode: Type.Optional(ModeText),
  messageIds: Type.Array(MessageId, { description: 'Identifiers of the messages, in the order of the request.' }),
  result: Type.Optional(Type.Object(byPlatform(Tally))),
  ...optionally(byPlatformName(Tally)),
}
export const SendMessageResponse = Type.Object(sendResponse, { title: 'SendMessageResponse' })
export type SendMessageResponse = Static<typeof SendMessageResponse>

/** In the form of a version the two differ. */
export const SendBatchResponse = Type.Object(sendResponse, { title: 'SendBatchResponse' })

/** How a request says that it rather be refused than understood in part, RFC 7240. */
export const Prefer = Type.Optional(
  Type.String({
    description:
      '`handling=strict` refuses a request with members that are unknown, in the wrong place, or ignored by every platform that the ' +
      'application has credentials for. Without it these are ignored and named in `X-Push-Warnings`.',
  }),
)

/** The key is checked before the schema, with a text that says the limit. */
export const SendHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      'x-document': { minLength: 1, maxLength: 255, pattern: '^[ -~]{1,255}$' },
      description:
        'Your name for this request, 1 to 255 printable ASCII characters. The same request under the same key sends nothing and ' +
        'gets the `messageIds` of the first one. Another request under the same key is refused with 409.',
      examples: ['payment-4711'],
    }),
  ),
  prefer: Prefer,
})

export const PreferHeaders = Type.Object({ prefer: Prefer })

const messageHead = {
  id: MessageId,
  appId: AppId,
  userId: Type.String({ examples: ['user-1'] }),
  timestampCreated: Time('When the message was accepted.'),
}

/** One message to one device. */
export const DeliveryStatus = Type.Object(
  {
    activationId: Type.String({
      description: 'Activation of the device.',
      examples: ['49414e31-f3df-4cea-87e6-f214ca3b8412'],
    }),
    platform: PlatformText,
    status: Words('DeliveryState', ['pending', 'sent', 'failed', 'skipped'], {
      description:
        '`sent`: the provider has accepted the push. `skipped`: the message is not for this device. It is personal and the device is ' +
        'not active, or it is for other platforms.',
      examples: ['sent'],
    }),
    reason: Type.Optional(
      Type.String({
        description: 'Why the delivery is not sent: a word of this server or of the provider.',
        examples: ['Expired'],
      }),
    ),
    attempts: Type.Integer({ description: 'Number of attempts so far.', examples: [1] }),
    apnsUniqueId: Type.Optional(
      Type.String({
        description:
          "Apple's id of the push, by which its Push Notifications Console finds it. Only the development service of APNs gives one.",
        examples: ['0b3b8b0f-6f2c-4e3f-9d2a-7a5b7c1f2d10'],
      }),
    ),
    timestampNextAttempt: Type.Optional(Time('When the next attempt of a pending delivery is due.')),
    timestampUpdated: Time('When the status was last written.'),
  },
  { title: 'DeliveryStatus' },
)

export const MessageParams = Type.Object({ id: MessageId })

export const MessageStatus = Type.Object(
  { ...messageHead, deliveries: Type.Array(DeliveryStatus) },
  { title: 'MessageStatus' },
)
export type MessageStatus = Static<typeof MessageStatus>

export const ListMessagesQuery = Type.Object({
  appId: AppId,
  userId: Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'User whose messages are listed.',
    examples: ['user-1'],
  }),
  ...pageMembers(100),
})

export const MessageSummary = Type.Object(
  { ...messageHead, result: Type.Object(byPlatform(Tally)) },
  { title: 'MessageSummary' },
)
export type MessageSummary = Static<typeof MessageSummary>

export const MessageList = Type.Object({ messages: Type.Array(MessageSummary) }, { title: 'MessageList' })
