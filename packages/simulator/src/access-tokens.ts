// The access tokens that the OAuth endpoints of FCM and HMS issue: bearer tokens without further meaning, like the real ones.
import { randomBytes } from 'node:crypto'

export interface AccessTokens<Holder> {
  /** `expiresIn` in seconds. */
  issue(holder: Holder): { token: string; expiresIn: number }
  /** The holder of the token in an Authorization header, or what is wrong with it. */
  find(authorization: string | undefined): { holder: Holder } | 'missing' | 'unknown' | 'expired'
  /** For tokens issued from now on. */
  setLife(ms: number): void
  /** Every token issued so far is no longer valid. */
  expire(): void
}

/** Senders keep a token for an hour. Beyond this number the oldest tokens are forgotten. */
const TOKENS_KEPT = 10_000

export function createAccessTokens<Holder>(prefix: string, initialLifeMs: number): AccessTokens<Holder> {
  const tokens = new Map<string, { holder: Holder; expiresAt: number }>()
  let lifeMs = initialLifeMs
  return {
    issue(holder) {
      const token = `${prefix}${randomBytes(96).toString('base64url')}`
      tokens.set(token, { holder, expiresAt: Date.now() + lifeMs })
      const [oldest] = tokens.keys()
      if (tokens.size > TOKENS_KEPT && oldest !== undefined) tokens.delete(oldest)
      return { token, expiresIn: Math.ceil(lifeMs / 1000) }
    },
    find(authorization) {
      if (!authorization) return 'missing'
      // "Bearer " in any case (RFC 7235 §2.1). The token is looked up, so its format needs no check.
      const known = tokens.get(authorization.slice('bearer '.length))
      if (!known || !/^bearer /i.test(authorization)) return 'unknown'
      return known.expiresAt > Date.now() ? known : 'expired'
    },
    setLife(ms) {
      lifeMs = ms
    },
    expire() {
      for (const known of tokens.values()) known.expiresAt = 0
    },
  }
}
