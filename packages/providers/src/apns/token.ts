// The provider token of a team's key: a JWT that APNs wants renewed between every 20 and every 60 minutes, and which
// all workers share. Apple counts tokens by team, so none is minted that need not be.
import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { SignJWT } from 'jose'
import type { ProviderToken, TokenCache } from '../provider.ts'
import type { ApnsCredentials } from './credentials.ts'

const MINUTE = 60_000
/** Apple refuses a token older than an hour … */
const LIFE = 60 * MINUTE
const FRESH = 50 * MINUTE
/** … and answers TooManyProviderTokenUpdates to more than one in 20 minutes. */
const LEAST_AGE = 20 * MINUTE
/** How far the clocks of two workers may differ before a token of the other one seems to come from the future. */
const CLOCK_SKEW = MINUTE

export interface ApnsToken {
  take(): Promise<ProviderToken>
  /** After APNs refused `token` as expired: another one, or the same while it is too young to be replaced. */
  renew(token: ProviderToken): Promise<ProviderToken>
}

export interface ApnsTokenOptions {
  credentials: Pick<ApnsCredentials, 'keyId' | 'teamId'>
  key: KeyObject
  tokens: TokenCache
  now: () => number
}

/** When a token refused as expired may be replaced: ms since the epoch. */
export const renewableAt = (token: ProviderToken) => token.issuedAt + LEAST_AGE

/** https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns */
export function createApnsToken({ credentials: { keyId, teamId }, key, tokens, now }: ApnsTokenOptions): ApnsToken {
  // With the key's fingerprint: a key that was replaced under the same id must not go on with the former one's tokens.
  const cacheKey = `apns:${teamId}:${keyId}:${fingerprint(key)}`
  let held: ProviderToken | undefined
  let taking: Promise<ProviderToken> | undefined

  const isFresh = (token: ProviderToken) => {
    const age = now() - token.issuedAt
    return age >= -CLOCK_SKEW && age < FRESH
  }

  async function mint(): Promise<ProviderToken> {
    const issued = Math.floor(now() / 1_000)
    const jwt = new SignJWT().setProtectedHeader({ alg: 'ES256', kid: keyId }).setIssuer(teamId).setIssuedAt(issued)
    return { value: await jwt.sign(key), issuedAt: issued * 1_000, expiresAt: issued * 1_000 + LIFE }
  }

  async function takeFromCache(accepts: (token: ProviderToken) => boolean): Promise<ProviderToken> {
    held = await tokens.take(cacheKey, accepts, mint)
    return held
  }

  /** One look-up at a time: a whole window of refusals asks at once. */
  const takeOnce = (accepts: (token: ProviderToken) => boolean) =>
    (taking ??= takeFromCache(accepts).finally(() => {
      taking = undefined
    }))

  return {
    async take() {
      return held && isFresh(held) ? held : takeOnce(isFresh)
    },
    async renew(refused) {
      if (held && held.value !== refused.value && isFresh(held)) return held
      if (now() < renewableAt(refused)) return refused
      return takeOnce((token) => isFresh(token) && token.value !== refused.value)
    },
  }
}

function fingerprint(key: KeyObject): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16)
}
