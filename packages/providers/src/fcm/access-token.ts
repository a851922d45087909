// The access token of a service account: the account signs an assertion, Google's token endpoint changes it for a token
// (RFC 7523), and all workers share that.
import { SignJWT } from 'jose'
import { keyFingerprint } from '../key-fingerprint.ts'
import type { TokenCache } from '../provider.ts'
import type { TokenEndpoint } from '../oauth/token-endpoint.ts'
import { createAccessTokenSource, type TokenSource } from '../token-source.ts'
import type { ServiceAccount } from './credentials.ts'

const MINUTE = 60_000
const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
/** Of the assertion, whatever endpoint it is sent to. */
const AUDIENCE = 'https://oauth2.googleapis.com/token'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** How long before its end a token is replaced. */
const EARLY = 5 * MINUTE
/** How far the clocks of two workers may differ before a token of the other one seems to come from the future. */
const CLOCK_SKEW = MINUTE

export interface AccessTokenOptions {
  account: ServiceAccount
  endpoint: TokenEndpoint
  tokens: TokenCache
  now: () => number
}

/**
 * `take` and `renew` reject with TokenRefused or TokenUnavailable, or with what the cache failed of.
 *
 * Not by firebase-admin: its cert() (14.5.1) can be given neither another endpoint nor a certificate authority, a proxy or
 * a deadline (the agent it takes goes unused when the account is an object), asks for far wider scopes than sending, and
 * keeps every key for the life of the process.
 */
export function createAccessToken({ account, endpoint, tokens, now }: AccessTokenOptions): TokenSource {
  const { projectId, clientEmail, key } = account
  return createAccessTokenSource({
    tokens,
    // With the key's fingerprint: a key that was replaced must not go on with the former one's tokens.
    cacheKey: `fcm:${projectId}:${clientEmail}:${keyFingerprint(key)}`,
    isFresh: ({ issuedAt, expiresAt }) => issuedAt - now() <= CLOCK_SKEW && expiresAt - now() > EARLY,
    mint: async () => endpoint.ask({ grant_type: GRANT, assertion: await assertion(account, now()) }),
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
