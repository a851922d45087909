// The source of an OAuth access token. A new one may be minted at any time, but not one for each refusal.
import { createTokenSource, type TokenSource, type TokenSourceOptions } from '../token-source.ts'

/** A replacement that is refused as well does not help: the next one may be minted after this time (ms). */
const REPLACE_PAUSE = 60_000

/** `now`: ms since the epoch. */
export function createAccessTokenSource(options: TokenSourceOptions & { now: () => number }): TokenSource {
  const { now } = options
  let replaceableAt = -Infinity
  const source = createTokenSource({ ...options, isReplaceable: () => now() >= replaceableAt })
  return {
    take: source.take,
    async renew(refused) {
      const token = await source.renew(refused)
      if (token.value !== refused.value) replaceableAt = now() + REPLACE_PAUSE
      return token
    },
  }
}
