// Where a look-alike listens: TLS with HTTP/2 or HTTP/1.1, whichever the sender and it agree on (ALPN).
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { Certificate } from '../certificate.ts'
import { createHttp1 } from './http1.ts'
import { serveHttp2, type Http2Line, type Http2Options } from './http2.ts'

/** Where, and with which certificate. */
export interface Place {
  host: string
  port: number
  certificate: Certificate
}

export interface ListenerOptions extends Http2Options {
  protocols: readonly ('h2' | 'http/1.1')[]
}

/**
 * How a connection is ended: GOAWAY, and it closes when what is under way is answered; GOAWAY, and it is cut at once; cut
 * without a word. Over HTTP/1.1 it is cut in any case.
 */
export const FAREWELLS = ['goaway', 'goaway-cut', 'cut'] as const
export type Disconnect = (typeof FAREWELLS)[number]

/** The side of a look-alike that misbehaves for all requests alike. */
export interface Wire {
  /** Streams at a time on each connection, from now on; undefined: as many as the look-alike wants. */
  setStreams(count: number | undefined): void
  setHandshake(delayMs: number): void
  /** While it is down nobody listens; connections are cut. */
  setDown(isDown: boolean): Promise<void>
  disconnect(manner: Disconnect): void
}

export interface Listener extends Wire {
  port: number
  /** Cuts what connections there are. */
  stop(): Promise<void>
}

/** Resolves when it listens. */
export async function startListener(place: Place, options: ListenerOptions): Promise<Listener> {
  const connections = createConnections(options)
  const { key, cert } = place.certificate
  const tls = createServer({ key, cert, ALPNProtocols: [...options.protocols] })
  tls.on('secureConnection', connections.open)
  let handshakeMs = 0
  // TLS begins when its server hears of the connection; paused, nothing of it is read before.
  const tcp = createTcpServer({ pauseOnConnect: true }, (socket) => {
    connections.add(socket)
    const speak = () => socket.destroyed || tls.emit('connection', socket)
    if (handshakeMs === 0) speak()
    else setTimeout(speak, handshakeMs).unref()
  })

  async function listen(port: number) {
    tcp.listen(port, place.host)
    await once(tcp, 'listening')
    return (tcp.address() as AddressInfo).port
  }

  async function close() {
    if (!tcp.listening) return
    const closed = once(tcp, 'close')
    tcp.close()
    connections.destroy()
    await closed
  }

  const port = await listen(place.port)
  return {
    port,
    setStreams: connections.setStreams,
    setHandshake(delayMs) {
      handshakeMs = delayMs
    },
    async setDown(isDown) {
      if (isDown) await close()
      else if (!tcp.listening) await listen(port)
    },
    disconnect: connections.disconnect,
    stop: close,
  }
}

function createConnections(options: ListenerOptions) {
  const sockets = new Map<string, { tcp: Socket; line?: Http2Line }>()
  const takeHttp1 = createHttp1(options)
  let streams: number | undefined

  return {
    add(tcp: Socket) {
      const peer = nameOf(tcp)
      sockets.set(peer, { tcp })
      // Hanging up is a sender's right; whoever waits on the connection notices its end.
      tcp.on('error', () => {})
      tcp.on('close', () => sockets.delete(peer))
    },
    open(socket: TLSSocket) {
      // Only the TCP connection can be cut without a farewell. TLS does not show it: it is the one with the same peer.
      const entry = sockets.get(nameOf(socket))
      socket.on('error', () => {})
      if (socket.alpnProtocol === 'h2') {
        const line = serveHttp2(socket, entry?.tcp, { ...options, limit: streams })
        if (entry) entry.line = line
      } else if (options.protocols.includes('http/1.1')) takeHttp1(socket, entry?.tcp)
      else socket.destroy()
    },
    setStreams(count: number | undefined) {
      streams = count
      for (const { line } of sockets.values()) line?.limit(count)
    },
    destroy() {
      for (const { tcp } of sockets.values()) tcp.destroy()
    },
    disconnect(manner: Disconnect) {
      for (const { tcp, line } of sockets.values()) {
        if (manner === 'cut' || !line) tcp.destroy()
        else line.sayGoodbye(manner)
      }
    },
  }
}

const nameOf = (socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }) =>
  `${socket.remoteAddress} ${socket.remotePort}`
