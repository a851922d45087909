// POSTs over HTTP/1.1 that always end, and say whether the origin can have seen them. The bytes go through undici.
import { createSecureContext, getCACertificates } from 'node:tls'
import type { Http2Options } from '@push-server/http2'
import { Agent, Pool, ProxyAgent, type Dispatcher } from 'undici'
import { PostRequest, type PostResult } from './post-request.ts'

export interface Post {
  url: URL
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  body: string
  /** Once aborted, a POST that is not written yet ends as unsent. One that is goes on. */
  signal?: AbortSignal
}

export interface PostClient {
  /** Never rejects. */
  post(post: Post): Promise<PostResult>
  /** Ends what is under way. */
  close(): Promise<void>
}

export interface PostClientOptions extends Pick<Http2Options, 'ca' | 'proxy'> {
  /** Most connections to one origin. */
  connections: number
  /** Longest wait for a connection, the proxy's part included (5 s). */
  connectTimeoutMs?: number
  /** Longest wait for an answer, from the moment the POST is written. */
  requestTimeoutMs: number
}

const CONNECT_TIMEOUT_MS = 5_000
/** A request of a thousand tokens that are all refused is answered with each of them. */
const LARGEST_RESPONSE = 4 * 1024 * 1024

export function openPostClient(options: PostClientOptions): PostClient {
  const dispatcher = openDispatcher(options)
  const { connectTimeoutMs = CONNECT_TIMEOUT_MS, requestTimeoutMs } = options
  return {
    post({ url: { origin, pathname, search }, headers, body, signal }) {
      const exchange = new PostRequest({ connectTimeoutMs, requestTimeoutMs, signal })
      dispatcher.dispatch({ origin, path: pathname + search, method: 'POST', headers, body }, exchange)
      return exchange.result
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
    // An exchange has a deadline of its own, for the whole of the answer.
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
    // A proxy that does not answer CONNECT would otherwise hold a connection for five minutes.
    clientFactory: (origin, poolOptions) => new Pool(origin, { ...poolOptions, headersTimeout: connectTimeoutMs }),
  })
}

const basic = (username: string, password = '') => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
