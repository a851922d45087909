// A client of an OAuth 2.0 token endpoint (RFC 6749 §5): each request resolves with an access token or fails within a bounded time.
import type { Http2Options } from '@push-server/http2'
import { request, type Dispatcher } from 'undici'
import { openDispatcher } from '../dispatcher.ts'
import { jsonObject } from '../json-object.ts'
import type { ProviderToken } from '../provider.ts'

/** The endpoint refuses the credentials for good. */
export class TokenRefused extends Error {
  override name = 'TokenRefused'
}

/** The endpoint gave no token, and the next attempt may get one. */
export class TokenUnavailable extends Error {
  override name = 'TokenUnavailable'
}

export interface TokenEndpointOptions extends Pick<Http2Options, 'ca' | 'proxy'> {
  url: string
  /** From dialling to the last byte of the response (10 s). */
  timeoutMs?: number
  /** ms since the epoch. */
  now: () => number
}

export interface TokenEndpoint {
  /** Rejects with TokenRefused or TokenUnavailable. */
  requestToken(parameters: Readonly<Record<string, string>>): Promise<ProviderToken>
  close(): Promise<void>
}

/** In bytes. Longer than any access token that a header can have. */
const LARGEST_RESPONSE = 256 * 1024

/** Connects with the first request. */
export function openTokenEndpoint({ url, ca, proxy, timeoutMs = 10_000, now }: TokenEndpointOptions): TokenEndpoint {
  const dispatcher = openDispatcher({ ca, proxy, agent: { maxResponseSize: LARGEST_RESPONSE } })
  return {
    async requestToken(parameters) {
      const issuedAt = now()
      const signal = AbortSignal.timeout(timeoutMs)
      return tokenOf(await post({ url, parameters, dispatcher, signal }), issuedAt)
    },
    // Not close(): a proxy that never responds to CONNECT would hold it up.
    close: () => dispatcher.destroy(),
  }
}

interface TokenRequest {
  url: string
  parameters: Readonly<Record<string, string>>
  dispatcher: Dispatcher
  signal: AbortSignal
}

interface TokenResponse {
  status: number
  members: Readonly<Record<string, unknown>>
}

async function post({ url, parameters, dispatcher, signal }: TokenRequest): Promise<TokenResponse> {
  try {
    const { statusCode, body } = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(parameters).toString(),
      dispatcher,
      signal,
    })
    return { status: statusCode, members: jsonObject(await body.text()) }
  } catch (cause) {
    throw new TokenUnavailable((cause as Error).message, { cause })
  }
}

const REFUSALS = [400, 401, 403]
/** A value that a header can have. */
const HEADER_VALUE = /^[\x21-\x7e]{1,16384}$/
/** No known access token lives for longer, and a time beyond all dates could not be stored. */
const LONGEST_LIFE_S = 24 * 3600
/** Codes of Google's own errors that come with status 400. */
const TRANSIENT = ['internal_failure', 'server_error', 'temporarily_unavailable']

function tokenOf({ status, members }: TokenResponse, issuedAt: number): ProviderToken {
  const { access_token: value, expires_in: seconds } = members
  if (status === 200 && typeof value === 'string' && HEADER_VALUE.test(value) && Number(seconds) > 0)
    return { value, issuedAt, expiresAt: issuedAt + Math.min(Number(seconds), LONGEST_LIFE_S) * 1_000 }
  const texts = [members['error'], members['error_description']].filter((text) => typeof text === 'string')
  const reason = texts.join(': ') || (status === 200 ? 'no access token in the response' : `HTTP ${status}`)
  const isFinal = REFUSALS.includes(status) && !TRANSIENT.includes(texts[0] ?? '')
  throw isFinal ? new TokenRefused(reason) : new TokenUnavailable(reason)
}
