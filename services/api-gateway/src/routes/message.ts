// /push/message: notifications to single users.
import {
  okWith,
  OkWith,
  PLATFORMS,
  PROVIDER_NAMES,
  SendBatchRequest,
  SendMessageAnswer,
  SendMessageRequest,
  TEXT,
  Wrapped,
  type Message,
} from '@push-server/contract'
import { acceptMessages, type Accepted, type Context, type Tallies, type Waiters } from '@push-server/domain'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { fromBody } from '../plugins/applications.ts'
import { enforce, present, wanted, type Rule } from '../plugins/rules.ts'
import { answers } from './answers.ts'

const tags = ['Messages']
const config = { scope: 'message', applications: fromBody('appId') } as const

type Members = Readonly<Record<string, unknown>>
const membersOf = (value: unknown) => (typeof value === 'object' && value !== null ? (value as Members) : null)

/** What is wrong with a message, whatever request it stands in. */
function messageFault(message: unknown): string | undefined {
  if (message === null || message === undefined) return TEXT.messageNull
  const members = membersOf(message)
  if (members === null) return undefined
  return present('body', TEXT.messageBodyMissing)(members) ?? present('userId', TEXT.messageUserMissing)(members)
}

const validMessage: Rule = (object) => messageFault(object?.message)

const validBatch =
  (most: number): Rule =>
  (object) => {
    const batch = object?.batch
    if (!Array.isArray(batch)) return undefined
    if (batch.length === 0) return TEXT.batchEmpty
    if (batch.length > most) return TEXT.batchTooLarge(most)
    for (const [index, message] of batch.entries()) {
      const fault = messageFault(message)
      if (fault !== undefined) return TEXT.batchItem(index, fault)
    }
    return undefined
  }

const sendRules = [
  wanted(TEXT.objectMissing),
  present('message', TEXT.messageMissing),
  present('appId', TEXT.appIdMissing),
  validMessage,
]
const batchRules = (most: number) => [
  wanted(TEXT.objectMissing),
  present('batch', TEXT.batchMissing),
  present('appId', TEXT.appIdMissing),
  validBatch(most),
]

interface SendRequest {
  appId: string
  mode?: string | null | undefined
  messages: readonly Message[]
  fieldOf(index: number): string
}

export const messageRoutes =
  (context: Context, waiters: Waiters): FastifyPluginAsyncTypebox =>
  async (app) => {
    async function accept(request: SendRequest, { log }: FastifyRequest): Promise<SendMessageAnswer> {
      // Left out means SYNCHRONOUS; null means ASYNCHRONOUS and is not repeated in the answer.
      const mode = request.mode === undefined ? 'SYNCHRONOUS' : request.mode
      const synchronous = mode === 'SYNCHRONOUS'
      const accepted = await acceptMessages(context, { ...request, waiters: synchronous ? waiters : undefined, log })
      return answerOf(mode, accepted)
    }

    app.post(
      '/push/message/send',
      {
        config,
        schema: {
          tags,
          operationId: 'sendMessage',
          summary: 'Send a message to a user',
          body: Wrapped(SendMessageRequest),
          response: answers(OkWith(SendMessageAnswer)),
        },
        preValidation: enforce(sendRules),
      },
      async (request) => {
        const { appId, mode, message } = request.body.requestObject
        const fieldOf = () => 'requestObject.message'
        return okWith(await accept({ appId, mode, messages: [message], fieldOf }, request))
      },
    )

    app.post(
      '/push/message/batch/send',
      {
        config,
        schema: {
          tags,
          operationId: 'sendBatch',
          summary: 'Send messages to several users',
          description: 'The whole request is checked first; nothing is sent when it is refused.',
          body: Wrapped(SendBatchRequest),
          response: answers(OkWith(SendMessageAnswer)),
        },
        preValidation: enforce(batchRules(context.config.batchSize)),
      },
      async (request) => {
        const { appId, mode, batch } = request.body.requestObject
        const fieldOf = (index: number) => `requestObject.batch[${index}]`
        return okWith(await accept({ appId, mode, messages: batch, fieldOf }, request))
      },
    )
  }

function answerOf(mode: string | null, { messageIds, tallies }: Accepted): SendMessageAnswer {
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
