// The checks that version 3 of HMS makes on a message. Pure.
// https://developer.huawei.com/consumer/cn/doc/harmonyos-references/push-scenariozed-api-request-param
import { isRecord, parseRecord, readText } from '../json.ts'
import {
  flag,
  list,
  pattern,
  range,
  record,
  text,
  violationsOf,
  whole,
  word,
  type ShapeViolation,
} from '../validation.ts'
import type { Body } from '../wire/http-exchange.ts'
import type { Failure, SendRequest } from './checks.ts'

const TOKENS_MOST = 1000
const TEST_TOKENS_MOST = 10
/** Of the whole body, but without the tokens. */
const BODY_BYTES = 4096
const TTL_SECONDS = 15 * 24 * 3600
const ALERT = '0'
const BACKGROUND = '6'
const PUSH_TYPES = new Set([ALERT, '1', '2', BACKGROUND, '7', '10', '11'])

const CATEGORIES = [
  'IM',
  'VOIP',
  'MISS_CALL',
  'SUBSCRIPTION',
  'TRAVEL',
  'HEALTH',
  'WORK',
  'ACCOUNT',
  'EXPRESS',
  'FINANCE',
  'DEVICE_REMINDER',
  'MAIL',
  'MARKETING',
]

const OPEN = { open: true }

const NOTIFICATION = record(
  {
    category: word(CATEGORIES, 'a category', { exact: true }),
    title: text,
    body: text,
    image: pattern(/^https:\/\//, 'an https address'),
    clickAction: record({ actionType: whole, action: text, uri: text, data: record({}, OPEN) }, OPEN),
    badge: record({ addNum: range(1, 99), setNum: range(0, 99) }, OPEN),
    notifyId: range(-1, 2_147_483_647),
    appMessageId: pattern(/^[A-Za-z0-9+/=\-_ ]{1,64}$/, 'an id of up to 64 characters'),
    profileId: pattern(/^.{1,64}$/s, 'up to 64 characters'),
    sound: text,
    soundDuration: range(1, 60),
    foregroundShow: flag,
    inboxContent: list(text),
  },
  OPEN,
)

const REQUEST = record(
  {
    payload: record({ notification: NOTIFICATION, extraData: text }, OPEN),
    target: record({ token: list(text) }, OPEN),
    pushOptions: record(
      {
        ttl: range(1, TTL_SECONDS),
        biTag: text,
        receiptId: text,
        collapseKey: range(-1, 100),
        testMessage: flag,
        backgroundMode: range(0, 1),
      },
      OPEN,
    ),
  },
  OPEN,
)

/** `pushType`: the header `push-type`. */
export function readSendV3({ size, bytes }: Body, pushType: string | undefined): SendRequest | Failure {
  // Far beyond any limit: not even kept.
  if (size > bytes.length) return { code: '80300008' }
  const request = parseRecord(bytes.toString())
  if (!request) return { code: '80100003', text: 'Illegal payload, the body is no JSON object' }
  const { target, ...payload } = request
  const tokens = isRecord(target) ? target['token'] : undefined
  if (!Array.isArray(tokens) || tokens.length === 0 || tokens.length > TOKENS_MOST) return { code: '80300010' }
  if (size - (size > BODY_BYTES ? Buffer.byteLength(JSON.stringify(tokens)) : 0) > BODY_BYTES)
    return { code: '80300008' }
  if (pushType === undefined || !PUSH_TYPES.has(pushType)) return { code: '80100001', text: 'push-type is illegal' }
  const [violation] = violationsOf(REQUEST, request)
  if (violation) return describe(violation)
  const missing = findMissing(payload, pushType)
  if (missing) return { code: '80100001', text: `Check Parameter Error, ${missing} should be set` }
  const options = isRecord(payload['pushOptions']) ? payload['pushOptions'] : {}
  if (options['testMessage'] === true && tokens.length > TEST_TOKENS_MOST) return { code: '80300030' }
  return { tokens, payload, validateOnly: false }
}

function describe({ field, kind, expected, value }: ShapeViolation): Failure {
  if (field === 'pushOptions.ttl') return { code: '80100004' }
  if (kind === 'type') return { code: '80100003', text: `Illegal payload, ${field} is not of type ${expected}` }
  return { code: '80100001', text: `Check Parameter Error, ${field} must be ${expected}: ${JSON.stringify(value)}` }
}

/** The first member that a message of its push type lacks; undefined when it is complete. */
function findMissing({ payload }: Record<string, unknown>, pushType: string): string | undefined {
  const { notification, extraData } = isRecord(payload) ? payload : {}
  if (pushType === BACKGROUND) return readText(extraData) ? undefined : 'payload.extraData'
  if (pushType !== ALERT) return isRecord(payload) ? undefined : 'payload'
  if (!isRecord(notification)) return 'payload.notification'
  for (const name of ['category', 'title', 'body'])
    if (!readText(notification[name])) return `payload.notification.${name}`
  const action = notification['clickAction']
  return isRecord(action) && action['actionType'] !== undefined ? undefined : 'payload.notification.clickAction'
}
