// The provider of one application for HMS: its access token, connections, and the limit of requests in flight.
import type { Http2Options } from '@push-server/http2'
import type { Logger } from '@push-server/runtime'
import { createLimiter } from '../concurrency/limiter.ts'
import type { Provider, PushChunk, TokenCache } from '../provider.ts'
import { createProvider } from '../provider-lifecycle.ts'
import { openTokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccountToken } from './account-token.ts'
import { createAccessToken } from './access-token.ts'
import type { HmsCredentials } from './credentials.ts'
import { refusesAccess, refusesAccountToken } from './outcome.ts'
import { hmsCollapseKey, hmsPayload, onlyValidated } from './payload.ts'
import { hmsPayloadV3 } from './payload-v3.ts'
import { openPostClient } from './post-client.ts'
import { sendRequests, type HmsPushContext } from './push.ts'
import { TOKENS_PER_REQUEST } from './requests.ts'

const BASE_URL = 'https://push-api.cloud.huawei.com'
const TOKEN_URL = 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'
/** A thousand tokens of the usual length are a third of it. */
const REQUEST_BYTES = 512 * 1024
/** HMS names no limit, only responds 503, and there are few requests with many tokens each: a decrease is a half. */
const THROTTLE_DECREASE = 0.5

export interface HmsProviderOptions extends HmsCredentials, Pick<Http2Options, 'ca' | 'proxy'> {
  tokens: TokenCache
  /** By default Huawei's, as is `tokenUrl`. */
  baseUrl?: string
  tokenUrl?: string
  /** Maximum number of requests in flight, over all chunks; at least 1. */
  requestsInFlight: number
  /** Maximum number of connections to one origin. Default: one for each request in flight. */
  connections?: number
  tokensPerRequest?: number
  /** Largest body, tokens included. */
  requestBytes?: number
  /** Longest wait for a response of HMS. */
  requestTimeoutMs: number
  /** Longest wait for an access token (10 s). */
  tokenTimeoutMs?: number
  /** See HmsPayloadOptions, as for `appId`. */
  dataOnly: boolean
  appId: string
  /** HMS checks every push and delivers none. */
  validateOnly?: boolean
  log: Logger
  /** ms since the epoch. */
  now?: () => number
}

/** Connects with the first push. Throws TypeError for an invalid URL. */
export function openHmsProvider(options: HmsProviderOptions): Provider {
  const { projectId, tokens, tokenUrl = TOKEN_URL, log, now = Date.now } = options
  const { ca, proxy, requestTimeoutMs, tokensPerRequest = TOKENS_PER_REQUEST, requestBytes = REQUEST_BYTES } = options
  const requestsInFlight = Math.max(1, options.requestsInFlight)
  const endpoint = openTokenEndpoint({ url: tokenUrl, ca, proxy, timeoutMs: options.tokenTimeoutMs, now })
  const client = openPostClient({ ca, proxy, connections: options.connections ?? requestsInFlight, requestTimeoutMs })
  const context: HmsPushContext = {
    apis: apisOf({ ...options, now }, (credentials) => createAccessToken({ credentials, endpoint, tokens, now })),
    client,
    limiter: createLimiter({
      most: requestsInFlight,
      leastDecrease: THROTTLE_DECREASE,
      now,
      onHeld: (held) => log.warn({ ...held, projectId }, 'HMS refuses most requests, holding all'),
    }),
    bounds: { tokensPerRequest, requestBytes },
    log,
    now,
  }
  const reportCollapseKeys = onceForUnusableKey(() =>
    log.info({ projectId }, 'collapse keys omitted: HMS takes integers from -1 to 100 only'),
  )
  return createProvider({
    now,
    name: 'HMS',
    async push(chunk, pushOptions) {
      reportCollapseKeys(chunk)
      await sendRequests(context, chunk, pushOptions)
    },
    closeConnections: () => Promise.all([client.close(), endpoint.close()]),
  })
}

type AccessTokenOf = (credentials: { clientId: string; clientSecret: string }) => ReturnType<typeof createAccessToken>

/** The versions of the API that there are credentials for. */
function apisOf(
  options: HmsProviderOptions & { now: () => number },
  accessTokenOf: AccessTokenOf,
): HmsPushContext['apis'] {
  const { projectId, clientId, clientSecret, account, tokens, now } = options
  const { baseUrl = BASE_URL, dataOnly, appId, validateOnly = false } = options
  const urlOf = (version: string, project: string) =>
    new URL(`/${version}/${encodeURIComponent(project)}/messages:send`, baseUrl)
  const payloadOptions = () => ({ dataOnly, appId, now: now() })
  const usual = clientId !== undefined && clientSecret !== undefined ? { clientId, clientSecret } : undefined
  return {
    usual: usual && {
      url: urlOf('v2', projectId),
      accessTokens: accessTokenOf(usual),
      build(message) {
        const payload = hmsPayload(message, payloadOptions())
        return validateOnly ? onlyValidated(payload) : payload
      },
      refusesAccess,
    },
    v3: account && {
      url: urlOf('v3', account.projectId),
      accessTokens: createAccountToken({ account, tokens, now }),
      build: (message) =>
        hmsPayloadV3(message, {
          ...payloadOptions(),
          category: account.category,
          // Version 3 validates nothing alone.
          ...(validateOnly && { isTest: true }),
        }),
      refusesAccess: refusesAccountToken,
    },
  }
}

function onceForUnusableKey(report: () => void) {
  let isReported = false
  const isUnusable = (key: string | null | undefined) => Boolean(key) && hmsCollapseKey(key) === undefined
  return ({ messages }: PushChunk) => {
    if (isReported || !messages.some(({ body }) => isUnusable(body.collapseKey))) return
    isReported = true
    report()
  }
}
