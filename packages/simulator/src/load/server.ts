// A provider for load tests: it accepts every push, after a latency, at a cost of a few microseconds. It has no phones and checks
// nothing; for that there is startSimulator. HTTP/1.1, which HMS speaks, is served by Node's own server.
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { createServer, type TLSSocket } from 'node:tls'
import { openCertificate } from '../certificate.ts'
import type { LatencyMs } from '../latency.ts'
import { serveLoad } from './connection.ts'
import { openDelays } from './delays.ts'

export interface LoadServerOptions {
  /** Host names of its certificate beside localhost. */
  names?: readonly string[]
  /** By default none. */
  latencyMs?: LatencyMs
  /** Streams that a connection may have open (1000). */
  maxStreams?: number
  /** Remembers every token (no). */
  countsTokens?: boolean
}

export interface LoadServer {
  port: number
  /** PEM. The authority to trust. */
  ca: string
  /** Requests that were complete. */
  requests(): number
  /** Pushes, and how many tokens they went to; of a server that counts tokens. */
  pushes(): number
  distinctTokens(): number
  /** How many pushes went to each token. */
  pushesByToken(): ReadonlyMap<string, number>
  /** Of the last push, in milliseconds since the epoch; 0 before the first one. */
  lastPushAt(): number
  /** Pushes and tokens are counted from 0 from here on. */
  forget(): void
  /** Of requests that arrive from here on, while none waits for its response. */
  setLatency(latencyMs: LatencyMs): void
  stop(): Promise<void>
}

const HMS_RESPONSE = '{"code":"80000000","msg":"Success","requestId":"1"}'
const TOKEN_RESPONSE = '{"access_token":"bench","expires_in":3600,"token_type":"Bearer"}'

export async function startLoadServer(options: LoadServerOptions): Promise<LoadServer> {
  const { names = [], latencyMs = 0, maxStreams = 1_000, countsTokens = false } = options
  const { ca, cert, key } = await openCertificate(['localhost', ...names])
  let requests = 0
  const { seen, ...counts } = openCounts()
  const context = {
    maxStreams,
    delays: openDelays(latencyMs),
    counted: () => void requests++,
    seen: countsTokens ? seen : undefined,
  }
  const http1 = createHttpServer((request, response) => {
    const body: Buffer[] = []
    request.on('data', (chunk: Buffer) => void (countsTokens && body.push(chunk)))
    request.on('end', () => {
      const isPush = !request.url?.includes('token')
      if (isPush) requests++
      if (isPush && countsTokens) tokensOf(Buffer.concat(body)).forEach(seen)
      context.delays.add(() => reply(request, response))
    })
  })
  const sockets = new Set<TLSSocket>()
  const server = createServer({ cert, key, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) => {
    sockets.add(socket.setNoDelay(true))
    socket.on('close', () => sockets.delete(socket))
    if (socket.alpnProtocol === 'h2') serveLoad(socket, context)
    else http1.emit('connection', socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    ca,
    port: (server.address() as AddressInfo).port,
    requests: () => requests,
    ...counts,
    setLatency(latencyMs) {
      context.delays.close()
      context.delays = openDelays(latencyMs)
    },
    async stop() {
      context.delays.close()
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

function openCounts() {
  let pushes = 0
  let lastPushAt = 0
  const tokens = new Map<string, number>()
  return {
    seen(token: string) {
      pushes++
      lastPushAt = performance.timeOrigin + performance.now()
      tokens.set(token, (tokens.get(token) ?? 0) + 1)
    },
    pushes: () => pushes,
    distinctTokens: () => tokens.size,
    pushesByToken: () => tokens,
    lastPushAt: () => lastPushAt,
    forget() {
      pushes = 0
      tokens.clear()
    },
  }
}

/** The tokens of a request to HMS. */
const tokensOf = (body: Buffer) => (JSON.parse(body.toString()) as { message: { token: string[] } }).message.token

function reply({ url = '' }: IncomingMessage, response: ServerResponse) {
  response.setHeader('content-type', 'application/json')
  if (url.includes('token')) return response.end(TOKEN_RESPONSE)
  response.end(url.includes('/projects/') ? '{"name":"projects/bench/messages/1"}' : HMS_RESPONSE)
}
