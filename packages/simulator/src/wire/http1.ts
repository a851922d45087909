// HTTP/1.1 connections of the fakes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { readBody, type Body, type Exchange, type OpenConnection } from './http-exchange.ts'

/** Senders keep connections open. With Node's 5 s the next request would meet a connection that is just being closed. */
const KEEP_ALIVE_MS = 60_000

/** Returns a function that takes connections; `tcp` is the connection beneath TLS. */
export function createHttp1({ open, bytesKept }: { open: OpenConnection; bytesKept: number }) {
  const connections = new WeakMap<Socket, { tcp: Socket | undefined; take: (exchange: Exchange) => void }>()
  // It does not listen: https://nodejs.org/api/http.html#event-connection allows handing connections to it.
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const connection = connections.get(request.socket)
    // A sender may hang up before its request or the response is complete.
    request.on('error', () => {})
    response.on('error', () => {})
    readBody(request, bytesKept, (body) => connection?.take(createExchange({ request, response, ...connection }, body)))
  })
  return (socket: TLSSocket, tcp: Socket | undefined) => {
    connections.set(socket, { tcp, take: open({ allowStreams: () => {} }) })
    server.emit('connection', socket)
  }
}

interface Http1Request {
  request: IncomingMessage
  response: ServerResponse
  tcp: Socket | undefined
}

function createExchange({ request, response, tcp }: Http1Request, body: Body): Exchange {
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    reply({ status, headers, body: text = '' }) {
      if (response.destroyed) return
      response.writeHead(status, { 'content-length': Buffer.byteLength(text), ...headers })
      response.end(text)
    },
    fail({ failure }) {
      if (failure === 'drop' || failure === 'lose') tcp?.destroy()
      else request.socket.destroy()
    },
    retire() {
      response.shouldKeepAlive = false
      // Node closes the connection after the response.
      return () => {}
    },
  }
}
