// What each response of APNs means to a delivery: a table of statuses and reasons, and how it is read. Pure.
import type { Outcome, OutcomeKind } from '../provider.ts'
import { retryAfterTime } from '../retry-after.ts'

/** A response of APNs: its status, headers and JSON body. */
export interface ApnsResponse {
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
 * Every reason that Apple documents, with its status and its meaning here.
 * https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns
 */
export const APNS_REASONS: readonly (readonly [status: number, reason: string, kind: Refusal])[] = [
  [400, 'BadCollapseId', 'failed'],
  [400, 'BadDeviceToken', 'token-doubtful'], // also a development token sent to production
  [400, 'BadExpirationDate', 'failed'],
  [400, 'BadMessageId', 'failed'],
  [400, 'BadPriority', 'failed'],
  [400, 'BadTopic', 'credentials-error'],
  [400, 'DeviceTokenNotForTopic', 'token-doubtful'], // also a wrong bundle id
  [400, 'DuplicateHeaders', 'failed'],
  [400, 'IdleTimeout', 'retry'],
  [400, 'InvalidPushType', 'failed'],
  [400, 'MissingDeviceToken', 'failed'],
  [400, 'MissingTopic', 'credentials-error'],
  [400, 'PayloadEmpty', 'failed'],
  [400, 'TopicDisallowed', 'credentials-error'],
  [403, 'BadCertificate', 'credentials-error'],
  [403, 'BadCertificateEnvironment', 'credentials-error'],
  [403, 'BadEnvironmentKeyIdInToken', 'credentials-error'],
  [403, 'BadEnvironmentKeyInToken', 'credentials-error'], // another spelling of the one above, seen in clients
  [403, 'ExpiredProviderToken', 'retry'], // our provider renews its token, the delivery waits for it
  [403, 'Forbidden', 'credentials-error'],
  [403, 'InvalidProviderToken', 'credentials-error'],
  [403, 'MissingProviderToken', 'credentials-error'],
  [403, 'UnrelatedKeyIdInToken', 'credentials-error'], // on a second connection; the first one is replaced
  [404, 'BadPath', 'failed'],
  [405, 'MethodNotAllowed', 'failed'],
  [410, 'ExpiredToken', 'token-gone'],
  [410, 'Unregistered', 'token-gone'],
  [413, 'PayloadTooLarge', 'failed'],
  [429, 'TooManyProviderTokenUpdates', 'retry'],
  [429, 'TooManyRequests', 'retry'], // counted per device: the other pushes of a chunk go on
  [500, 'InternalServerError', 'retry'],
  [503, 'ServiceUnavailable', 'retry'],
  [503, 'Shutdown', 'retry'],
]

const KIND_OF_REASON = new Map(APNS_REASONS.map(([, reason, kind]) => [reason, kind]))
const LONGEST_REASON = 100

/** `now`: ms since the epoch, for a Retry-After in seconds. A reason that is not in the table never costs a token. */
export function apnsOutcome(response: ApnsResponse, now: number): Outcome {
  if (response.status === 200) return response.id === undefined ? { kind: 'sent' } : { kind: 'sent', id: response.id }
  const reason = response.reason?.slice(0, LONGEST_REASON) || `HTTP ${response.status}`
  const kind = KIND_OF_REASON.get(reason) ?? kindOfStatus(response.status)
  if (kind === 'retry') return { kind, reason, ...notBefore(response.retryAfter, now) }
  if (kind === 'token-gone' && response.timestamp !== undefined) return { kind, reason, since: response.timestamp }
  return { kind, reason }
}

const OF_ONE_DEVICE: ReadonlySet<string | undefined> = new Set(['TooManyRequests'])
const ENDS_CONNECTION: ReadonlySet<string | undefined> = new Set([
  'IdleTimeout',
  'Shutdown',
  'UnrelatedKeyIdInToken', // it was opened with another key
  'TooManyProviderTokenUpdates', // the connection is of no use for a while, the provider token is in order
])

/** Whether the connection of this response is of no further use. */
export const endsConnection = ({ reason }: ApnsResponse): boolean => ENDS_CONNECTION.has(reason)

/** Whether APNs requires fewer pushes of the whole application, and not for one device or on one connection alone. */
export const isThrottled = ({ status, reason }: ApnsResponse): boolean =>
  (status === 429 || status === 503) && !OF_ONE_DEVICE.has(reason) && !ENDS_CONNECTION.has(reason)

/** For a response without a known reason, such as one of a proxy on the way. */
const kindOfStatus = (status: number): Refusal => (status === 429 || status >= 500 ? 'retry' : 'failed')

function notBefore(retryAfter: string | undefined, now: number) {
  const time = retryAfterTime(retryAfter, now)
  return time === undefined ? undefined : { notBefore: time }
}
