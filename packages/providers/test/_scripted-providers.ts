// The three providers as the contract suite sees them: how each is opened, how its vendor words each response, and the outcome that
// belongs to it.
import type { Platform } from '@push-server/contract'
import type { Proxy } from '@push-server/http2'
import { createLogger, type Logger } from '@push-server/runtime'
import { readApnsCredentials } from '../src/apns/credentials.ts'
import { openApnsProvider } from '../src/apns/provider.ts'
import { readServiceAccount } from '../src/fcm/credentials.ts'
import { openFcmProvider } from '../src/fcm/provider.ts'
import { readHmsCredentials } from '../src/hms/credentials.ts'
import { hmsPayload, withTokens } from '../src/hms/payload.ts'
import { openHmsProvider } from '../src/hms/provider.ts'
import type { Outcome, Provider, PushTarget, ApplicationCredentials, TokenCache } from '../src/index.ts'
import { makeCredentials } from './_credentials.ts'
import { ca } from './_origin.ts'
import { ca as hmsCa } from './_hms-origin.ts'
import { MemoryTokens, transport } from './_pushing.ts'
import {
  startApns,
  startFcmWithTokens,
  startHms,
  type ReceivedPush,
  type Response,
  type Script,
  type ScriptedServer,
} from './_scripted-server.ts'

export interface OpenOptions {
  credentials?: ApplicationCredentials
  /** By default another worker's token, so that a test that is not about tokens mints none. */
  tokens?: TokenCache
  ca?: string | undefined
  proxy?: Proxy
  /** Maximum number of pushes in flight; on HMS, of requests. */
  concurrency?: number
  connections?: number
  requestTimeoutMs?: number
  tokenTimeoutMs?: number
  log?: Logger
  now?: () => number
}

/** A response that refuses the provider token. */
export interface TokenRefusal {
  response: Response
  /** Reason of a push that waits for another token. */
  reason: string
  /** Outcome of a push whose second token was refused as well. */
  final: Outcome
}

/** What of a message is shown and handed over, read from the request. */
export interface ShownTexts {
  title: unknown
  body: unknown
  extras: unknown
}

export interface ScriptedProvider {
  name: string
  platform: Platform
  credentials: ApplicationCredentials
  ca: string
  /** Whether a token endpoint gives the provider token. */
  hasTokenEndpoint: boolean
  start(script: Script): Promise<ScriptedServer>
  open(address: Pick<ScriptedServer, 'url' | 'tokenUrl'>, options?: OpenOptions): Provider
  /** What a worker reads from its environment to reach the server. */
  environment(server: ScriptedServer): Record<string, string>
  /** Accepts a push but for its dead devices. */
  serve(push: ReceivedPush, dead?: ReadonlySet<string>): void
  sent(target: PushTarget): Outcome
  gone: Outcome
  /** Responses to a push of one device, and their outcomes. `now`: ms since the epoch. */
  responses(now: number): readonly (readonly [name: string, response: Response, outcome: Outcome])[]
  /** One that is longer than any response, and the reason of the push. */
  longest: { bytes: number; reason: RegExp }
  /** Responses that require fewer pushes, with the seconds to wait. */
  throttled: readonly { response: Response; reason: string; seconds: number }[]
  /** The first of them, naming another time. */
  throttledFor(seconds: number): Response
  tokenRefusals: readonly TokenRefusal[]
  /** How long a replaced token is kept, though it is refused as well. */
  replaceableAfterMs: number
  /** Logged when a refused token cannot be replaced. */
  renewalFailed: string
  cacheKey: RegExp
  textsOf(body: string): ShownTexts
  /** Bytes that count of a message with an empty `body`, and of one with the body `é` and an empty member `key` of extras. */
  emptyBytes: { body: number; extras: number }
  /** Credentials that cannot be used. */
  unusable: readonly ApplicationCredentials[]
}

const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const CREDENTIALS = makeCredentials()
/** Shortly before the tests, when APNs learned of a device's end. */
const SINCE = Date.now() - 60_000
const NONE: ReadonlySet<string> = new Set()

const common = (own: string, { tokens, ...options }: OpenOptions) => ({
  tokens: tokens ?? new MemoryTokens().keep('token-0', 0),
  ca: 'ca' in options ? options.ca : own,
  ...(options.proxy && { proxy: options.proxy }),
  requestTimeoutMs: options.requestTimeoutMs ?? 20_000,
  log: options.log ?? log,
  ...(options.now && { now: options.now }),
})

const HTML = '<html>'
const bytesOf = (text: string) => Buffer.byteLength(text)

