// Where a look-alike listens: TLS with HTTP/2 or HTTP/1.1, whichever the sender and it agree on (ALPN).
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:tls'
import type { Certificate } from '../certificate.ts'
import { createHttp1 } from './http1.ts'
import { serveHttp2, type Http2Options } from './http2.ts'

/** Where, and with which certificate. */
export interface Place {
  host: string
  port: number
  certificate: Certificate
}

export interface ListenerOptions extends Http2Options {
  protocols: readonly ('h2' | 'http/1.1')[]
}

/** Resolves when it listens. `stop` cuts what connections there are. */
export async function startListener({ host, port, certificate }: Place, options: ListenerOptions) {
  const sockets = new Map<string, Socket>()
  const takeHttp1 = createHttp1(options)
  const server = createServer({ key: certificate.key, cert: certificate.cert, ALPNProtocols: [...options.protocols] })
  server.on('connection', (socket: Socket) => {
    const peer = nameOf(socket)
    sockets.set(peer, socket)
    socket.on('close', () => sockets.delete(peer))
  })
  server.on('secureConnection', (socket) => {
    // Only the TCP connection can be cut without a farewell. TLS does not show it: it is the one with the same peer.
    const tcp = sockets.get(nameOf(socket))
    // Hanging up is a sender's right; whoever waits on the connection notices its end.
    socket.on('error', () => {})
    if (socket.alpnProtocol === 'h2') serveHttp2(socket, tcp, options)
    else if (options.protocols.includes('http/1.1')) takeHttp1(socket, tcp)
    else socket.destroy()
  })
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
