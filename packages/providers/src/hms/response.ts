// Reads a response of HMS. Pure.
import { jsonObject } from '../json-object.ts'
import type { PostResult } from './post-request.ts'

/** A response of HMS; unreadable members are undefined. */
export interface HmsResponse {
  status: number
  /** Member `code` of the body: eight digits. */
  code?: string | undefined
  /** Member `msg` of the body, when it is for people. */
  text?: string | undefined
  requestId?: string | undefined
  /** Header `retry-after`. */
  retryAfter?: string | undefined
  /** Tokens that were not served, each with Huawei's reason or undefined. */
  refused: ReadonlyMap<string, string | undefined>
}

export function readResponse({ status, headers, body }: Extract<PostResult, { kind: 'response' }>): HmsResponse {
  const { code, msg, requestId } = jsonObject(body)
  const details = typeof msg === 'string' ? jsonObject(msg) : Object(msg)
  const isForPeople = typeof msg === 'string' && msg !== '' && !msg.startsWith('{')
  return {
    status,
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : undefined,
    text: isForPeople ? msg : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    retryAfter: headers['retry-after'],
    refused: new Map(refusedTokens(details['illegal_tokens'] ?? details['illegalTokens'])),
  }
}

/** Version 2 of the API gives a list, version 3 one list for each reason. */
function refusedTokens(illegal: unknown): [token: string, reason: string | undefined][] {
  if (Array.isArray(illegal)) return texts(illegal).map((token) => [token, undefined])
  return Object.entries(Object(illegal)).flatMap(([reason, tokens]) =>
    texts(tokens).map((token): [string, string] => [token, reason.trim()]),
  )
}

const texts = (list: unknown): string[] => (Array.isArray(list) ? list.filter((item) => typeof item === 'string') : [])