const refusedByApns = (status: number, reason: string, headers = {}): Response => ({
  status,
  body: { reason },
  headers,
})
const ios = CREDENTIALS.ios

const APNS: ScriptedProvider = {
  name: 'APNs',
  platform: 'ios',
  credentials: ios,
  ca,
  hasTokenEndpoint: false,
  start: startApns,
  open: ({ url }, { credentials: { settings, secret } = ios, concurrency = 100, ...options } = {}) =>
    openApnsProvider({
      ...common(ca, options),
      credentials: readApnsCredentials(settings, secret),
      origins: { production: url, development: 'https://localhost:1' },
      concurrency,
      useDevelopment: false,
      transport,
    }),
  environment: ({ url }) => ({ APNS_PRODUCTION_URL: url }),
  serve(push, dead = NONE) {
    const headers = { 'apns-id': String(push.headers['apns-id']) }
    const isDead = push.tokens.some((token) => dead.has(token))
    push.respond(
      isDead ? { status: 410, headers, body: { reason: 'Unregistered', timestamp: SINCE } } : { status: 200, headers },
    )
  },
  sent: ({ pushId }) => ({ kind: 'sent', id: pushId }),
  gone: { kind: 'token-gone', reason: 'Unregistered', since: SINCE },
  responses: (now) => [
    ['success', { headers: { 'apns-id': 'A1' } }, { kind: 'sent', id: 'A1' }],
    ['a doubtful token', refusedByApns(400, 'BadDeviceToken'), { kind: 'token-doubtful', reason: 'BadDeviceToken' }],
    [
      'a message beyond the limits',
      refusedByApns(413, 'PayloadTooLarge'),
      { kind: 'failed', reason: 'PayloadTooLarge' },
    ],
    [
      'our key',
      refusedByApns(403, 'InvalidProviderToken'),
      { kind: 'credentials-error', reason: 'InvalidProviderToken' },
    ],
    [
      'too many for one device',
      refusedByApns(429, 'TooManyRequests', { 'retry-after': '60' }),
      { kind: 'retry', reason: 'TooManyRequests', notBefore: now + 60_000 },
    ],
    [
      'an error of its own',
      refusedByApns(500, 'InternalServerError', { 'retry-after': '60' }),
      { kind: 'retry', reason: 'InternalServerError', notBefore: now + 60_000 },
    ],
    ['another server that fails', { status: 502, body: HTML }, { kind: 'retry', reason: 'HTTP 502' }],
    ['another server that refuses', { status: 400, body: HTML }, { kind: 'failed', reason: 'HTTP 400' }],
  ],
  longest: { bytes: 65_537, reason: /^Unknown: .*longer than 65536 bytes/ },
  throttled: [
    {
      response: refusedByApns(503, 'ServiceUnavailable', { 'retry-after': '30' }),
      reason: 'ServiceUnavailable',
      seconds: 30,
    },
    { response: { status: 429, headers: { 'retry-after': '30' } }, reason: 'HTTP 429', seconds: 30 },
  ],
  throttledFor: (seconds) => refusedByApns(503, 'ServiceUnavailable', { 'retry-after': String(seconds) }),
  tokenRefusals: [
    {
      response: refusedByApns(403, 'ExpiredProviderToken'),
      reason: 'ExpiredProviderToken',
      final: { kind: 'retry', reason: 'ExpiredProviderToken' },
    },
  ],
  replaceableAfterMs: 20 * 60_000,
  renewalFailed: 'APNs token renewal failed',
  cacheKey: /^apns:TEAM123456:ABC123DEFG:[0-9a-f]{16}$/,
  textsOf(body) {
    const { aps, text } = JSON.parse(body)
    return { title: aps.alert.title, body: aps.alert.body, extras: text }
  },
  emptyBytes: {
    body: bytesOf('{"aps":{"alert":{"body":""}}}'),
    extras: bytesOf('{"key":"","aps":{"alert":{"body":"é"}}}'),
  },
  unusable: [
    { ...ios, secret: Buffer.from('s3cr3t') },
    { ...ios, settings: { ...ios.settings, bundle: 'zpráva' } },
    { ...ios, settings: { ...ios.settings, keyId: null } },
  ],
}

function refusedByFcm(status: number, code: string, headers = {}): Response {
  const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: code }]
  return { status, headers, body: { error: { code: status, message: code, status: code, details } } }
}
const android = CREDENTIALS.android
const FCM_NAME = 'projects/my-project/messages/'
const shownByFcm = bytesOf('bodynotification_priorityPRIORITY_HIGH')

