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
import { readBody, type Body, type Exchange, type OpenConnection } from './exchange.ts'

export interface Http2Options {
  /** Streams at a time that a connection begins with. */
  streams: number
  bytesKept: number
  open: OpenConnection
}

/** `tcp` is the connection beneath TLS. */
export function serveHttp2(socket: TLSSocket, tcp: Socket | undefined, { streams, bytesKept, open }: Http2Options) {
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: streams },
    // Megabytes. Node's default of 10 is too little for a thousand streams with answers that wait.
    maxSessionMemory: 100,
  })
  const take = open({ allowStreams: (count) => session.settings({ maxConcurrentStreams: count }) })
  // A sender that hangs up or breaks the protocol: its session is over, the others go on.
  session.on('error', () => {})
  session.on('stream', (stream, headers) => {
    // A sender that resets its own stream: there is nobody left to answer.
    stream.on('error', () => {})
    readBody(stream, bytesKept, (body) => {
      if (isOpen(stream)) take(createExchange({ session, stream, tcp }, headers, body))
    })
  })
}

/** False once the sender reset the stream or the connection is gone; Node then throws on any use of it. */
const isOpen = (stream: ServerHttp2Stream) => !stream.closed && !stream.destroyed

interface Place {
  session: ServerHttp2Session
  stream: ServerHttp2Stream
  tcp: Socket | undefined
}

function createExchange({ session, stream, tcp }: Place, headers: IncomingHttpHeaders, body: Body): Exchange {
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
    fail(fault) {
      if (fault === 'drop') tcp?.resetAndDestroy()
      else stream.close(fault === 'cancel' ? constants.NGHTTP2_CANCEL : constants.NGHTTP2_REFUSED_STREAM)
    },
    retire(farewell = '') {
      session.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from(farewell))
      return () => session.close()
    },
  }
}
