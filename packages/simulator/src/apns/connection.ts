// One connection to the look-alike of APNs: checks each request, then does what its token asks for.
import { randomUUID } from 'node:crypto'
import { constants, type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Answer, Fault } from '../behaviour.ts'
import type { Context } from '../context.ts'
import type { ApnsPush } from '../push.ts'
import { findFault, findSizeFault, findToken, readPayload } from './checks.ts'
import type { Gate } from './gate.ts'
import { toNotification } from './notification.ts'
import { REASON_OF_STATUS, STATUS_OF_REASON, type Reason } from './reasons.ts'

export interface ConnectionOptions {
  gate: Gate
  /** Streams at a time, once the sender has shown a valid token. */
  maxStreams: number
  /** The TCP connection beneath TLS. */
  socket: Socket | undefined
}

export function serveConnection(session: ServerHttp2Session, context: Context, options: ConnectionOptions) {
  const { ledger, answers, latency } = context
  let team: string | undefined

  /** APNs refuses a second team on a connection, and widens it when the first valid token was shown. */
  function admit(headers: IncomingHttpHeaders) {
    const permit = options.gate.admit(headers.authorization)
    if (typeof permit === 'string') return permit
    if (team === undefined) session.settings({ maxConcurrentStreams: options.maxStreams })
    team ??= permit.teamId
    return team === permit.teamId ? permit : 'InvalidProviderToken'
  }

  function check(headers: IncomingHttpHeaders, body: Body): Accepted | Reason {
    const found = findToken(headers)
    if (typeof found === 'string') return found
    const permit = admit(headers)
    if (typeof permit === 'string') return permit
    const fault = findFault(found.token, headers, permit.topics) ?? findSizeFault(body.size, headers)
    if (fault) return fault
    // Apple does not say what it makes of a body that is no JSON object; a phone would show nothing.
    const payload = readPayload(body.bytes)
    return payload ? { token: found.token, payload } : 'PayloadEmpty'
  }

  function serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Body) {
    const apnsId = readId(headers)
    const request = check(headers, body)
    if (typeof request === 'string') {
      return refuse(stream, apnsId, { status: STATUS_OF_REASON[request], reason: request })
    }
    const behaviour = answers.take(request.token)
    const fault = behaviour && 'fault' in behaviour ? behaviour.fault : undefined
    const answer = behaviour && 'status' in behaviour ? behaviour : undefined
    if (answer && answer.status !== 200) return refuse(stream, apnsId, answer)
    if (fault && fault !== 'goaway') return fail(stream, fault)
    accept(stream, { platform: 'ios', apnsId, headers, receivedAt: new Date(), ...request }, fault)
  }

  function accept(stream: ServerHttp2Stream, push: ApnsPush, fault: 'goaway' | undefined) {
    ledger.accepted(push, () => toNotification(push))
    if (fault) session.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from('{"reason":"Shutdown"}'))
    latency.delay(() => {
      if (isOpen(stream)) stream.respond({ ':status': 200, 'apns-id': push.apnsId }, { endStream: true })
      if (fault) session.close()
    })
  }

  function refuse(stream: ServerHttp2Stream, apnsId: string, answer: Answer) {
    ledger.refused('ios', answer.status)
    latency.delay(() => {
      if (isOpen(stream)) sendRefusal(stream, apnsId, answer)
    })
  }

  function fail(stream: ServerHttp2Stream, fault: Exclude<Fault, 'goaway'>) {
    ledger.unanswered('ios')
    if (fault === 'silence') return
    latency.delay(() => {
      if (fault === 'drop') options.socket?.resetAndDestroy()
      else stream.close(fault === 'cancel' ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_REFUSED_STREAM)
    })
  }

  session.on('stream', (stream, headers) => {
    // A sender that resets its own stream or hangs up: there is nobody left to answer.
    stream.on('error', () => {})
    readBody(stream, (body) => {
      if (isOpen(stream)) serve(stream, headers, body)
    })
  })
}

/** False once the sender reset the stream or the connection is gone; Node then throws on any use of it. */
const isOpen = (stream: ServerHttp2Stream) => !stream.closed && !stream.destroyed

type Accepted = Pick<ApnsPush, 'token' | 'payload'>
type Body = { size: number; bytes: Buffer }

/** More than any payload may have; what comes beyond is counted, not kept. */
const BYTES_KEPT = 8192

function readBody(stream: ServerHttp2Stream, done: (body: Body) => void) {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= BYTES_KEPT) chunks.push(chunk)
  })
  stream.on('end', () => done({ size, bytes: Buffer.concat(chunks) }))
}

/** Apple writes the ids it makes itself in capitals. */
function readId(headers: IncomingHttpHeaders): string {
  const id = headers['apns-id']
  return typeof id === 'string' ? id : randomUUID().toUpperCase()
}

function sendRefusal(stream: ServerHttp2Stream, apnsId: string, { status, reason, retryAfter, timestamp }: Answer) {
  stream.respond({
    ':status': status,
    'apns-id': apnsId,
    'content-type': 'application/json',
    ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
  })
  const since = status === 410 ? { timestamp: timestamp ?? Date.now() } : {}
  stream.end(JSON.stringify({ reason: reason ?? REASON_OF_STATUS[status] ?? 'InternalServerError', ...since }))
}
