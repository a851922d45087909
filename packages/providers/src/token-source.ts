// The provider token that an application's pushes carry: held here while it is fresh, else taken from the cache that all
// workers share, where one of them mints it.
import type { ProviderToken, TokenCache } from './provider.ts'

export interface TokenSource {
  take(): Promise<ProviderToken>
  /** After the provider refused `token`: another one, or the same while it may not be replaced. */
  renew(token: ProviderToken): Promise<ProviderToken>
}

export interface TokenSourceOptions {
  tokens: TokenCache
  /** Names the token among all applications' and changes with the key that it is minted from. */
  cacheKey: string
  isFresh(token: ProviderToken): boolean
  /** Whether a refused token may be replaced already. By default it always may. */
  isReplaceable?(token: ProviderToken): boolean
  /** Has to end in a while: the cache holds a lock meanwhile. */
  mint(): Promise<ProviderToken>
}

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { tokens, cacheKey, isFresh, isReplaceable = () => true, mint } = options
  let held: ProviderToken | undefined
  let taking: Promise<ProviderToken> | undefined

  async function takeFromCache(accepts: (token: ProviderToken) => boolean): Promise<ProviderToken> {
    held = await tokens.take(cacheKey, accepts, mint)
    return held
  }

  /** One look-up at a time: a whole window of pushes asks at once. */
  const takeOnce = (accepts: (token: ProviderToken) => boolean) =>
    (taking ??= takeFromCache(accepts).finally(() => {
      taking = undefined
    }))

  return {
    async take() {
      return held && isFresh(held) ? held : takeOnce(isFresh)
    },
    async renew(refused) {
      const isOther = (token: ProviderToken) => token.value !== refused.value && isFresh(token)
      // A look-up that began before the refusal may find the refused token once more, so it is not the answer.
      await taking
      if (held && isOther(held)) return held
      return isReplaceable(refused) ? takeOnce(isOther) : refused
    },
  }
}

/** A replacement that is refused as well is no cure: the next one may be asked for after this time (ms). */
const REPLACE_PAUSE = 60_000

/** Of access tokens, which may be had at any time, but not one for each refusal. `now`: ms since the epoch. */
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
