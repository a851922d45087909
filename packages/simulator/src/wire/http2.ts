// HTTP/2 connections of the fakes.
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
  /** Maximum number of streams with which a connection begins. */
  streams: number
  bytesKept: number
  open: OpenConnection
}

/** The part of a connection that misbehaves for all its requests. */
export interface Http2Connection {
  /** Maximum number of streams, whatever the fake sets; undefined: as the fake sets it. */
  limit(streams: number | undefined): void
  disconnect(manner: 'goaway' | 'goaway-cut'): void
}

/** `tcp` is the connection beneath TLS; `limit` as in Http2Connection. */
export function serveHttp2(
  socket: TLSSocket,
  tcp: Socket | undefined,
  { streams, bytesKept, open, limit }: Http2Options & { limit: number | undefined },
): Http2Connection {
  let expected = streams
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: limit ?? streams },
    // Megabytes. Node's default of 10 is too little for a thousand streams with delayed responses.
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
  const state = { session, tcp, lastRead: Infinity }
  // A sender may hang up or break the protocol: its session ends, the others go on.
  session.on('error', () => {})
  session.on('stream', (stream, headers) => {
    // A sender may reset its own stream: then no response is needed.
    stream.on('error', () => {})
    readBody(stream, bytesKept, (body) => {
      if (isOpen(stream) && (stream.id ?? 0) <= state.lastRead) take(createExchange(state, stream, { headers, body }))
    })
  })
  return {
    limit(count) {
      limit = count
      notify()
    },
    disconnect(manner) {
      if (manner === 'goaway-cut') return cutAfterGoaway(state)
      session.goaway(NGHTTP2_NO_ERROR)
      session.close()
    },
  }
}

/** False once the sender reset the stream or the connection is gone; Node then throws on any use of it. */
const isOpen = (stream: ServerHttp2Stream) => !stream.closed && !stream.destroyed

interface ConnectionState {
  session: ServerHttp2Session
  tcp: Socket | undefined
  /** Streams above it are not read, as GOAWAY said. */
  lastRead: number
}

interface Request {
  headers: IncomingHttpHeaders
  body: Body
}

function createExchange(state: ConnectionState, stream: ServerHttp2Stream, { headers, body }: Request): Exchange {
  const { session, tcp } = state
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
      else if (failure === 'goaway-cut') cutAfterGoaway(state)
      else if (failure === 'goaway-unread') leaveUnread(state, stream)
      else stream.close({ cancel: NGHTTP2_CANCEL, refuse: NGHTTP2_REFUSED_STREAM, reset: code }[failure])
    },
    retire(goawayText = '') {
      session.goaway(NGHTTP2_NO_ERROR, 0, Buffer.from(goawayText))
      return () => session.close()
    },
  }
}

function cutAfterGoaway({ session, tcp }: ConnectionState) {
  if (session.destroyed) return
  session.goaway(NGHTTP2_NO_ERROR)
  // A moment later, so that GOAWAY leaves before.
  setTimeout(() => tcp?.destroy(), CUT_AFTER_MS).unref()
}

/** Requests on earlier streams get their responses. Node cannot say that nothing was read, so a first stream is refused by itself. */
function leaveUnread(state: ConnectionState, stream: ServerHttp2Stream) {
  const { session } = state
  const { id = 1 } = stream
  if (id === 1) return stream.close(NGHTTP2_REFUSED_STREAM)
  state.lastRead = Math.min(state.lastRead, id - 2)
  if (session.destroyed) return
  session.goaway(NGHTTP2_NO_ERROR, state.lastRead)
  setImmediate(() => {
    if (isOpen(stream)) stream.close(NGHTTP2_CANCEL)
    session.close()
  })
}
