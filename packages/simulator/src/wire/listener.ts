// The listener of a fake: TLS with HTTP/2 or HTTP/1.1, as agreed with the sender (ALPN); without an agreement HTTP/2 where a fake speaks
// nothing else.
import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import type { Certificate } from '../certificate.ts'
import { createHttp1 } from './http1.ts'
import { serveHttp2, type Http2Connection, type Http2Options } from './http2.ts'

/** Address and certificate of a listener. */
export interface ListenAddress {
  host: string
  port: number
  certificate: Certificate
}

export interface ListenerOptions extends Http2Options {
  protocols: readonly ('h2' | 'http/1.1')[]
}

/**
 * How a connection is ended: GOAWAY, and it closes when the requests in flight have finished; GOAWAY, and it is cut at once; cut
 * without GOAWAY. Over HTTP/1.1 it is cut in any case.
 */
export const DISCONNECTS = ['goaway', 'goaway-cut', 'cut'] as const
export type Disconnect = (typeof DISCONNECTS)[number]

/** The part of a fake that misbehaves for all requests. */
export interface Wire {
  /** Sets the maximum number of streams on each connection; undefined: as the fake sets it. */
  setStreams(count: number | undefined): void
  setHandshake(delayMs: number): void
  /** While it is down it does not listen, and connections are cut. */
  setDown(isDown: boolean): Promise<void>
  disconnect(manner: Disconnect): void
}

export interface Listener extends Wire {
  port: number
  /** Cuts all connections. */
  stop(): Promise<void>
}

/** Resolves when it listens. */
export async function startListener(address: ListenAddress, options: ListenerOptions): Promise<Listener> {
  const connections = createConnections(options)
  const { key, cert } = address.certificate
  const tls = createServer({ key, cert, ALPNProtocols: [...options.protocols] })
  tls.on('secureConnection', connections.open)
  let handshakeMs = 0
  // TLS begins when its server gets the connection; paused, nothing of it is read before.
  const tcp = createTcpServer({ pauseOnConnect: true }, (socket) => {
    connections.add(socket)
    const speak = () => socket.destroyed || tls.emit('connection', socket)
    if (handshakeMs === 0) speak()
    else setTimeout(speak, handshakeMs).unref()
  })

  async function listen(port: number) {
    tcp.listen(port, address.host)
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

  const port = await listen(address.port)
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
  const sockets = new Map<string, { tcp: Socket; http2?: Http2Connection }>()
  const takeHttp1 = createHttp1(options)
  let streams: number | undefined
  const isHttp2Alone = !options.protocols.includes('http/1.1')
  /** Apple takes HTTP/2 by prior knowledge: some senders offer no ALPN. */
  const speaksHttp2 = (agreed: TLSSocket['alpnProtocol']) => agreed === 'h2' || (agreed === false && isHttp2Alone)

  return {
    add(tcp: Socket) {
      const peer = nameOf(tcp)
      sockets.set(peer, { tcp })
      // A sender may hang up at any time; the exchanges on the connection notice its end.
      tcp.on('error', () => {})
      tcp.on('close', () => sockets.delete(peer))
    },
    open(socket: TLSSocket) {
      // Only the TCP connection can be cut without a TLS alert. TLS does not expose it: it is the one with the same peer.
      const entry = sockets.get(nameOf(socket))
      socket.on('error', () => {})
      if (speaksHttp2(socket.alpnProtocol)) {
        const http2 = serveHttp2(socket, entry?.tcp, { ...options, limit: streams })
        if (entry) entry.http2 = http2
      } else if (isHttp2Alone) socket.destroy()
      else takeHttp1(socket, entry?.tcp)
    },
    setStreams(count: number | undefined) {
      streams = count
      for (const { http2 } of sockets.values()) http2?.limit(count)
    },
    destroy() {
      for (const { tcp } of sockets.values()) tcp.destroy()
    },
    disconnect(manner: Disconnect) {
      for (const { tcp, http2 } of sockets.values()) {
        if (manner === 'cut' || !http2) tcp.destroy()
        else http2.disconnect(manner)
      }
    },
  }
}

const nameOf = (socket: { remoteAddress?: string | undefined; remotePort?: number | undefined }) =>
  `${socket.remoteAddress} ${socket.remotePort}`
