// One application's way to HMS: its access token, its connections, and the bound on what is in flight.
import type { Http2Options } from '@push-server/http2'
import type { Logger } from '@push-server/runtime'
import { createLimiter } from '../concurrency/limiter.ts'
import type { Provider, PushChunk, TokenCache } from '../provider.ts'
import { providerOf } from '../provider-lifecycle.ts'
import { openTokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccessToken } from './access-token.ts'
import type { HmsCredentials } from './credentials.ts'
import { hmsCollapseKey } from './payload.ts'
import { openPostClient } from './post-client.ts'
import { sendChunk, type PushContext } from './push.ts'

const BASE_URL = 'https://push-api.cloud.huawei.com'
const TOKEN_URL = 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'
/** Huawei takes no more. */
const TOKENS_PER_REQUEST = 1_000
/** A thousand tokens of the usual length are a third of it. */
const REQUEST_BYTES = 512 * 1024
/** There is no number for the pace that HMS allows, only HTTP 503, and few requests of many tokens each: half of them stay. */
const THROTTLE_DECREASE = 0.5

export interface HmsProviderOptions extends HmsCredentials, Pick<Http2Options, 'ca' | 'proxy'> {
  tokens: TokenCache
  /** By default Huawei's, as `tokenUrl`. */
  baseUrl?: string
  tokenUrl?: string
  /** Most requests in flight, over all chunks; at least 1. */
  requestsInFlight: number
  /** Most connections to one origin. Default: one for each request in flight. */
  connections?: number
  tokensPerRequest?: number
  /** Largest body, tokens included. */
  requestBytes?: number
  /** Longest wait for one answer of HMS. */
  requestTimeoutMs: number
  /** Longest wait for an access token (10 s). */
  tokenTimeoutMs?: number
  /** Hands notifications to the mobile application as data instead of showing them. */
  dataOnly: boolean
  log: Logger
  /** ms since the epoch. */
  now?: () => number
}

/** Connects with the first push. Throws TypeError for a URL that is none. */
export function openHmsProvider(options: HmsProviderOptions): Provider {
  const { projectId, tokens, baseUrl = BASE_URL, tokenUrl = TOKEN_URL, log, now = Date.now } = options
  const { ca, proxy, requestTimeoutMs, tokensPerRequest = TOKENS_PER_REQUEST, requestBytes = REQUEST_BYTES } = options
  const requestsInFlight = Math.max(1, options.requestsInFlight)
  const endpoint = openTokenEndpoint({ url: tokenUrl, ca, proxy, timeoutMs: options.tokenTimeoutMs, now })
  const client = openPostClient({ ca, proxy, connections: options.connections ?? requestsInFlight, requestTimeoutMs })
  const context: PushContext = {
    url: new URL(`/v2/${encodeURIComponent(projectId)}/messages:send`, baseUrl),
    client,
    accessTokens: createAccessToken({ credentials: options, endpoint, tokens, now }),
    limiter: createLimiter({
      most: requestsInFlight,
      leastDecrease: THROTTLE_DECREASE,
      now,
      onHeld: (held) => log.warn({ ...held, projectId }, 'HMS refuses most requests; all wait'),
    }),
    bounds: { tokensPerRequest, requestBytes },
    dataOnly: options.dataOnly,
    log,
    now,
  }
  const noticeCollapseKeys = onceForUnusableKey(() =>
    log.info({ projectId }, 'collapse keys that are no integer from -1 to 100 are left out on HMS'),
  )
  return providerOf({
    name: 'HMS',
    async push(chunk, pushOptions) {
      noticeCollapseKeys(chunk)
      await sendChunk(context, chunk, pushOptions)
    },
    release: () => Promise.all([client.close(), endpoint.close()]),
  })
}

function onceForUnusableKey(notice: () => void) {
  let isNoticed = false
  const isUnusable = (key: string | null | undefined) => Boolean(key) && hmsCollapseKey(key) === undefined
  return ({ messages }: PushChunk) => {
    if (isNoticed || !messages.some(({ body }) => isUnusable(body.collapseKey))) return
    isNoticed = true
    notice()
  }
}
