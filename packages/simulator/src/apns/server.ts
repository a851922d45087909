// The look-alike of APNs: HTTP/2 over TLS, https://developer.apple.com/documentation/usernotifications
import { createSecureServer } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { once } from 'node:events'
import type { Certificate } from '../certificate.ts'
import type { Context } from '../context.ts'
import { serveConnection } from './connection.ts'
import type { Gate } from './gate.ts'

export interface ApnsServerOptions {
  host: string
  port: number
  certificate: Certificate
  gate: Gate
  maxStreams: number
}

/** Resolves when it listens. `stop` cuts what connections there are. */
export async function startApns(context: Context, options: ApnsServerOptions) {
  const { host, port, certificate, gate, maxStreams } = options
  const sockets = new Map<string, Socket>()
  const server = createSecureServer({
    key: certificate.key,
    cert: certificate.cert,
    // As APNs does with provider tokens: one stream until a valid token was shown.
    settings: { maxConcurrentStreams: 1 },
    // Megabytes. Node's default of 10 is too little for a thousand streams with answers that wait.
    maxSessionMemory: 100,
  })
  server.on('connection', (socket: Socket) => {
    const peer = nameOf(socket)
    sockets.set(peer, socket)
    socket.on('close', () => sockets.delete(peer))
  })
  // The session only shows the TLS socket; the TCP one beneath it is the one with the same peer.
  server.on('session', (session) =>
    serveConnection(session, context, { gate, maxStreams, socket: sockets.get(nameOf(session.socket)) }),
  )
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets.values()) socket.destroy()
      await closed
    },
  }
}

const nameOf = (socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }) =>
  `${socket.remoteAddress} ${socket.remotePort}`
