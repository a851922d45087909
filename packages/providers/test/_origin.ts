// A scripted HTTP/2 origin on loopback: a test scripts each response, and sees what came over the wire.
import { EventEmitter, once } from 'node:events'
import {
  createSecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import { generate } from 'selfsigned'
import type { AddressInfo } from 'node:net'

const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
  keyType: 'ec',
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
})

/** The certificate of every origin, to be trusted by clients. */
export const ca: string = pems.cert
export const key: string = pems.private

export interface Received {
  stream: ServerHttp2Stream
  session: ServerHttp2Session
  /** The device's. */
  token: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Origin {
  url: string
  port: number
  received: Received[]
  /** Most requests that were open at one time. */
  peak: number
  /** Resolves once so many requests have come. */
  waitFor(count: number): Promise<void>
  stop(): Promise<void>
}

export interface OriginScript {
  onRequest(request: Received): void
  tokenOf(request: Omit<Received, 'token'>): string
  settings?: Settings
}

export async function startOrigin({ onRequest, tokenOf, settings = {} }: OriginScript): Promise<Origin> {
  const server = createSecureServer({ key: pems.private, cert: pems.cert, settings })
  const sessions = new Set<ServerHttp2Session>()
  const arrivals = new EventEmitter()
  const received: Received[] = []
  let open = 0
  let peak = 0

  server.on('session', (session) => {
    sessions.add(session)
    // Clients are cut off on purpose.
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    const session = stream.session as ServerHttp2Session
    let body = ''
    peak = Math.max(peak, ++open)
    stream.on('close', () => open--)
    stream.on('error', () => {})
    stream.setEncoding('utf8').on('data', (text) => (body += text))
    stream.on('end', () => {
      const request = { stream, session, headers, body, token: tokenOf({ stream, session, headers, body }) }
      received.push(request)
      onRequest(request)
      arrivals.emit('request')
    })
  })
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `https://localhost:${port}`,
    port,
    received,
    get peak() {
      return peak
    },
    async waitFor(count) {
      while (received.length < count) await once(arrivals, 'request')
    },
    async stop() {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
