// The behaviours that the tokens of one request require: a token may be illegal by itself, or decide for the whole request.
import type { ScriptedResponses } from '../scripted-responses.ts'
import type { Response, FailingBehaviour } from '../behaviour.ts'
import { concernsToken, isAcceptance } from './codes.ts'

export interface SortedTokens {
  legal: readonly string[]
  illegal: readonly string[]
  /** The first token with another behaviour than being illegal decides for the request. */
  failing?: FailingBehaviour
  response?: Response
  /** Scripted headers, body and delay of the response. */
  extras?: Response
}

export function sortTokens(tokens: readonly string[], responses: Pick<ScriptedResponses, 'take'>): SortedTokens {
  const illegal: string[] = []
  let extras: Response = ACCEPTED
  for (const token of tokens) {
    const behaviour = responses.take(token)
    if (!behaviour) continue
    if ('failure' in behaviour) return { legal: without(tokens, illegal), illegal, failing: behaviour }
    if (concernsToken(behaviour)) illegal.push(token)
    else if (!isAcceptance(behaviour)) return { legal: [], illegal, response: behaviour }
    else extras = behaviour
  }
  return { legal: without(tokens, illegal), illegal, extras }
}

const ACCEPTED: Response = { status: 200 }

function without(tokens: readonly string[], illegal: readonly string[]) {
  if (illegal.length === 0) return tokens
  const set = new Set(illegal)
  return tokens.filter((token) => !set.has(token))
}
