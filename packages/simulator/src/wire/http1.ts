// HTTP/1.1 connections of the look-alikes.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { readBody, type Body, type Exchange, type OpenConnection } from './http-exchange.ts'

/** Senders keep connections for later; Node's 5 s would close them in the face of the next request. */
const KEEP_ALIVE_MS = 60_000

/** Returns what takes connections; `tcp` is the one beneath TLS. */
export function createHttp1({ open, bytesKept }: { open: OpenConnection; bytesKept: number }) {
  const connections = new WeakMap<Socket, { tcp: Socket | undefined; take: (exchange: Exchange) => void }>()
  // It listens to nothing: https://nodejs.org/api/http.html#event-connection allows handing connections to it.
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const connection = connections.get(request.socket)
    // A sender that hangs up before its request or the answer to it is complete.
    request.on('error', () => {})
    response.on('error', () => {})
    readBody(request, bytesKept, (body) => connection?.take(createExchange({ request, response, ...connection }, body)))
  })
  return (socket: TLSSocket, tcp: Socket | undefined) => {
    connections.set(socket, { tcp, take: open({ allowStreams: () => {} }) })
    server.emit('connection', socket)
  }
}

interface Place {
  request: IncomingMessage
  response: ServerResponse
  tcp: Socket | undefined
}

function createExchange({ request, response, tcp }: Place, body: Body): Exchange {
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
