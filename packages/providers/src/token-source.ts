// The provider token of an application's pushes: kept here while it is fresh, otherwise taken from the cache that all workers
// share, where one of them mints it.
import type { ProviderToken, TokenCache } from './provider.ts'

export interface TokenSource {
  take(): Promise<ProviderToken>
  /** Resolves with another token after the provider refused `token`, or with the same one while it may not be replaced. */
  renew(token: ProviderToken): Promise<ProviderToken>
}

export interface TokenSourceOptions {
  tokens: TokenCache
  /** Key of the token in the cache. It differs by application, and changes with the key that the token is minted from. */
  cacheKey: string
  isFresh(token: ProviderToken): boolean
  /** Whether a refused token may be replaced already. By default it always may. */
  isReplaceable?(token: ProviderToken): boolean
  /** Has to end within a bounded time: the cache holds a lock meanwhile. */
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

  /** One look-up at a time, since all pushes in flight renew at once. */
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
      // A look-up that began before the refusal may find the refused token once more, so its result does not count.
      await taking
      if (held && isOther(held)) return held
      return isReplaceable(refused) ? takeOnce(isOther) : refused
    },
  }
}
