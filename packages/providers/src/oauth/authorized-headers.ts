// Headers that many requests share, with the provider token among them. Pure but for its cache.
import type { HeaderSet } from '@push-server/http2'
import type { ProviderToken } from '../provider.ts'

/** Adds an `authorization` to `base`. The result is the same object as long as the token is the same. */
export function authorizedHeaders(scheme: 'bearer' | 'Bearer', base: HeaderSet): (token: ProviderToken) => HeaderSet {
  let value: string | undefined
  let headers = base
  return (token) => {
    if (token.value !== value) {
      value = token.value
      headers = { ...base, authorization: `${scheme} ${value}` }
    }
    return headers
  }
}

/** Messages of the same time differ little in their headers. */
const MOST_SETS = 64

/** Returns the same function, and so the same objects, for equal headers of different messages. */
export function authorizedSets(scheme: 'bearer' | 'Bearer'): (base: HeaderSet) => (token: ProviderToken) => HeaderSet {
  const sets = new Map<string, (token: ProviderToken) => HeaderSet>()
  return (base) => {
    const key = JSON.stringify(base)
    let set = sets.get(key)
    if (set) return set
    if (sets.size >= MOST_SETS) sets.clear()
    set = authorizedHeaders(scheme, base)
    sets.set(key, set)
    return set
  }
}
