// Headers shared by many requests, with the provider token among them. Pure but for what it remembers.
import type { HeaderSet } from '@push-server/http2'
import type { ProviderToken } from './provider.ts'

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
