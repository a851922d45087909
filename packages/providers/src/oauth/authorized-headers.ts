// Headers shared by many requests, with the provider token among them. Pure but for what it remembers.
import type { HeaderSet } from '@push-server/http2'
import type { ProviderToken } from '../provider.ts'

/** Makes `base` with an `authorization`. As long as the token stays the same the answer is the same object. */
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

/** Messages of one moment differ little in their headers. */
const MOST_SETS = 64

/** Gives equal headers the same function, and so the same object, whichever message they are of. */
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
