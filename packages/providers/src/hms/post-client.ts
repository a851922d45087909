// POSTs over HTTP/1.1, through undici. Each ends within a bounded time, and tells whether the origin can have seen it.
import type { Http2Options } from '@push-server/http2'
import { openDispatcher } from '../dispatcher.ts'
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

export function openPostClient({
  ca,
  proxy,
  connections,
  connectTimeoutMs = CONNECT_TIMEOUT_MS,
  requestTimeoutMs,
}: PostClientOptions): PostClient {
  // A PostRequest has a deadline for the whole response.
  const timeouts = { connectTimeout: connectTimeoutMs, headersTimeout: 0, bodyTimeout: 0 }
  const dispatcher = openDispatcher({
    ca,
    proxy,
    agent: { connections, maxResponseSize: LARGEST_RESPONSE, ...timeouts },
  })
  return {
    post({ url: { origin, pathname, search }, headers, body, signal }) {
      const request = new PostRequest({ connectTimeoutMs, requestTimeoutMs, signal })
      dispatcher.dispatch({ origin, path: pathname + search, method: 'POST', headers, body }, request)
      return request.result
    },
    close: () => dispatcher.destroy(),
  }
}
