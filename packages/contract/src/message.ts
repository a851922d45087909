// Requests and answers about messages.
import Type, { type Static } from 'typebox'
import { AppId } from './application.ts'
import { MessageBody } from './message-body.ts'
import { byPlatform, byPlatformName, Nullable, optionally } from './schema.ts'

export const SEND_MODES = ['SYNCHRONOUS', 'ASYNCHRONOUS'] as const
export type SendMode = (typeof SEND_MODES)[number]

const Mode = Type.Optional(
  Nullable(
    Type.String({
      enum: [...SEND_MODES],
      description:
        'SYNCHRONOUS (when absent) answers with what became of each delivery; ASYNCHRONOUS and null answer at once.',
      examples: ['SYNCHRONOUS'],
    }),
  ),
)

export const Message = Type.Object(
  {
    // Empty is refused by a business rule, which comes after the one about the application.
    userId: Type.String({ maxLength: 255, description: 'Who gets the message.', examples: ['123'] }),
    activationId: Type.Optional(
      Nullable(Type.String({ maxLength: 37, description: 'Only the device of this activation.' })),
    ),
    priority: Type.Optional(
      Nullable(Type.String({ enum: ['NORMAL', 'HIGH'], default: 'HIGH', description: 'Urgency.' })),
    ),
    attributes: Type.Optional(
      Nullable(
        Type.Object({
          silent: Type.Optional(
            Nullable(Type.Boolean({ default: false, description: 'Wakes the application, shows nothing.' })),
          ),
          personal: Type.Optional(
            Nullable(Type.Boolean({ default: false, description: 'Only to devices whose activation is ACTIVE.' })),
          ),
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

export const SendBatchRequest = Type.Object(
  { appId: AppId, mode: Mode, batch: Type.Array(Message, { minItems: 1 }) },
  { title: 'SendBatchRequest' },
)
export type SendBatchRequest = Static<typeof SendBatchRequest>

/** What became of the deliveries of one platform. */
export const Tally = Type.Object(
  { sent: Type.Integer(), pending: Type.Integer(), failed: Type.Integer(), total: Type.Integer() },
  { title: 'Tally', examples: [{ sent: 1, pending: 0, failed: 0, total: 1 }] },
)
export type Tally = Static<typeof Tally>

/** SYNCHRONOUS answers carry `result` and its mirrors under the names that existing clients read. */
export const SendMessageAnswer = Type.Object(
  {
    mode: Type.Optional(Type.String({ enum: [...SEND_MODES] })),
    messageIds: Type.Array(Type.String(), { description: 'One for each message of the request, in its order.' }),
    result: Type.Optional(Type.Object(byPlatform(Tally))),
    ...optionally(byPlatformName(Tally)),
  },
  { title: 'SendMessageAnswer' },
)
export type SendMessageAnswer = Static<typeof SendMessageAnswer>
