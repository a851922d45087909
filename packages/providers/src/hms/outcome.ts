// What each response of HMS means to the deliveries of its request: tables of codes and reasons, and how they are read. Pure.
import type { Outcome, OutcomeKind } from '../provider.ts'
import { retryAfterTime } from '../retry-after.ts'
import type { HmsResponse } from './response.ts'

type Refusal = Exclude<OutcomeKind, 'sent'>

const SUCCESS = '80000000'
const PARTIAL_SUCCESS = '80100000'
const ALL_TOKENS_INVALID = '80300007'

/**
 * Every code for sending messages but the two successes, and its meaning here.
 * https://developer.huawei.com/consumer/en/doc/HMSCore-References/https-send-api-0000001050986197
 * https://developer.huawei.com/consumer/en/doc/doccenter-references/api/push-scenariozed-api-response
 */
export const HMS_CODES: readonly (readonly [code: string, kind: Refusal])[] = [
  ['80100001', 'failed'], // a parameter
  ['80100002', 'failed'], // more than one token for a system message
  ['80100003', 'failed'], // structure of the message
  ['80100004', 'failed'], // expired
  ['80100013', 'failed'], // collapse_key
  ['80100016', 'failed'], // sensitive content
  ['80100017', 'retry'], // more than 100 messages to topics at once
  ['80100018', 'failed'], // body
  ['80100022', 'failed'], // a picture that was not verified
  ['80200001', 'credentials-error'], // access token wrong, also one of another application
  ['80200003', 'credentials-error'], // access token expired
  ['80200005', 'credentials-error'], // the same, of a service account
  ['80300002', 'credentials-error'], // the application may not send
  [ALL_TOKENS_INVALID, 'token-doubtful'], // also when they belong to another application, so that even one proves nothing
  ['80300008', 'failed'], // longer than 4096 bytes
  ['80300010', 'failed'], // number of tokens
  ['80300011', 'failed'], // no right to urgent messages
  ['80300029', 'retry'], // too many test messages
  ['80300030', 'failed'], // more than ten tokens in a test message
  ['80300036', 'credentials-error'], // a service account's token that lives for more than a day
  ['80300037', 'credentials-error'], // the application is being punished
  ['80600003', 'retry'], // Huawei's OAuth service failed
  ['81000001', 'retry'], // inner error
  ['82000001', 'failed'], // from here: topics and groups of devices, which are not used
  ['82000002', 'failed'],
  ['82000003', 'failed'],
  ['82000004', 'failed'],
  ['82000005', 'failed'],
  ['82000006', 'failed'],
  ['82000007', 'failed'],
  ['82000008', 'failed'],
  ['82000009', 'failed'],
  ['82000010', 'failed'],
  ['82000011', 'failed'],
  ['82000012', 'credentials-error'], // no storage region chosen
  ['82000013', 'credentials-error'], // another storage region
]

/** Reasons why a single token is refused. Reasons that are not about the token keep the device. Source as above. */
export const HMS_TOKEN_REASONS: readonly (readonly [reason: string, kind: Refusal])[] = [
  ['tokenFormatError', 'token-gone'],
  ['tokenPlatformNotSupport', 'token-doubtful'],
  ['noPushTypeRight', 'failed'],
  ['noRight', 'failed'], // the token's application is of another project
  ['atomicUnableSendUnsubscribedMsg', 'failed'],
  ['countryNotSupport', 'failed'],
  ['disableSendHuaweiMsgBecauseOfPenalty', 'failed'],
  ['differentImgVerifyPolicy', 'failed'],
  ['appinfoError', 'failed'],
  ['notSupportPlayVoice', 'failed'],
  ['noRightToSendThisLiveNotificationEvent', 'failed'],
]

const KIND_OF_CODE = new Map(HMS_CODES)
const KIND_OF_TOKEN_REASON = new Map(HMS_TOKEN_REASONS)
const ACCESS_CODES: ReadonlySet<string | undefined> = new Set(['80200001', '80200003', '80200005'])
const LONGEST_REASON = 100

/** Whether the access token was refused, so that another one may help. */
export const refusesAccess = ({ status, code }: HmsResponse): boolean =>
  ACCESS_CODES.has(code) || ((status === 401 || status === 403) && !KIND_OF_CODE.has(code ?? ''))

/**
 * The same of a service account. A token that is signed anew has the same account, project and algorithm, so that it helps where the
 * former one has expired.
 */
export const refusesAccountToken = ({ status, code }: HmsResponse): boolean =>
  code === '80200005' || ((status === 401 || status === 403) && !KIND_OF_CODE.has(code ?? ''))

/** Whether Huawei requires fewer requests a second. */
export const isThrottled = ({ status }: HmsResponse): boolean => status === 503 || status === 429

/**
 * One outcome for each token of the request, in its order. `now`: ms since the epoch, for a Retry-After in seconds. A code
 * or reason that is not in the tables never costs a token.
 */
export function hmsOutcomes(response: HmsResponse, tokens: readonly string[], now: number): Outcome[] {
  const { code, refused } = response
  const isPartial = code === PARTIAL_SUCCESS
  const listed = isPartial || code === ALL_TOKENS_INVALID ? tokens.filter((token) => refused.has(token)) : []
  const others = isPartial ? restOfPartial(response, listed.length) : outcomeOf(response, now)
  if (listed.length === 0) return tokens.map(() => others)
  // When another token of the same request succeeded, our own configuration is right.
  const isProven = isPartial && listed.length < tokens.length
  return tokens.map((token) => (refused.has(token) ? refusal(response, refused.get(token), isProven) : others))
}

/** Without a list most tokens were served, so none is pushed again. It is not known which ones, so none counts as sent. */
const restOfPartial = (response: HmsResponse, listed: number): Outcome =>
  listed > 0 ? sent(response) : { kind: 'failed', reason: `${PARTIAL_SUCCESS} without the tokens it refused` }

/** The outcome of a whole request, when the response does not tell its tokens apart. */
export function outcomeOf(response: HmsResponse, now: number): Outcome {
  const { status, code } = response
  if (code === SUCCESS && status < 300) return sent(response)
  const kind = KIND_OF_CODE.get(code ?? '') ?? kindOfStatus(response)
  const reason = reasonOf(response)
  const notBefore = retryAfterTime(response.retryAfter, now)
  return kind === 'retry' && notBefore !== undefined ? { kind, reason, notBefore } : { kind, reason }
}

const sent = ({ requestId }: HmsResponse): Outcome =>
  requestId === undefined ? { kind: 'sent' } : { kind: 'sent', id: requestId }

function refusal({ code }: HmsResponse, reason: string | undefined, isProven: boolean): Outcome {
  const kind = reason === undefined ? 'token-gone' : (KIND_OF_TOKEN_REASON.get(reason) ?? 'failed')
  return {
    kind: kind === 'token-gone' && !isProven ? 'token-doubtful' : kind,
    reason: `${code} ${reason ?? 'illegal token'}`.slice(0, LONGEST_REASON),
  }
}

/** For a response without a known code, such as one of a proxy on the way. */
function kindOfStatus({ status, code }: HmsResponse): Refusal {
  if (status === 429 || status >= 500) return 'retry'
  // 404: there is no such project.
  if (status === 401 || status === 403 || status === 404) return 'credentials-error'
  return status < 300 && code === undefined ? 'retry' : 'failed'
}

function reasonOf({ status, code, text }: HmsResponse): string {
  if (code !== undefined) return [code, text].filter(Boolean).join(' ').slice(0, LONGEST_REASON)
  return status < 300 ? `Unknown: HTTP ${status} without a code` : `HTTP ${status}`
}
