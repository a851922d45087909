// The provider token of a team's key: a JWT that APNs requires to be renewed every 20 to 60 minutes. Apple counts tokens by team, so
// all workers share one, and none is minted without need.
import type { KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import { keyFingerprint } from '../key-fingerprint.ts'
import type { ProviderToken, TokenCache } from '../provider.ts'
import { createTokenSource, type TokenSource } from '../token-source.ts'
import type { ApnsCredentials } from './credentials.ts'

const MINUTE = 60_000
/** Apple refuses a token older than an hour … */
const LIFE = 60 * MINUTE
const FRESH = 50 * MINUTE
/** … and responds TooManyProviderTokenUpdates to more than one in 20 minutes. */
const LEAST_AGE = 20 * MINUTE
/** Tolerated difference between the clocks of two workers: a token of the other one may seem to come from the future. */
const CLOCK_SKEW = MINUTE

export interface ApnsTokenOptions {
  credentials: Pick<ApnsCredentials, 'keyId' | 'teamId'>
  key: KeyObject
  tokens: TokenCache
  now: () => number
}

/** When a token refused as expired may be replaced: ms since the epoch. */
export const renewableAt = (token: ProviderToken) => token.issuedAt + LEAST_AGE

/** https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns */
export const createApnsToken = ({ credentials: { keyId, teamId }, key, tokens, now }: ApnsTokenOptions): TokenSource =>
  createTokenSource({
    tokens,
    // With the key's fingerprint: a key that was replaced under the same id must not use tokens of the former one.
    cacheKey: `apns:${teamId}:${keyId}:${keyFingerprint(key)}`,
    isFresh(token) {
      const age = now() - token.issuedAt
      return age >= -CLOCK_SKEW && age < FRESH
    },
    isReplaceable: (token) => now() >= renewableAt(token),
    async mint() {
      const issued = Math.floor(now() / 1_000)
      const jwt = new SignJWT().setProtectedHeader({ alg: 'ES256', kid: keyId }).setIssuer(teamId).setIssuedAt(issued)
      return { value: await jwt.sign(key), issuedAt: issued * 1_000, expiresAt: issued * 1_000 + LIFE }
    },
  })
