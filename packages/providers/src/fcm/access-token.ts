// The access token of a service account: the account signs an assertion, Google's token endpoint exchanges it for a token
// (RFC 7523), and all workers share the token.
import { SignJWT } from 'jose'
import { keyFingerprint } from '../key-fingerprint.ts'
import type { TokenCache } from '../provider.ts'
import type { TokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccessTokenSource } from '../oauth/access-token-source.ts'
import type { TokenSource } from '../token-source.ts'
import type { ServiceAccount } from './credentials.ts'

const MINUTE = 60_000
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
/** Audience of the assertion, whatever endpoint it is sent to. */
const AUDIENCE = 'https://oauth2.googleapis.com/token'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** How long before its expiry a token is replaced. */
const EARLY = 5 * MINUTE
/** Tolerated difference between the clocks of two workers: a token of the other one may seem to come from the future. */
const CLOCK_SKEW = MINUTE

export interface AccessTokenOptions {
  account: ServiceAccount
  endpoint: TokenEndpoint
  tokens: TokenCache
  now: () => number
}

/**
 * `take` and `renew` reject with TokenRefused or TokenUnavailable, or with an error of the cache.
 *
 * firebase-admin is not used for it: its cert() (14.5.1) takes neither another endpoint nor a certificate authority, a proxy or a
 * deadline (the agent it takes goes unused when the account is an object), requests far wider scopes than sending needs, and keeps
 * every key for the life of the process.
 */
export function createAccessToken({ account, endpoint, tokens, now }: AccessTokenOptions): TokenSource {
  const { projectId, clientEmail, key } = account
  return createAccessTokenSource({
    tokens,
    // With the key's fingerprint: a key that was replaced must not use tokens of the former one.
    cacheKey: `fcm:${projectId}:${clientEmail}:${keyFingerprint(key)}`,
    isFresh: ({ issuedAt, expiresAt }) => issuedAt - now() <= CLOCK_SKEW && expiresAt - now() > EARLY,
    mint: async () => endpoint.requestToken({ grant_type: GRANT, assertion: await assertion(account, now()) }),
    now,
  })
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#jwt-auth */
function assertion({ clientEmail, keyId, key }: ServiceAccount, now: number): Promise<string> {
  const issued = Math.floor(now / 1_000)
  return new SignJWT({ scope: SCOPE })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId && { kid: keyId }) })
    .setIssuer(clientEmail)
    .setAudience(AUDIENCE)
    .setIssuedAt(issued)
    .setExpirationTime(issued + 3_600)
    .sign(key)
}
