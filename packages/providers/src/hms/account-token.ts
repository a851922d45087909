// The token of a service account: a JWT that the account signs and sends as it is, nothing is exchanged. All workers share it.
import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { keyFingerprint } from '../key-fingerprint.ts'
import { createAccessTokenSource } from '../oauth/access-token-source.ts'
import type { TokenCache } from '../provider.ts'
import type { TokenSource } from '../token-source.ts'
import type { HmsAccount } from './credentials.ts'

const MINUTE = 60_000
const LIFE = 60 * MINUTE
const FRESH = 50 * MINUTE
/** Tolerated difference between the clocks of two workers: a token of the other one may seem to come from the future. */
const CLOCK_SKEW = MINUTE
/** Whatever address the token is sent to. */
const AUDIENCE = 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'

export interface AccountTokenOptions {
  account: Pick<HmsAccount, 'subAccount' | 'keyId' | 'key'>
  tokens: TokenCache
  /** ms since the epoch. */
  now: () => number
}

/** https://developer.huawei.com/consumer/cn/doc/harmonyos-guides/push-jwt-token */
export const createAccountToken = ({ account, tokens, now }: AccountTokenOptions): TokenSource =>
  createAccessTokenSource({
    tokens,
    cacheKey: `hms:v3:${fingerprint(account)}`,
    isFresh({ issuedAt }) {
      const age = now() - issuedAt
      return age >= -CLOCK_SKEW && age < FRESH
    },
    async mint() {
      const issuedAt = Math.floor(now() / 1_000) * 1_000
      return { value: await sign(account, issuedAt / 1_000), issuedAt, expiresAt: issuedAt + LIFE }
    },
    now,
  })

/** `issued`: seconds since the epoch. */
const sign = ({ subAccount, keyId, key }: AccountTokenOptions['account'], issued: number): Promise<string> =>
  new SignJWT()
    .setProtectedHeader({ kid: keyId, typ: 'JWT', alg: 'PS256' })
    .setIssuer(subAccount)
    .setAudience(AUDIENCE)
    .setIssuedAt(issued)
    .setExpirationTime(issued + LIFE / 1_000)
    .sign(key)

/** A hash, because the store shows its keys. A key that was replaced under the same id must not use tokens of the former one. */
const fingerprint = ({ subAccount, keyId, key }: AccountTokenOptions['account']) =>
  createHash('sha256')
    .update(`${subAccount}\n${keyId}\n${keyFingerprint(key)}`)
    .digest('hex')
    .slice(0, 32)
