// HTTP/2 connections of the look-alikes.
import {
  constants,
  performServerHandshake,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { readBody, type Body, type Exchange, type OpenConnection } from './http-exchange.ts'

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants

const CUT_AFTER_MS = 20

export interface Http2Options {
  /** Streams at a time that a connection begins with. */
  streams: number
  bytesKept: number
  open: OpenConnection
}

/** One connection, as far as it misbehaves for all requests alike. */
export interface Http2Line {
  /** Streams at a time whatever the look-alike wants; undefined: what it wants. */
  limit(streams: number | undefined): void
  sayGoodbye(manner: 'goaway' | 'goaway-cut'): void
}

/** `tcp` is the connection beneath TLS; `limit` as in Http2Line. */
export function serveHttp2(
  socket: TLSSocket,
  tcp: Socket | undefined,
  { streams, bytesKept, open, limit }: Http2Options & { limit: number | undefined },
): Http2Line {
  let expected = streams
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: limit ?? streams },
    // Megabytes. Node's default of 10 is too little for a thousand streams with answers that wait.
    maxSessionMemory: 100,
  })
  const notify = () => {
    if (!session.destroyed) session.settings({ maxConcurrentStreams: limit ?? expected })
  }
  const take = open({
    allowStreams(count) {
      expected = count
      notify()
    },
  })
  const place = { session, tcp, lastRead: Infinity }
  // A sender that hangs up or breaks the protocol: its session is over, the others go on.
  session.on('error', () => {})
  session.on('stream', (stream, headers) => {
    // A sender that resets its own stream: there is nobody left to answer.
    stream.on('error', () => {})
    readBody(stream, bytesKept, (body) => {
      if (isOpen(stream) && (stream.id ?? 0) <= place.lastRead) take(createExchange(place, stream, { headers, body }))
    })
  })
  return {
    limit(count) {
      limit = count
      notify()
    },
    sayGoodbye(manner) {
      if (manner === 'goaway-cut') return cutAfterGoaway(place)
      session.goaway(NGHTTP2_NO_ERROR)
      session.close()
    },
  }
}

/** False once the sender reset the stream or the connection is gone; Node then throws on any use of it. */
const isOpen = (stream: ServerHttp2Stream) => !stream.closed && !stream.destroyed

interface Place {
  session: ServerHttp2Session
  tcp: Socket | undefined
  /** Streams above it are not read: so GOAWAY said. */
  lastRead: number
}

interface Request {
  headers: IncomingHttpHeaders
  body: Body
}

function createExchange(place: Place, stream: ServerHttp2Stream, { headers, body }: Request): Exchange {
  const { session, tcp } = place
  return {
    method: headers[':method'] ?? '',
    path: headers[':path'] ?? '',
    headers,
    body,
    reply({ status, headers: more, body: text }) {
      if (!isOpen(stream)) return
      stream.respond({ ':status': status, ...more }, { endStream: text === undefined })
      if (text !== undefined) stream.end(text)
    },
    fail({ failure, code = NGHTTP2_INTERNAL_ERROR }) {
      // Not resetAndDestroy(): it waits for what is being written, which may be for ever.
      if (failure === 'drop' || failure === 'lose') tcp?.destroy()
      else if (failure === 'goaway-cut') cutAfterGoaway(place)
      else if (failure === 'goaway-unread') leaveUnread(place, stream)
      else stream.close({ cancel: NGHTTP2_CANCEL, refuse: NGHTTP2_REFUSED_STREAM, reset: code }[failure])
    },
    retire(manner = '') {
      session.goaway(NGHTTP2_NO_ERROR, 0, Buffer.from(manner))
      return () => session.close()
    },
  }
}

function cutAfterGoaway({ session, tcp }: Place) {
  if (session.destroyed) return
  session.goaway(NGHTTP2_NO_ERROR)
  // A moment later, so that GOAWAY is on its way before.
  setTimeout(() => tcp?.destroy(), CUT_AFTER_MS).unref()
}

/** What came on earlier streams is answered. Node cannot say that nothing was read, so a first stream is refused by itself. */
function leaveUnread(place: Place, stream: ServerHttp2Stream) {
  const { session } = place
  const { id = 1 } = stream
  if (id === 1) return stream.close(NGHTTP2_REFUSED_STREAM)
  place.lastRead = Math.min(place.lastRead, id - 2)
  if (session.destroyed) return
  session.goaway(NGHTTP2_NO_ERROR, place.lastRead)
  setImmediate(() => {
    if (isOpen(stream)) stream.close(NGHTTP2_CANCEL)
    session.close()
  })
}
