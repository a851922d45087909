// What to do with which token: scripted answers first, the longest match winning, then the table of prefixes.
import type { Behaviour } from './behaviour.ts'
import { PREFIX_LENGTH, PREFIXES } from './prefixes.ts'

export type ScriptedAnswer = Behaviour & {
  /** How often it is given; without a number, until it is replaced or forgotten. */
  times?: number | undefined
}

export interface Answers {
  /**
   * Scripts the answer for a token, or for all tokens that begin so. Answers of the same token are given in the order they
   * were scripted; one without `times` lasts, so the next one for that token replaces it.
   */
  script(tokenOrPrefix: string, answer: ScriptedAnswer): void
  /** Forgets what was scripted for this token or prefix, or everything. */
  forget(tokenOrPrefix?: string): void
  scripted(): { token: string; answers: ScriptedAnswer[] }[]
  /** Takes the behaviour for one request; undefined means the push is accepted. */
  take(token: string): Behaviour | undefined
}

const TABLE = new Map(PREFIXES.map(({ prefix, behaviour }) => [prefix, behaviour]))

export function createAnswers(): Answers {
  const scripts = new Map<string, ScriptedAnswer[]>()
  // Length by length, longest first: a look-up costs the same for one scripted token and for thousands.
  let lengths: number[] = []
  const measure = () => {
    lengths = [...new Set([...scripts.keys()].map((key) => key.length))].sort((a, b) => b - a)
  }

  function takeScripted(token: string): Behaviour | undefined {
    for (const length of lengths) {
      const key = token.slice(0, length)
      const answer = scripts.get(key)?.[0]
      if (!answer) continue
      if (answer.times !== undefined && --answer.times === 0) dropFirst(key)
      return answer
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
    script(tokenOrPrefix, answer) {
      const earlier = (scripts.get(tokenOrPrefix) ?? []).filter(({ times }) => times !== undefined)
      scripts.set(tokenOrPrefix, [...earlier, { ...answer }])
      measure()
    },
    forget(tokenOrPrefix) {
      if (tokenOrPrefix === undefined) scripts.clear()
      else scripts.delete(tokenOrPrefix)
      measure()
    },
    scripted: () =>
      Array.from(scripts, ([token, answers]) => ({ token, answers: answers.map((answer) => ({ ...answer })) })),
    take(token) {
      const scripted = lengths.length > 0 ? takeScripted(token) : undefined
      return scripted ?? TABLE.get(token.slice(0, PREFIX_LENGTH).toLowerCase())
    },
  }
}
