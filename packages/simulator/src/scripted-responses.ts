// The behaviour for a token: scripted responses first, of which the longest match wins, then the table of prefixes.
import type { Behaviour } from './behaviour.ts'
import { PREFIX_LENGTH, PREFIXES } from './token-prefixes.ts'

export type ScriptedResponse = Behaviour & {
  /** How often it is sent; without a number, until it is replaced or forgotten. */
  times?: number | undefined
}

export interface ScriptedResponses {
  /**
   * Scripts the response for a token, or for all tokens that begin so. Responses of the same token are sent in the order in which
   * they were scripted. One without `times` lasts, so the next one for that token replaces it.
   */
  script(tokenOrPrefix: string, response: ScriptedResponse): void
  /** Forgets the scripts of this token or prefix, or all. */
  forget(tokenOrPrefix?: string): void
  scripted(): { token: string; responses: ScriptedResponse[] }[]
  /** Takes the behaviour for one request; undefined means the push is accepted. */
  take(token: string): Behaviour | undefined
}

const TABLE = new Map(PREFIXES.map(({ prefix, behaviour }) => [prefix, behaviour]))

export function createScriptedResponses(): ScriptedResponses {
  const scripts = new Map<string, ScriptedResponse[]>()
  // Length by length, longest first: a look-up costs the same for one scripted token as for thousands.
  let lengths: number[] = []
  const measure = () => {
    lengths = [...new Set([...scripts.keys()].map((key) => key.length))].sort((a, b) => b - a)
  }

  function takeScripted(token: string): Behaviour | undefined {
    for (const length of lengths) {
      const key = token.slice(0, length)
      const response = scripts.get(key)?.[0]
      if (!response) continue
      if (response.times !== undefined && --response.times === 0) dropFirst(key)
      return response
    }
    return undefined
  }

  function dropFirst(key: string) {
    const rest = scripts.get(key)?.slice(1) ?? []
    if (rest.length > 0) scripts.set(key, rest)
    else scripts.delete(key)
    measure()
  }

  return {
    script(tokenOrPrefix, response) {
      const earlier = (scripts.get(tokenOrPrefix) ?? []).filter(({ times }) => times !== undefined)
      scripts.set(tokenOrPrefix, [...earlier, { ...response }])
      measure()
    },
    forget(tokenOrPrefix) {
      if (tokenOrPrefix === undefined) scripts.clear()
      else scripts.delete(tokenOrPrefix)
      measure()
    },
    scripted: () =>
      Array.from(scripts, ([token, responses]) => ({
        token,
        responses: responses.map((response) => ({ ...response })),
      })),
    take(token) {
      const scripted = lengths.length > 0 ? takeScripted(token) : undefined
      return scripted ?? TABLE.get(token.slice(0, PREFIX_LENGTH).toLowerCase())
    },
  }
}
