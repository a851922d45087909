// What each response of FCM means to a delivery: a table of statuses and codes, and how it is read. Pure.
import type { TokenRefusal } from '../chunk-push.ts'
import type { Outcome, OutcomeKind } from '../provider.ts'
import { retryAfterTime } from '../retry-after.ts'

/** A response of FCM: its status, headers and JSON body. */
export interface FcmResponse {
  status: number
  /** FCM's name of the message, in a success. */
  name?: string | undefined
  /** `errorCode` of the detail `google.firebase.fcm.v1.FcmError`. */
  errorCode?: string | undefined
  /** Member `status` of the error: a code of google.rpc. */
  rpcStatus?: string | undefined
  /** Member `message` of the error. */
  message?: string | undefined
  /** Fields that the detail `google.rpc.BadRequest` names, as paths from `message` on. */
  badFields?: readonly string[]
  /** Whether a detail `google.rpc.QuotaFailure` is about this device alone. */
  isDeviceQuota?: boolean
  /** Header `retry-after`. */
  retryAfter?: string | undefined
}

type Refusal = Exclude<OutcomeKind, 'sent'> | TokenRefusal['kind']

/**
 * Every code, with its status and its meaning here: the codes of FCM, then those of Google's APIs in general, which respond before
 * FCM has seen the message.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, https://cloud.google.com/apis/design/errors#handling_errors
 */
export const FCM_ERRORS: readonly (readonly [status: number, code: string, kind: Refusal])[] = [
  [400, 'INVALID_ARGUMENT', 'failed'], // unless it is about the token, see isAboutToken
  [401, 'APNS_AUTH_ERROR', 'token-refused'], // the former name of the next one
  [401, 'THIRD_PARTY_AUTH_ERROR', 'token-refused'],
  [403, 'SENDER_ID_MISMATCH', 'token-doubtful'], // also a wrong project
  [404, 'UNREGISTERED', 'token-gone'],
  [429, 'QUOTA_EXCEEDED', 'retry'],
  [500, 'INTERNAL', 'retry'],
  [500, 'UNSPECIFIED_ERROR', 'retry'],
  [503, 'UNAVAILABLE', 'retry'],

  [400, 'FAILED_PRECONDITION', 'failed'],
  [401, 'UNAUTHENTICATED', 'token-refused'],
  [403, 'PERMISSION_DENIED', 'credentials-error'], // a role is missing, or the API is not enabled
  [404, 'NOT_FOUND', 'credentials-error'], // there is no such project
  [409, 'ABORTED', 'retry'],
  [429, 'RESOURCE_EXHAUSTED', 'retry'],
  [504, 'DEADLINE_EXCEEDED', 'retry'],
]

const KIND_OF_CODE = new Map(FCM_ERRORS.map(([, code, kind]) => [code, kind]))
const NAME = /^projects\/.+\/messages\/.+$/s
const LONGEST_REASON = 100
/** Google asks for it where a 429 names no time: https://firebase.google.com/docs/cloud-messaging/scale-fcm */
const QUOTA_PAUSE = 60_000

/** `now`: ms since the epoch, for a Retry-After in seconds. A code that is not in the table never costs a token. */
export function fcmOutcome(response: FcmResponse, now: number): Outcome | TokenRefusal {
  if (response.status === 200) return success(response.name)
  const code = response.errorCode || response.rpcStatus || ''
  const reason = code.slice(0, LONGEST_REASON) || `HTTP ${response.status}`
  const kind = isAboutToken(response) ? 'token-doubtful' : (KIND_OF_CODE.get(code) ?? kindOfStatus(response.status))
  return kind === 'retry' ? { kind, reason, ...notBefore(response, now) } : { kind, reason }
}

/** An installation that is younger may not be registered for messages yet. */
const REGISTRATION_AGE = 86_400_000

/**
 * The same for a push to an installation id. FCM says of one that was never registered, and of one without the format of any, what it
 * says of one that is gone; and a 404 without its own error is about the installation, too.
 * https://firebase.google.com/docs/cloud-messaging/manage-tokens
 */
export function installationOutcome(response: FcmResponse, now: number): Outcome | TokenRefusal {
  const outcome = fcmOutcome(response, now)
  if (outcome.kind === 'token-gone') return { ...outcome, since: now - REGISTRATION_AGE }
  if (response.status === 404 && response.errorCode === undefined && outcome.kind === 'credentials-error')
    return { kind: 'token-doubtful', reason: outcome.reason }
  return outcome
}

/** Whether FCM requires fewer pushes of the whole project, and not for one device alone. */
export const isThrottled = ({ status, isDeviceQuota }: FcmResponse): boolean =>
  (status === 429 || status === 503) && !isDeviceQuota

/**
 * A success names the message that FCM accepted. A response without a name does not come from FCM: to count it as sent would be a
 * guess, and to push again could show the notification ten times.
 */
const success = (name: string | undefined): Outcome =>
  name !== undefined && NAME.test(name) ? { kind: 'sent', id: name } : { kind: 'failed', reason: 'NoMessageName' }

const TARGETS: ReadonlySet<string> = new Set(['message.token', 'message.fid'])

/**
 * The code stands for a malformed token as well as for an invalid message. It is about the token when the token is the only field
 * that is named, or when no field is named and the text says so.
 * https://firebase.google.com/docs/cloud-messaging/error-codes
 */
function isAboutToken({ errorCode, message = '', badFields = [] }: FcmResponse): boolean {
  if (errorCode !== 'INVALID_ARGUMENT') return false
  if (badFields.length > 0) return badFields.every((field) => TARGETS.has(field))
  return /registration token/i.test(message)
}

/** For a response without a known code, such as one of a proxy on the way. */
function kindOfStatus(status: number): Refusal {
  if (status === 401) return 'token-refused'
  if (status === 404) return 'credentials-error'
  return status === 429 || status >= 500 ? 'retry' : 'failed'
}

function notBefore({ status, retryAfter }: FcmResponse, now: number) {
  const time = retryAfterTime(retryAfter, now) ?? (status === 429 ? now + QUOTA_PAUSE : undefined)
  return time === undefined ? undefined : { notBefore: time }
}