const FCM: ScriptedProvider = {
  name: 'FCM',
  platform: 'android',
  credentials: android,
  ca,
  hasTokenEndpoint: true,
  start: startFcmWithTokens,
  open(address, { credentials: { settings, secret } = android, concurrency = 100, connections = 2, ...options } = {}) {
    return openFcmProvider({
      ...common(ca, options),
      account: readServiceAccount(settings, secret),
      baseUrl: address.url,
      tokenUrl: address.tokenUrl ?? 'https://localhost:1/token',
      ...(options.tokenTimeoutMs !== undefined && { tokenTimeoutMs: options.tokenTimeoutMs }),
      concurrency,
      connections,
      dataOnly: false,
      transport,
    })
  },
  environment: ({ url, tokenUrl = '' }) => ({ FCM_BASE_URL: url, FCM_TOKEN_URL: tokenUrl }),
  serve(push, dead = NONE) {
    const [token = ''] = push.tokens
    push.respond(dead.has(token) ? refusedByFcm(404, 'UNREGISTERED') : { body: { name: FCM_NAME + token } })
  },
  sent: ({ token }) => ({ kind: 'sent', id: FCM_NAME + token }),
  gone: { kind: 'token-gone', reason: 'UNREGISTERED' },
  responses: (now) => [
    ['success', { body: { name: `${FCM_NAME}1` } }, { kind: 'sent', id: `${FCM_NAME}1` }],
    [
      'a doubtful token',
      refusedByFcm(403, 'SENDER_ID_MISMATCH'),
      { kind: 'token-doubtful', reason: 'SENDER_ID_MISMATCH' },
    ],
    ['an invalid message', refusedByFcm(400, 'INVALID_ARGUMENT'), { kind: 'failed', reason: 'INVALID_ARGUMENT' }],
    ['an overload', refusedByFcm(503, 'UNAVAILABLE'), { kind: 'retry', reason: 'UNAVAILABLE' }],
    ['our account', refusedByFcm(403, 'PERMISSION_DENIED'), { kind: 'credentials-error', reason: 'PERMISSION_DENIED' }],
    [
      'an error of its own',
      refusedByFcm(500, 'INTERNAL', { 'retry-after': '60' }),
      { kind: 'retry', reason: 'INTERNAL', notBefore: now + 60_000 },
    ],
    ['another server that fails', { status: 502, body: HTML }, { kind: 'retry', reason: 'HTTP 502' }],
    ['another server that refuses', { status: 400, body: HTML }, { kind: 'failed', reason: 'HTTP 400' }],
    ['a success without a name', {}, { kind: 'failed', reason: 'NoMessageName' }],
  ],
  longest: { bytes: 65_537, reason: /^Unknown: .*longer than 65536 bytes/ },
  throttled: [
    {
      response: refusedByFcm(429, 'QUOTA_EXCEEDED', { 'retry-after': '30' }),
      reason: 'QUOTA_EXCEEDED',
      seconds: 30,
    },
    { response: refusedByFcm(429, 'RESOURCE_EXHAUSTED'), reason: 'RESOURCE_EXHAUSTED', seconds: 60 },
    { response: refusedByFcm(503, 'UNAVAILABLE', { 'retry-after': '30' }), reason: 'UNAVAILABLE', seconds: 30 },
  ],
  throttledFor: (seconds) => refusedByFcm(429, 'QUOTA_EXCEEDED', { 'retry-after': String(seconds) }),
  tokenRefusals: ['UNAUTHENTICATED', 'THIRD_PARTY_AUTH_ERROR'].map((reason) => ({
    response: refusedByFcm(401, reason),
    reason,
    final: { kind: 'credentials-error', reason },
  })),
  replaceableAfterMs: 60_000,
  renewalFailed: 'FCM access token request failed',
  cacheKey: /^fcm:my-project:push@my-project\.iam\.gserviceaccount\.com:[0-9a-f]{16}$/,
  textsOf(body) {
    const { android, data } = JSON.parse(body).message
    return { title: android.notification.title, body: android.notification.body, extras: data.text }
  },
  emptyBytes: { body: shownByFcm, extras: shownByFcm + bytesOf('ékey') },
  unusable: [
    { ...android, secret: Buffer.from('s3cr3t') },
    { ...android, settings: { projectId: null } },
    { ...android, settings: { projectId: 'elsewhere' } },
  ],
}

const HMS_SUCCESS = { code: '80000000', msg: 'Success', requestId: 'r' }
const huawei = CREDENTIALS.huawei
const hmsBytes = (body: object) =>
  bytesOf(
    withTokens(hmsPayload({ body, silent: false, priority: 'HIGH' }, { dataOnly: false, appId: 'my-app', now: 0 }), []),
  ) - '[]'.length

