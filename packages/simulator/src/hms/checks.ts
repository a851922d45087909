// The checks HMS makes on a message. Pure.
// https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
import { isRecord, parseRecord, readText } from '../json.ts'
import { violationsOf, type ShapeViolation } from '../validation.ts'
import type { Body } from '../wire/http-exchange.ts'
import { REQUEST } from './message.ts'

export interface SendRequest {
  tokens: readonly string[]
  /** The message without its tokens. */
  payload: Record<string, unknown>
  /** Checked, but not delivered. */
  validateOnly: boolean
}

export interface Failure {
  code: string
  /** Instead of the usual text of the code. */
  text?: string
}

const TOKENS_MOST = 1000
/** Of the whole body, but without the tokens. */
const BODY_BYTES = 4096
const TTL_SECONDS = 15 * 24 * 3600

export function readSend({ size, bytes }: Body): SendRequest | Failure {
  // Far beyond any limit: not even kept.
  if (size > bytes.length) return { code: '80300008' }
  const request = parseRecord(bytes.toString())
  if (!request) return { code: '80100003', text: 'Illegal payload, the body is no JSON object' }
  // A misspelt `message` is refused for its missing tokens.
  if (!isRecord(request['message'])) return { code: '80300010' }
  const { token, ...payload } = request['message']
  if (!Array.isArray(token) || token.length === 0 || token.length > TOKENS_MOST) return { code: '80300010' }
  if (size - bytesOf(token, size) > BODY_BYTES) return { code: '80300008' }
  const [violation] = violationsOf(REQUEST, request)
  if (violation) return describe(violation)
  const failure = findStructureFailure(payload)
  if (failure) return { code: '80100003', text: `Illegal payload, ${failure}` }
  return { tokens: token, payload, validateOnly: request['validate_only'] === true }
}

/** Only measured where it matters. */
const bytesOf = (tokens: unknown[], size: number) => (size > BODY_BYTES ? Buffer.byteLength(JSON.stringify(tokens)) : 0)

function describe({ field, kind, expected, value }: ShapeViolation): Failure {
  if (field === 'message.android.collapse_key') return { code: '80100013' }
  if (kind === 'type') return { code: '80100003', text: `Illegal payload, ${field} is not of type ${expected}` }
  return { code: '80100001', text: `Check Parameter Error, ${field} must be ${expected}: ${JSON.stringify(value)}` }
}

/** The first part that a message lacks; undefined when it is complete. */
function findStructureFailure(message: Record<string, unknown>): string | undefined {
  const android = isRecord(message['android']) ? message['android'] : {}
  const general = isRecord(message['notification']) ? message['notification'] : undefined
  if (Number.parseFloat(String(android['ttl'])) > TTL_SECONDS) return 'ttl is more than 15 days'
  const { notification } = android
  if (!isRecord(notification)) {
    const data = readText(message['data']) ?? readText(android['data'])
    return (general ?? data) ? undefined : 'neither data nor a notification'
  }
  for (const part of ['title', 'body']) {
    const given = notification[part] ?? notification[`${part}_loc_key`] ?? general?.[part]
    if (!readText(given)) return `${part} should be set`
  }
  const action = notification['click_action']
  return isRecord(action) && action['type'] !== undefined ? undefined : 'click_action should be set'
}
