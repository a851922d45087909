// POSTs over HTTP/1.1, through undici. Each ends within a bounded time, and tells whether the origin can have seen it.
import { createSecureContext, getCACertificates } from 'node:tls'
import type { Http2Options } from '@push-server/http2'
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici'
import { PostRequest, type PostResult } from './post-request.ts'

export interface PostOptions {
  url: URL
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
  /** Once aborted, a POST that is not written yet ends as unsent. A written one goes on. */
  signal?: AbortSignal
}

export interface PostClient {
  /** Never rejects. */
  post(options: PostOptions): Promise<PostResult>
  /** Ends the POSTs in flight. */
  close(): Promise<void>
}

export interface PostClientOptions extends Pick<Http2Options, 'ca' | 'proxy'> {
  /** Maximum number of connections to one origin. */
  connections: number
  /** Longest wait for a connection, the proxy's part included (5 s). */
  connectTimeoutMs?: number
  /** Longest wait for a response, from the moment the POST is written. */
  requestTimeoutMs: number
}

const CONNECT_TIMEOUT_MS = 5_000
/** The response to a thousand refused tokens names each of them. */
const LARGEST_RESPONSE = 4 * 1024 * 1024

export function openPostClient(options: PostClientOptions): PostClient {
  const dispatcher = openDispatcher(options)
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, requestTimeoutMs } = options
  return {
    post({ url: { origin, pathname, search }, headers, body, signal }) {
      const request = new PostRequest({ connectTimeoutMs, requestTimeoutMs, signal })
      dispatcher.dispatch({ origin, path: pathname + search, method: 'POST', headers, body }, request)
      return request.result
    },
    close: () => dispatcher.destroy(),
  }
}

function openDispatcher({
  ca,
  proxy,
  connections,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
}: PostClientOptions): Dispatcher {
  const tls = {
    // Said aloud, because NODE_TLS_REJECT_UNAUTHORIZED=0 would turn it off otherwise.
    rejectUnauthorized: true,
    allowH2: false,
    // A `ca` of one's own replaces the built-in ones, so these are named beside it; once, for each connection would read them anew.
    ...(ca !== undefined && {
      secureContext: createSecureContext({ ca: [...getCACertificates('default'), ...[ca].flat()] }),
    }),
  }
  const common = {
    connections,
    connectTimeout: connectTimeoutMs,
    allowH2: false,
    maxResponseSize: LARGEST_RESPONSE,
    // A PostRequest has a deadline for the whole response.
    headersTimeout: 0,
    bodyTimeout: 0,
  }
  if (!proxy) return new Agent({ ...common, connect: tls })
  return new ProxyAgent({
    ...common,
    uri: `http://${proxy.host}:${proxy.port}`,
    ...(proxy.username && { token: basic(proxy.username, proxy.password) }),
    proxyTunnel: true,
    requestTls: tls,
    // A proxy that does not respond to CONNECT would otherwise hold a connection for five minutes.
    clientFactory: (origin, poolOptions) => new Pool(origin, { ...poolOptions, headersTimeout: connectTimeoutMs }),
  })
}

const basic = (username: string, password = '') => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
