// The access token of an OAuth client, which lives for an hour and which all workers share.
import { createHash } from 'node:crypto'
import type { ProviderToken, TokenCache } from '../provider.ts'
import type { TokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccessTokenSource, type TokenSource } from '../token-source.ts'
import type { HmsCredentials } from './credentials.ts'

const MINUTE = 60_000
/** How long before its end a token is replaced; of one that lives for less than twice that, half its life. */
const EARLY = 5 * MINUTE

export interface AccessTokenOptions {
  credentials: Pick<HmsCredentials, 'clientId' | 'clientSecret'>
  endpoint: TokenEndpoint
  tokens: TokenCache
  /** ms since the epoch. */
  now: () => number
}

/**
 * Rejects with TokenRefused or TokenUnavailable, or with what the cache failed of.
 * https://developer.huawei.com/consumer/en/doc/HMSCore-Guides/open-platform-oauth-0000001053629189
 */
export function createAccessToken({ credentials, endpoint, tokens, now }: AccessTokenOptions): TokenSource {
  const { clientId, clientSecret } = credentials
  return createAccessTokenSource({
    tokens,
    cacheKey: `hms:${fingerprint(clientId, clientSecret)}`,
    isFresh: ({ issuedAt, expiresAt }: ProviderToken) =>
      expiresAt - now() > Math.min(EARLY, (expiresAt - issuedAt) / 2),
    mint: () => endpoint.ask({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret }),
    now,
  })
}

/** Of both, because the store shows its keys; a secret that was replaced must not go on with the former one's tokens. */
const fingerprint = (clientId: string, clientSecret: string) =>
  createHash('sha256').update(`${clientId}\n${clientSecret}`).digest('hex').slice(0, 32)
