// Scripted origins on loopback: an HTTP/2 server that counts, a TLS server for raw bytes, a CONNECT proxy.
import { EventEmitter, once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer } from 'node:http'
import {
  createSecureServer,
  type IncomingHttpHeaders,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import { generate } from 'selfsigned'
import { connect, type AddressInfo, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'

/** Key and certificate of a host, which is its own authority. */
export async function certificateFor(host: string): Promise<{ key: string; cert: string }> {
  const pems = await generate([{ name: 'commonName', value: host }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
  })
  return { key: pems.private, cert: pems.cert }
}

export const localhost = await certificateFor('localhost')

export async function listen(server: Server, port = 0): Promise<string> {
  server.listen(port, 'localhost')
  await once(server, 'listening')
  return `https://localhost:${portOf(server)}`
}

export const portOf = (server: Server) => (server.address() as AddressInfo).port

export interface Received {
  stream: ServerHttp2Stream
  session: ServerHttp2Session
  path: string
  headers: IncomingHttpHeaders
  body: string
  /** Position of its connection, from 0. */
  connection: number
}

export class Origin {
  readonly server: Http2SecureServer
  readonly sessions: ServerHttp2Session[] = []
  readonly received: Received[] = []
  readonly #arrivals = new EventEmitter()
  url = ''
  open = 0
  peak = 0

  constructor(onRequest: (request: Received) => void, settings: Settings = {}) {
    this.server = createSecureServer({ ...localhost, settings })
    this.server.on('session', (session) => {
      this.sessions.push(session)
      // Clients are cut off on purpose.
      session.on('error', () => {})
    })
    this.server.on('stream', (stream, headers) => {
      this.peak = Math.max(this.peak, ++this.open)
      stream.on('close', () => this.open--)
      stream.on('error', () => {})
      let body = ''
      stream.setEncoding('utf8').on('data', (text) => (body += text))
      stream.on('end', () => {
        const session = stream.session as ServerHttp2Session
        const connection = this.sessions.indexOf(session)
        const request = { stream, session, path: String(headers[':path']), headers, body, connection }
        this.received.push(request)
        onRequest(request)
        this.#arrivals.emit('request')
      })
    })
  }

  async start(port = 0) {
    this.url = await listen(this.server, port)
    return this
  }

  /** Resolves once so many requests have been received. */
  async waitFor(count: number) {
    while (this.received.length < count) await once(this.#arrivals, 'request')
  }

  async stop() {
    for (const session of this.sessions) session.destroy()
    if (!this.server.listening) return
    this.server.close()
    await once(this.server, 'close')
  }
}

export const respond = ({ stream }: Received, status = 200, body = '') => {
  if (stream.destroyed) return
  stream.respond({ ':status': status, 'apns-id': 'A1' })
  stream.end(body)
}

/** Anything that listens, with every connection it has accepted. */
export interface Listener {
  server: Server
  url: string
  sockets: Duplex[]
  stop(): void
}

async function listenWith(server: Server, sockets: Duplex[]): Promise<Listener> {
  const url = await listen(server)
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { server, url, sockets, stop }
}

/** Agrees on h2, unless set otherwise, and then does what `onSocket` says. */
export async function startTls(onSocket: (socket: TLSSocket, position: number) => void, options: TlsOptions = {}) {
  const sockets: Duplex[] = []
  const server = createTlsServer({ ...localhost, ALPNProtocols: ['h2'], ...options }, (socket) => {
    socket.on('error', () => {})
    onSocket(socket, sockets.push(socket) - 1)
  })
  return listenWith(server, sockets)
}

/** What `onSocket` makes of bare TCP connections. */
export async function startTcp(onSocket: (socket: Socket) => void, server: Server) {
  const sockets: Duplex[] = []
  server.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    onSocket(socket)
  })
  return listenWith(server, sockets)
}

/** A CONNECT proxy. `admit` returns the status of its response; undefined: none. */
export async function startProxy(admit: (request: IncomingMessage) => number | undefined) {
  const sockets: Duplex[] = []
  const server: HttpServer = createHttpServer()
  server.on('connect', (request, socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    const status = admit(request)
    if (status === undefined) return
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
    const upstream = connect(Number(request.url?.split(':').at(-1)), 'localhost', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('close', () => upstream.destroy())
  })
  return listenWith(server, sockets)
}

/** One frame as it stands on the wire (RFC 9113 section 4.1). */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const head = Buffer.alloc(9)
  head.writeUIntBE(bytes.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, bytes])
}

/** SETTINGS that allow so many streams. */
export const settingsFrame = (streams: number) => frame(4, 0, 0, Buffer.from([0, 3, 0, 0, 0, streams]))

/** What an honest peer says to the PINGs in these bytes (RFC 9113 section 6.7). */
export function pongsTo(bytes: Buffer): Buffer {
  const pongs: Buffer[] = []
  const ping = frame(6, 0, 0, Buffer.alloc(8)).subarray(0, 9)
  for (let at = bytes.indexOf(ping); at >= 0; at = bytes.indexOf(ping, at + 17)) {
    pongs.push(frame(6, 1, 0, bytes.subarray(at + 9, at + 17)))
  }
  return Buffer.concat(pongs)
}
