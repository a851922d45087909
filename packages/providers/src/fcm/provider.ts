// The provider of one application for FCM: the access token of its service account, connections, and the limit of pushes in flight.
// Requests go over our own HTTP/2 client.
import { openHttp2, type Http2Options } from '@push-server/http2'
import type { Logger } from '@push-server/runtime'
import { createLimiter } from '../concurrency/limiter.ts'
import type { Provider, TokenCache } from '../provider.ts'
import { createProvider } from '../provider-lifecycle.ts'
import { openTokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccessToken } from './access-token.ts'
import type { ServiceAccount } from './credentials.ts'
import { fcmPush } from './push.ts'

/** FCM ends a connection with more streams by GOAWAY (exceeded_max_concurrent_streams), whatever its SETTINGS say. */
const MAX_STREAMS = 100

export interface FcmProviderOptions extends Pick<Http2Options, 'ca' | 'proxy' | 'requestTimeoutMs' | 'transport'> {
  account: ServiceAccount
  tokens: TokenCache
  /** https://host[:port] of FCM. */
  baseUrl: string
  /** Google's OAuth 2.0 token endpoint. */
  tokenUrl: string
  /** Longest wait for an access token (10 s). */
  tokenTimeoutMs?: number
  /** Maximum number of pushes in flight, over all chunks; at least 1. */
  concurrency: number
  /** Maximum number of connections; at least 1. */
  connections: number
  /** See FcmPayloadOptions. */
  dataOnly: boolean
  /** FCM checks every push and delivers none. */
  validateOnly?: boolean
  log: Logger
  /** ms since the epoch. */
  now?: () => number
}

/** Connects with the first push. */
export function openFcmProvider(options: FcmProviderOptions): Provider {
  const {
    account,
    tokens,
    baseUrl,
    tokenUrl,
    tokenTimeoutMs,
    ca,
    proxy,
    requestTimeoutMs,
    log,
    now = Date.now,
  } = options
  const endpoint = openTokenEndpoint({ url: tokenUrl, ca, proxy, timeoutMs: tokenTimeoutMs, now })
  const { dataOnly, validateOnly = false, transport } = options
  const connections = Math.max(1, options.connections)
  const client = openHttp2({
    origin: baseUrl,
    ca,
    proxy,
    requestTimeoutMs,
    transport,
    connections,
    maxStreams: MAX_STREAMS,
    log,
  })
  return createProvider({
    now,
    name: 'FCM',
    push: fcmPush({
      projectId: account.projectId,
      client,
      tokens: createAccessToken({ account, endpoint, tokens, now }),
      limiter: createLimiter({
        most: options.concurrency,
        capacity: () => client.capacity,
        now,
        onHeld: (held) => log.warn({ ...held, projectId: account.projectId }, 'FCM refuses most pushes, holding all'),
      }),
      dataOnly,
      validateOnly,
      now,
      onTokenError: (error) =>
        log.warn({ err: error, projectId: account.projectId }, 'FCM access token request failed'),
    }),
    closeConnections: () => Promise.all([client.close(), endpoint.close()]),
  })
}
