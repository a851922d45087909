// The codes of HMS's responses, https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
import type { Response } from '../behaviour.ts'
import { gatewayReply, jsonReply, retryHeader, type Reply } from '../wire/http-exchange.ts'

/** The texts of the codes. */
const MESSAGES: Readonly<Record<string, string>> = {
  80000000: 'Success',
  80100001: 'Check Parameter Error',
  80100003: 'Illegal payload',
  80100013: 'Collapse_key is illegal',
  80200001: 'Authentication Error',
  80200003: 'OAuth token expired',
  80200005: 'The token of the service account has expired',
  80300002: 'No permission to send message to these tmIDs',
  80300007: 'All the tokens are invalid',
  80300008: 'Push message size is too long',
  80300010: 'token count should within 1 and 1000',
  80300030: 'token count of a test message should be within 10',
  80300036: 'The token of the service account lives for more than a day',
  81000001: 'Inner Error',
}

/** The usual code of a status, with its own status: for prefixes, and for scripted responses without a reason. */
const USUAL: Readonly<Record<number, { status: number; code: string }>> = {
  401: { status: 401, code: '80200001' },
  403: { status: 400, code: '80300002' },
  413: { status: 400, code: '80300008' },
  500: { status: 500, code: '81000001' },
}

/** Statuses for an invalid token: HMS then responds with 200 and lists the token. */
const ILLEGAL = new Set([400, 404, 410])

export const SUCCESS = '80000000'
export const PARTIAL_SUCCESS = '80100000'

/** Whether a response is about one token; any other is about the whole request. */
export const concernsToken = ({ status, reason }: Response) => reason === undefined && ILLEGAL.has(status)

/** Whether a response accepts the push. */
export const isAcceptance = ({ status, reason = SUCCESS }: Response) => status === 200 && reason === SUCCESS

/** A refusal of the whole request, as a prefix or a script requires it. */
export function toRefusal({ status, reason, retryAfter }: Response, requestId: string): Reply {
  const headers = retryHeader(retryAfter)
  if (reason !== undefined) return codeReply({ status, code: reason, requestId, headers })
  const usual = USUAL[status]
  if (usual) return codeReply({ ...usual, requestId, headers })
  // Rate limits are a matter of the gateway in front, which knows one status for them.
  return gatewayReply(status === 429 ? 503 : status, headers)
}

interface CodeReply {
  status: number
  code: string
  requestId: string
  /** Instead of the usual text of the code. */
  text?: string | undefined
  headers?: Reply['headers']
}

export const codeReply = ({ status, code, requestId, text, headers }: CodeReply): Reply =>
  jsonReply(status, { code, msg: text ?? MESSAGES[code] ?? code, requestId }, headers)
