// The access token of an OAuth client, which pushes by version 2 of the API. It lives for an hour, and all workers share it.
import { createHash } from 'node:crypto'
import type { ProviderToken, TokenCache } from '../provider.ts'
import type { TokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccessTokenSource } from '../oauth/access-token-source.ts'
import type { TokenSource } from '../token-source.ts'

const MINUTE = 60_000
/** How long before its expiry a token is replaced. A token that lives for less than twice that is replaced after half its life. */
const EARLY = 5 * MINUTE

export interface AccessTokenOptions {
  credentials: { clientId: string; clientSecret: string }
  endpoint: TokenEndpoint
  tokens: TokenCache
  /** ms since the epoch. */
  now: () => number
}

/**
 * `take` and `renew` reject with TokenRefused or TokenUnavailable, or with an error of the cache.
 * https://developer.huawei.com/consumer/en/doc/HMSCore-Guides/open-platform-oauth-0000001053629189
 */
export function createAccessToken({ credentials, endpoint, tokens, now }: AccessTokenOptions): TokenSource {
  const { clientId, clientSecret } = credentials
  return createAccessTokenSource({
    tokens,
    cacheKey: `hms:${fingerprint(clientId, clientSecret)}`,
    isFresh: ({ issuedAt, expiresAt }: ProviderToken) =>
      expiresAt - now() > Math.min(EARLY, (expiresAt - issuedAt) / 2),
    mint: () =>
      endpoint.requestToken({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
    now,
  })
}

/** A hash of both, because the store shows its keys. A secret that was replaced must not use tokens of the former one. */
const fingerprint = (clientId: string, clientSecret: string) =>
  createHash('sha256').update(`${clientId}\n${clientSecret}`).digest('hex').slice(0, 32)
