// The fake of FCM: HTTP/2 and HTTP/1.1 over TLS, https://firebase.google.com/docs/reference/fcm/rest
// Google's OAuth endpoint, which issues the access tokens, has the same address.
import { randomUUID } from 'node:crypto'
import type { AccessTokens } from '../access-tokens.ts'
import type { Context } from '../context.ts'
import { oauthRoutes } from '../oauth-routes.ts'
import type { FcmPush } from '../push.ts'
import { createRequestHandler, type ReplyFormat } from '../request-handler.ts'
import { jsonReply, type Exchange, type Reply } from '../wire/http-exchange.ts'
import { startListener, type ListenAddress } from '../wire/listener.ts'
import type { FcmAccounts, FcmPermit } from './accounts.ts'
import { readSend } from './checks.ts'
import { googleError, toRefusal } from './errors.ts'
import { toNotification } from './notification.ts'

export interface FcmOptions {
  accounts: FcmAccounts
  tokens: AccessTokens<FcmPermit>
  /** Streams at a time on one connection. */
  maxStreams: number
}

export const FCM_TOKEN_PATH = '/token'
const SEND_PATH = /^\/v1\/projects\/([^/]+)\/messages:send$/
/** Far more than a message that is not too big. */
const BYTES_KEPT = 64 * 1024

export function startFcm(context: Context, address: ListenAddress, { accounts, tokens, maxStreams }: FcmOptions) {
  const handler = createRequestHandler<FcmPush>({ platform: 'android', compose: toNotification }, context)

  function send(exchange: Exchange, projectId: string) {
    const refusal = admit(tokens.find(exchange.headers.authorization), projectId)
    if (refusal) return handler.refuse(exchange, refusal)
    const request = readSend(exchange.body)
    if ('status' in request) return handler.refuse(exchange, request)
    const { token, target, payload, validateOnly } = request
    if (validateOnly) {
      const reply = jsonReply(200, { name: `projects/${projectId}/messages/fake_message_id` })
      return handler.accept(exchange, { reply, pushes: [] })
    }
    const name = `projects/${projectId}/messages/${makeId()}`
    const { headers } = exchange
    const receivedAt = new Date()
    const push: FcmPush = { platform: 'android', token, target, projectId, name, headers, payload, receivedAt }
    handler.handle(exchange, push, REPLIES)
  }

  const take = oauthRoutes({
    sendPath: SEND_PATH,
    tokenPath: FCM_TOKEN_PATH,
    grant: accounts.grant,
    send,
    control: context.controls.android,
  })

  return startListener(address, {
    protocols: ['h2', 'http/1.1'],
    streams: maxStreams,
    bytesKept: BYTES_KEPT,
    open: () => take,
  })
}

const REPLIES: ReplyFormat<FcmPush> = {
  accepted: ({ name }) => jsonReply(200, { name }),
  refused: (_push, response) => toRefusal(response),
}

/** Undefined when the holder of the token may push to the project. */
function admit(found: ReturnType<AccessTokens<FcmPermit>['find']>, projectId: string): Reply | undefined {
  if (found === 'missing') return unauthenticated('Request is missing required authentication credential.')
  if (typeof found === 'string') return unauthenticated('Request had invalid authentication credentials.')
  const { holder } = found
  if (!holder.mayPush) return forbidden('Request had insufficient authentication scopes.')
  if (holder.projectId === undefined || holder.projectId === projectId) return undefined
  return forbidden(`Permission 'cloudmessaging.messages.create' denied on resource of project ${projectId}`)
}

const unauthenticated = (message: string) =>
  googleError({
    status: 401,
    code: 'UNAUTHENTICATED',
    message,
    headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
  })

const forbidden = (message: string) => googleError({ status: 403, code: 'PERMISSION_DENIED', message })

/** As FCM makes them: the time in microseconds, then 16 hexadecimal digits. */
const makeId = () => `0:${Date.now()}000%${randomUUID().replaceAll('-', '').slice(16)}`
