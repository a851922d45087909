// What each answer of APNs means to a delivery: a table of statuses and reasons, and how it is read. Pure.
import type { Outcome, OutcomeKind } from '../provider.ts'
import { retryAfterTime } from '../retry-after.ts'

/** An answer of APNs as its status, headers and JSON body give it. */
export interface ApnsAnswer {
  status: number
  /** Member `reason` of the body. */
  reason?: string | undefined
  /** Member `timestamp` of the body: ms since the epoch. */
  timestamp?: number | undefined
  /** Header `apns-id`. */
  id?: string | undefined
  /** Header `retry-after`. */
  retryAfter?: string | undefined
}

type Refusal = Exclude<OutcomeKind, 'sent'>

/**
 * Every reason that Apple documents, with the status it comes with and what it means here.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export const APNS_REASONS: readonly (readonly [status: number, reason: string, kind: Refusal])[] = [
  [400, 'BadCollapseId', 'failed'],
  [400, 'BadDeviceToken', 'token-doubtful'], // also a development token sent to production
  [400, 'BadExpirationDate', 'failed'],
  [400, 'BadMessageId', 'failed'],
  [400, 'BadPriority', 'failed'],
  [400, 'BadTopic', 'credentials-fault'],
  [400, 'DeviceTokenNotForTopic', 'token-doubtful'], // also a wrong bundle id
  [400, 'DuplicateHeaders', 'failed'],
  [400, 'IdleTimeout', 'retry'],
  [400, 'InvalidPushType', 'failed'],
  [400, 'MissingDeviceToken', 'failed'],
  [400, 'MissingTopic', 'credentials-fault'],
  [400, 'PayloadEmpty', 'failed'],
  [400, 'TopicDisallowed', 'credentials-fault'],
  [403, 'BadCertificate', 'credentials-fault'],
  [403, 'BadCertificateEnvironment', 'credentials-fault'],
  [403, 'BadEnvironmentKeyIdInToken', 'credentials-fault'],
  [403, 'BadEnvironmentKeyInToken', 'credentials-fault'], // another spelling of the one above, seen in clients
  [403, 'ExpiredProviderToken', 'retry'], // the provider renews its token, nobody else has a part in it
  [403, 'Forbidden', 'credentials-fault'],
  [403, 'InvalidProviderToken', 'credentials-fault'],
  [403, 'MissingProviderToken', 'credentials-fault'],
  [403, 'UnrelatedKeyIdInToken', 'credentials-fault'],
  [404, 'BadPath', 'failed'],
  [405, 'MethodNotAllowed', 'failed'],
  [410, 'ExpiredToken', 'token-gone'],
  [410, 'Unregistered', 'token-gone'],
  [413, 'PayloadTooLarge', 'failed'],
  [429, 'TooManyProviderTokenUpdates', 'retry'],
  [429, 'TooManyRequests', 'retry'], // counted per device: the others of a chunk go on
  [500, 'InternalServerError', 'retry'],
  [503, 'ServiceUnavailable', 'retry'],
  [503, 'Shutdown', 'retry'],
]

const KIND_OF_REASON = new Map(APNS_REASONS.map(([, reason, kind]) => [reason, kind]))
const LONGEST_REASON = 100

/** `now`: ms since the epoch, for a Retry-After in seconds. A reason that is not in the table never costs a token. */
export function apnsOutcome(answer: ApnsAnswer, now: number): Outcome {
  if (answer.status === 200) return answer.id === undefined ? { kind: 'sent' } : { kind: 'sent', id: answer.id }
  const reason = answer.reason?.slice(0, LONGEST_REASON) || `HTTP ${answer.status}`
  const kind = KIND_OF_REASON.get(reason) ?? kindOfStatus(answer.status)
  if (kind === 'retry') return { kind, reason, ...notBefore(answer.retryAfter, now) }
  if (kind === 'token-gone' && answer.timestamp !== undefined) return { kind, reason, since: answer.timestamp }
  return { kind, reason }
}

const OF_ONE_DEVICE: ReadonlySet<string | undefined> = new Set(['TooManyRequests'])
const ENDS_CONNECTION: ReadonlySet<string | undefined> = new Set([
  'IdleTimeout',
  'Shutdown',
  'TooManyProviderTokenUpdates', // the connection is of no use for a while, the provider token is in order
])

/** The connection that this answer came over is of no further use. */
export const endsConnection = ({ reason }: ApnsAnswer): boolean => ENDS_CONNECTION.has(reason)

/** APNs wants fewer pushes of the whole application, and not for one device or on one connection alone. */
export const isFlowControl = ({ status, reason }: ApnsAnswer): boolean =>
  (status === 429 || status === 503) && !OF_ONE_DEVICE.has(reason) && !ENDS_CONNECTION.has(reason)

/** Of an answer whose reason says nothing, as one given by a proxy on the way. */
const kindOfStatus = (status: number): Refusal => (status === 429 || status >= 500 ? 'retry' : 'failed')

function notBefore(retryAfter: string | undefined, now: number) {
  const time = retryAfterTime(retryAfter, now)
  return time === undefined ? undefined : { notBefore: time }
}
