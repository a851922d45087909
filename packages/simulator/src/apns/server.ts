// The fake of APNs: HTTP/2 over TLS, https://developer.apple.com/documentation/usernotifications
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http2'
import type { Response } from '../behaviour.ts'
import type { Context } from '../context.ts'
import { parseRecord } from '../json.ts'
import type { ApnsPush } from '../push.ts'
import { createRequestHandler, type ReplyFormat } from '../request-handler.ts'
import { jsonReply, retryHeader, type Connection, type Exchange, type Reply } from '../wire/http-exchange.ts'
import { startListener, type ListenAddress } from '../wire/listener.ts'
import { findError, findSizeFailure, findToken, findTypeFailure } from './checks.ts'
import type { TokenVerifier } from './token-verifier.ts'
import { toNotification } from './notification.ts'
import { REASON_OF_STATUS, STATUS_OF_REASON, type Reason } from './reasons.ts'

export interface ApnsOptions {
  tokens: TokenVerifier
  /** Streams at a time, once the sender has shown a valid token. */
  maxStreams: number
}

/** More than any payload may have. */
const BYTES_KEPT = 8192

export function startApns(context: Context, address: ListenAddress, options: ApnsOptions) {
  const handler = createRequestHandler<ApnsPush>(
    { platform: 'ios', compose: toNotification, goawayText: '{"reason":"Shutdown"}' },
    context,
  )

  function open(connection: Connection) {
    const check = createCheck(connection, options)
    return (exchange: Exchange) => {
      const { headers } = exchange
      const apnsId = readId(headers)
      const request = check(exchange)
      if (typeof request === 'string') {
        return handler.refuse(exchange, toRefusal(apnsId, { status: STATUS_OF_REASON[request], reason: request }))
      }
      handler.handle(exchange, { platform: 'ios', apnsId, headers, receivedAt: new Date(), ...request }, REPLIES)
    }
  }

  // As APNs does with provider tokens: one stream until the first valid token.
  return startListener(address, { protocols: ['h2'], streams: 1, bytesKept: BYTES_KEPT, open })
}

const REPLIES: ReplyFormat<ApnsPush> = {
  accepted: ({ apnsId }) => ({ status: 200, headers: { 'apns-id': apnsId } }),
  refused: ({ apnsId }, response) => toRefusal(apnsId, response),
}

/** APNs refuses a second team on a connection. It allows more streams after the first valid token. */
function createCheck(connection: Connection, { tokens, maxStreams }: ApnsOptions) {
  let team: string | undefined

  function admit(headers: IncomingHttpHeaders) {
    const permit = tokens.admit(headers.authorization)
    if (typeof permit === 'string') return permit
    if (team === undefined) connection.allowStreams(maxStreams)
    team ??= permit.teamId
    return team === permit.teamId ? permit : 'InvalidProviderToken'
  }

  return ({ method, path, headers, body }: Exchange): Pick<ApnsPush, 'token' | 'payload'> | Reason => {
    const found = findToken(method, path)
    if (typeof found === 'string') return found
    const permit = admit(headers)
    if (typeof permit === 'string') return permit
    const failure = findError(found.token, headers, permit.topics) ?? findSizeFailure(body.size, headers)
    if (failure) return failure
    // Apple does not document its response to a body that is no JSON object. A phone would show nothing.
    const payload = parseRecord(body.bytes.toString())
    if (!payload) return 'PayloadEmpty'
    return findTypeFailure(payload, headers) ?? { token: found.token, payload }
  }
}

/** Apple writes the ids it makes itself in capitals. */
function readId(headers: IncomingHttpHeaders): string {
  const id = headers['apns-id']
  return typeof id === 'string' ? id : randomUUID().toUpperCase()
}

function toRefusal(apnsId: string, { status, reason, retryAfter, timestamp }: Response): Reply {
  const since = status === 410 ? { timestamp: timestamp ?? Date.now() } : {}
  return jsonReply(
    status,
    { reason: reason ?? REASON_OF_STATUS[status] ?? 'InternalServerError', ...since },
    { 'apns-id': apnsId, ...retryHeader(retryAfter) },
  )
}