const HMS: ScriptedProvider = {
  name: 'HMS',
  platform: 'huawei',
  credentials: huawei,
  ca: hmsCa,
  hasTokenEndpoint: true,
  start: startHms,
  open(address, { credentials: { settings, secret } = huawei, concurrency = 16, connections = 4, ...options } = {}) {
    return openHmsProvider({
      ...common(hmsCa, options),
      ...readHmsCredentials(settings, secret),
      baseUrl: address.url,
      tokenUrl: address.tokenUrl ?? 'https://localhost:1/token',
      ...(options.tokenTimeoutMs !== undefined && { tokenTimeoutMs: options.tokenTimeoutMs }),
      requestsInFlight: concurrency,
      ...(connections !== undefined && { connections }),
      dataOnly: false,
      appId: huawei.appId,
    })
  },
  environment: ({ url, tokenUrl = '' }) => ({ HMS_BASE_URL: url, HMS_TOKEN_URL: tokenUrl }),
  serve(push, dead = NONE) {
    const illegal = push.tokens.filter((token) => dead.has(token))
    const msg = JSON.stringify({ illegal_tokens: illegal })
    push.respond({ body: illegal.length > 0 ? { code: '80100000', msg, requestId: 'r' } : HMS_SUCCESS })
  },
  sent: () => ({ kind: 'sent', id: 'r' }),
  gone: { kind: 'token-gone', reason: '80100000 illegal token' },
  responses: (now) => [
    ['success', { body: HMS_SUCCESS }, { kind: 'sent', id: 'r' }],
    [
      'a doubtful token',
      { body: { code: '80300007', msg: 'All the tokens are invalid' } },
      { kind: 'token-doubtful', reason: '80300007 All the tokens are invalid' },
    ],
    [
      'an invalid message',
      { status: 400, body: { code: '80100003', msg: 'Illegal payload, badge' } },
      { kind: 'failed', reason: '80100003 Illegal payload, badge' },
    ],
    [
      'our application',
      { body: { code: '80300002', msg: 'No permission' } },
      { kind: 'credentials-error', reason: '80300002 No permission' },
    ],
    [
      'an error of its own',
      { body: { code: '81000001', msg: 'Inner Error.' }, headers: { 'retry-after': '60' } },
      { kind: 'retry', reason: '81000001 Inner Error.', notBefore: now + 60_000 },
    ],
    ['another server that fails', { status: 502, body: HTML }, { kind: 'retry', reason: 'HTTP 502' }],
    ['another server that refuses', { status: 400, body: HTML }, { kind: 'failed', reason: 'HTTP 400' }],
    ['another server that succeeds', { body: HTML }, { kind: 'retry', reason: 'Unknown: HTTP 200 without a code' }],
  ],
  longest: { bytes: 5 * 1024 * 1024, reason: /^Unknown: .*exceeded max size/ },
  throttled: [503, 429].map((status) => ({
    response: { status, headers: { 'retry-after': '30' } },
    reason: `HTTP ${status}`,
    seconds: 30,
  })),
  throttledFor: (seconds) => ({ status: 503, headers: { 'retry-after': String(seconds) } }),
  tokenRefusals: [
    { response: { status: 401 }, reason: 'HTTP 401', final: { kind: 'credentials-error', reason: 'HTTP 401' } },
    ...['80200001 Oauth authentication error', '80200003 Oauth token expired'].map((final): TokenRefusal => {
      const [code = '', msg] = final.split(/ (.*)/)
      return { response: { body: { code, msg } }, reason: code, final: { kind: 'credentials-error', reason: final } }
    }),
  ],
  replaceableAfterMs: 60_000,
  renewalFailed: 'HMS access token renewal failed',
  cacheKey: /^hms:[0-9a-f]{32}$/,
  textsOf(body) {
    const { android, data } = JSON.parse(body).message
    return { title: android.notification.title, body: android.notification.body, extras: JSON.parse(data).text }
  },
  emptyBytes: { body: hmsBytes({ body: 'x' }) - 1, extras: hmsBytes({ body: 'é', extras: { key: '' } }) },
  unusable: [
    { ...huawei, secret: Buffer.from('s3cr3t') },
    { ...huawei, settings: {} },
    { ...huawei, settings: { projectId: '1 2' } },
  ],
}

export const SCRIPTED_PROVIDERS: readonly ScriptedProvider[] = [APNS, FCM, HMS]
