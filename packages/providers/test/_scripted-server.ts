// What the contract suite sees of a scripted server, whichever provider it plays: the pushes that arrive, and what a test does to
// each of them.
import type { EventEmitter } from 'node:events'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { constants, type Settings } from 'node:http2'
import type { Socket } from 'node:net'
import { startOrigin as startApnsOrigin } from './_apns-origin.ts'
import { grant, startFcm, startHttps } from './_fcm-origin.ts'
import { startOrigin as startHmsOrigin, type Received as HmsReceived } from './_hms-origin.ts'
import type { Received as Http2Received } from './_origin.ts'

export interface Response {
  /** 200 */
  status?: number
  headers?: Record<string, string>
  body?: string | object
}

export interface ReceivedPush {
  /** Of the devices: one, or on HMS those that share a request. */
  readonly tokens: readonly string[]
  /** The provider token that it came with. */
  readonly access: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly connection: EventEmitter
  respond(response: Response): void
  /** Writes the head of a response and a part of its body. */
  begin(): Promise<void>
  /** Ends this push without a response, or in the middle of one. */
  reset(): void
  /** Destroys the connection with all that is in flight on it. */
  disconnect(): void
  /** The connection takes no push after those that it has. To be called before their responses. */
  retire(): void
}

export interface Script {
  onPush(push: ReceivedPush): void
  /** By default grants `token-1`, `token-2`, … */
  onToken?(response: ServerResponse, nth: number): void
  /** Maximum number of pushes on one connection at a time; over HTTP/1.1 it is always one. */
  streams?: number
}

export interface ScriptedServer {
  url: string
  /** Undefined for a provider whose provider token we make ourselves. */
  tokenUrl: string | undefined
  received: readonly ReceivedPush[]
  /** Number of requests for an access token. */
  readonly tokenRequests: number
  /** Most pushes that were open at one time. */
  readonly peak: number
  /** Resolves once so many pushes have arrived. */
  waitFor(count: number): Promise<void>
  stop(): Promise<void>
}

const grantNth = (response: ServerResponse, nth: number) => grant({ response }, `token-${nth}`)
const textOf = (body: Response['body']) => (typeof body === 'object' ? JSON.stringify(body) : (body ?? ''))
const accessOf = ({ authorization }: IncomingHttpHeaders) => String(authorization).replace(/^bearer /i, '')

export async function startApns({ onPush, streams }: Script): Promise<ScriptedServer> {
  const received: ReceivedPush[] = []
  const origin = await startApnsOrigin((request) => take(received, onPush, overHttp2(request)), settingsOf(streams))
  return serverOf(origin, { received, tokenUrl: undefined, tokenRequests: () => 0, stop: origin.stop })
}

export async function startFcmWithTokens({ onPush, onToken = grantNth, streams }: Script): Promise<ScriptedServer> {
  const received: ReceivedPush[] = []
  const origin = await startFcm((request) => take(received, onPush, overHttp2(request)), settingsOf(streams))
  const google = await startHttps(({ response }) => onToken(response, google.received.length))
  return serverOf(origin, {
    received,
    tokenUrl: `${google.url}/token`,
    tokenRequests: () => google.received.length,
    async stop() {
      await Promise.all([origin.stop(), google.stop()])
    },
  })
}

export async function startHms({ onPush, onToken = grantNth }: Script): Promise<ScriptedServer> {
  const received: ReceivedPush[] = []
  const origin = await startHmsOrigin({
    onPush: (request) => take(received, onPush, overHttp1(request)),
    onToken: (response) => onToken(response, origin.bodies.length),
  })
  const { tokenUrl, stop } = origin
  return serverOf(origin, { received, tokenUrl, tokenRequests: () => origin.bodies.length, stop })
}

function take(received: ReceivedPush[], onPush: Script['onPush'], push: ReceivedPush) {
  received.push(push)
  onPush(push)
}

interface Parts extends Pick<ScriptedServer, 'received' | 'tokenUrl' | 'stop'> {
  tokenRequests(): number
}

const serverOf = (
  origin: Pick<ScriptedServer, 'url' | 'peak' | 'waitFor'>,
  { tokenRequests, ...parts }: Parts,
): ScriptedServer => ({
  ...parts,
  url: origin.url,
  waitFor: (count) => origin.waitFor(count),
  get tokenRequests() {
    return tokenRequests()
  },
  get peak() {
    return origin.peak
  },
})

const settingsOf = (streams: number | undefined): Settings | undefined =>
  streams === undefined ? undefined : { maxConcurrentStreams: streams }

function overHttp2({ stream, session, headers, body, token }: Http2Received): ReceivedPush {
  return {
    tokens: [token],
    access: accessOf(headers),
    headers,
    body,
    connection: session,
    respond(response) {
      if (stream.destroyed) return
      stream.respond({ ':status': response.status ?? 200, ...response.headers })
      stream.end(textOf(response.body))
    },
    begin: () =>
      new Promise((resolve) => {
        stream.respond({ ':status': 200 })
        stream.write('{', () => resolve())
      }),
    reset() {
      // A response that has begun would be completed by close().
      if (stream.headersSent) stream.destroy(new Error('reset'))
      else stream.close(constants.NGHTTP2_CANCEL)
    },
    disconnect: () => session.destroy(),
    retire: () => session.goaway(constants.NGHTTP2_NO_ERROR),
  }
}

function overHttp1({ response, headers, body, tokens }: HmsReceived): ReceivedPush {
  // Undefined only once the response has ended.
  const connection = response.socket as Socket
  return {
    tokens,
    access: accessOf(headers),
    headers,
    body,
    connection,
    respond({ status = 200, headers, body }) {
      response.writeHead(status, headers).end(textOf(body))
    },
    begin: () =>
      new Promise((resolve) => {
        response.writeHead(200, { 'content-length': '100' }).write('{', () => resolve())
      }),
    reset: () => connection.destroy(),
    disconnect: () => connection.destroy(),
    retire: () => response.setHeader('connection', 'close'),
  }
}

export function respondWith(response: ServerResponse, { status = 200, headers, body }: Response) {
  response.writeHead(status, headers).end(textOf(body))
}
