// What the tokens of one request ask for: each may be illegal by itself, or ask for an answer to the whole request.
import type { Answers } from '../answers.ts'
import type { Answer, Failure } from '../behaviour.ts'
import { concernsToken, isAcceptance } from './codes.ts'

export interface SortedTokens {
  legal: readonly string[]
  illegal: readonly string[]
  /** The first token that asks for something else than being illegal decides for the request. */
  failure?: Failure
  answer?: Answer
  /** What the answer looks like, beside what it says. */
  extras?: Answer
}

export function sortTokens(tokens: readonly string[], answers: Pick<Answers, 'take'>): SortedTokens {
  const illegal: string[] = []
  let extras: Answer = ACCEPTED
  for (const token of tokens) {
    const behaviour = answers.take(token)
    if (!behaviour) continue
    if ('fault' in behaviour) return { legal: without(tokens, illegal), illegal, failure: behaviour }
    if (concernsToken(behaviour)) illegal.push(token)
    else if (!isAcceptance(behaviour)) return { legal: [], illegal, answer: behaviour }
    else extras = behaviour
  }
  return { legal: without(tokens, illegal), illegal, extras }
}

const ACCEPTED: Answer = { status: 200 }

function without(tokens: readonly string[], illegal: readonly string[]) {
  if (illegal.length === 0) return tokens
  const set = new Set(illegal)
  return tokens.filter((token) => !set.has(token))
}
