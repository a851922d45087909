// The parts of the FCM provider that do no I/O: payload, outcomes, responses, service accounts.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { DOCUMENTED_BODY } from '@push-server/contract'
import { readConfig } from '@push-server/runtime'
import t from 'tap'
import { readResponse } from '../src/fcm/response.ts'
import { certify, readServiceAccount } from '../src/fcm/credentials.ts'
import { FCM_ERRORS, fcmOutcome, installationOutcome, isThrottled, type FcmResponse } from '../src/fcm/outcome.ts'
import { fcmBody, fcmPayload } from '../src/fcm/payload.ts'
import { refusedOutcome } from '../src/fcm/refused-outcome.ts'
import { fcm } from '../src/fcm/index.ts'
import { InvalidCredentials, type PushMessage } from '../src/index.ts'
import { TokenRefused, TokenUnavailable } from '../src/oauth/token-endpoint.ts'
import { tokenOutcome } from '../src/oauth/token-outcome.ts'
import { createTokenSource } from '../src/token-source.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
const HOUR = 3_600_000

const message = (body: PushMessage['body'], rest: Partial<PushMessage> = {}): PushMessage => ({
  body,
  silent: false,
  priority: 'HIGH',
  ...rest,
})
const FID = 'cWzL1yRkQ0mN0a9JcH7v2E'
const document = (given: PushMessage, dataOnly = false, token = 'T') =>
  JSON.parse(fcmBody(fcmPayload(given, { now: NOW, dataOnly }), { token }).toString())

const NOTIFICATION = {
  title: 'Balance update',
  body: 'Your balance is now $745.00',
  icon: 'custom-icon',
  sound: 'default',
  tag: 'balance-update',
  body_loc_key: 'balance.update.body',
  title_loc_key: 'balance.update.title',
  notification_priority: 'PRIORITY_HIGH',
  notification_count: 3,
}

t.test('the documented message becomes the documented request', async (t) => {
  t.strictSame(document(message(DOCUMENTED_BODY, { validUntil: NOW + HOUR })), {
    message: {
      token: 'T',
      data: { _comment: 'Any custom data.' },
      android: { collapse_key: 'balance-update', priority: 'HIGH', ttl: '3600s', notification: NOTIFICATION },
    },
  })
})

t.test('requests', async (t) => {
  const HIGH = { notification_priority: 'PRIORITY_HIGH' }
  const cases: [name: string, given: PushMessage, rest: object][] = [
    ['text only', message({ body: 'x' }), { android: { priority: 'HIGH', notification: { body: 'x', ...HIGH } } }],
    [
      'normal priority',
      message({ body: 'x' }, { priority: 'NORMAL' }),
      {
        android: { priority: 'NORMAL', notification: { body: 'x', notification_priority: 'PRIORITY_DEFAULT' } },
      },
    ],
    [
      'localised, with arguments',
      message({ titleLocKey: 'title', titleLocArgs: ['a'], bodyLocKey: 'body', bodyLocArgs: ['b', 'c'] }),
      {
        android: {
          priority: 'HIGH',
          notification: {
            title_loc_key: 'title',
            title_loc_args: ['a'],
            body_loc_key: 'body',
            body_loc_args: ['b', 'c'],
            ...HIGH,
          },
        },
      },
    ],
    [
      'arguments without a key',
      message({ title: 'T', titleLocArgs: ['a'], bodyLocKey: '', bodyLocArgs: ['b'] }),
      { android: { priority: 'HIGH', notification: { title: 'T', body_loc_key: '', ...HIGH } } },
    ],
    [
      'a badge of 0',
      message({ badge: 0 }),
      { android: { priority: 'HIGH', notification: { ...HIGH, notification_count: 0 } } },
    ],
    [
      'an empty collapse key is none',
      message({ collapseKey: '' }),
      { android: { priority: 'HIGH', notification: HIGH } },
    ],
    [
      'silent: data only, and still urgent',
      message(DOCUMENTED_BODY, { silent: true }),
      { data: { _comment: 'Any custom data.' }, android: { collapse_key: 'balance-update', priority: 'HIGH' } },
    ],
    ['silent, without data', message({ extras: {} }, { silent: true }), { android: { priority: 'HIGH' } }],
    [
      'extras: texts as they are, anything else as JSON, nulls at the top not at all',
      message({
        extras: {
          text: 'a "b"',
          empty: '',
          number: 1.5,
          no: false,
          list: [null, 1],
          object: { inner: null, a: '=1' },
          gone: null,
        },
      }),
      {
        data: {
          text: 'a "b"',
          empty: '',
          number: '1.5',
          no: 'false',
          list: '[null,1]',
          object: '{"inner":null,"a":"=1"}',
        },
        android: { priority: 'HIGH', notification: HIGH },
      },
    ],
    [
      'a member of extras with a name that JavaScript takes for special',
      message({ extras: JSON.parse('{"__proto__":"p"}') }),
      { data: JSON.parse('{"__proto__":"p"}'), android: { priority: 'HIGH', notification: HIGH } },
    ],
  ]
  for (const [name, given, rest] of cases) t.strictSame(document(given), { message: { token: 'T', ...rest } }, name)
})

t.test('as data only, the notification is left to the mobile application', async (t) => {
  for (const silent of [false, true]) {
    const { data, android } = document(message(DOCUMENTED_BODY, { silent }), true).message
    t.strictSame(android, { collapse_key: 'balance-update', priority: 'HIGH' })
    t.equal(data['_comment'], 'Any custom data.')
    t.strictSame(JSON.parse(data['_notification']), NOTIFICATION)
  }
  const { data } = document(message({ title: 'real', extras: { _notification: 'forged' } }), true).message
  t.equal(JSON.parse(data['_notification']).title, 'real')
})

t.test('time to live', async (t) => {
  const cases: [name: string, validUntil: number | undefined, ttl: string | undefined][] = [
    ['absent: the longest, which is left to FCM', undefined, undefined],
    ['past: now or never', NOW - 1, '0s'],
    ['now', NOW, '0s'],
    ['within the second', NOW + 999, '0s'],
    ['an hour', NOW + HOUR, '3600s'],
    ['broken seconds', NOW + 90_500, '90s'],
    ['beyond 28 days: capped', NOW + 29 * DAY, '2419200s'],
  ]
  for (const [name, validUntil, ttl] of cases) {
    const { android } = document(message({ body: 'x' }, { ...(validUntil !== undefined && { validUntil }) })).message
    t.equal(android.ttl, ttl, name)
    t.equal('ttl' in android, ttl !== undefined, name)
  }
})

t.test('any token fits into the request', async (t) => {
  const payload = fcmPayload(message({ title: 'žluťoučký 🐎', body: '\u2028' }), { now: NOW, dataOnly: false })
  for (const token of ['c:APA91b_-', '"},"android":{"ttl":"0s"},"x":{"y":"', 'back\\slash', 'řeč', '\ud800', '']) {
    const { message } = JSON.parse(fcmBody(payload, { token }).toString())
    t.equal(message.token, token)
    t.strictSame(Object.keys(message), ['android', 'token'])
    t.equal(message.android.notification.title, 'žluťoučký 🐎')
  }
})

t.test('what FCM would refuse is named before it is sent', async (t) => {
  const check = (given: PushMessage) => fcm.check(given, { config: readConfig({}), appId: 'my-app', now: NOW })
  const list = message({ bodyLocKey: 'k', bodyLocArgs: Array.from({ length: 50 }, () => 'x'.repeat(100)) })
  t.equal(check(list).length, 1, 'arguments count')

  const reserved = ['from', 'message_type', 'gcm', 'gcm.n.e', 'google.', 'google.sent_time']
  for (const key of reserved) {
    t.strictSame(check(message({ extras: { [key]: null } }, { silent: true })), [
      { field: 'body.extras', hint: `extras for android must not have a member named "${key}": FCM reserves it` },
    ])
  }
  const free = ['From', 'fromDate', 'googlePay', 'gcmToken', 'collapse_key', 'aps', '_notification']
  t.strictSame(check(message({ extras: Object.fromEntries(free.map((key) => [key, 1])) })), [])

  // As data the notification is JSON in a text, which FCM counts with its quotes.
  const quoted = message({ title: 'T', body: '"'.repeat(2_100) })
  t.strictSame(check(quoted), [], 'shown by Android')
  const { data } = document(quoted, true).message
  const bytes = Buffer.byteLength(`_notification${data['_notification']}`)
  t.strictSame(fcm.check(quoted, { config: readConfig({ FCM_DATA_ONLY: 'true' }), appId: 'my-app', now: NOW }), [
    { field: 'body', hint: `payload for android has ${bytes} bytes, the limit is 4096` },
  ])
})

t.test('what each code means', async (t) => {
  const byKind = Object.groupBy(FCM_ERRORS, ([, , kind]) => kind)
  const codesOf = (kind: keyof typeof byKind) => byKind[kind]?.map(([, code]) => code).sort()
  t.strictSame(codesOf('token-gone'), ['UNREGISTERED'])
  t.strictSame(codesOf('token-doubtful'), ['SENDER_ID_MISMATCH'])
  t.strictSame(codesOf('token-refused'), ['APNS_AUTH_ERROR', 'THIRD_PARTY_AUTH_ERROR', 'UNAUTHENTICATED'])
  t.strictSame(codesOf('credentials-error'), ['NOT_FOUND', 'PERMISSION_DENIED'])
  t.strictSame(codesOf('failed'), ['FAILED_PRECONDITION', 'INVALID_ARGUMENT'])
  t.strictSame(codesOf('retry'), [
    'ABORTED',
    'DEADLINE_EXCEEDED',
    'INTERNAL',
    'QUOTA_EXCEEDED',
    'RESOURCE_EXHAUSTED',
    'UNAVAILABLE',
    'UNSPECIFIED_ERROR',
  ])
  for (const [status, code, kind] of FCM_ERRORS) {
    const wait = status === 429 && { notBefore: NOW + 60_000 }
    t.strictSame(fcmOutcome({ status, errorCode: code }, NOW), { kind, reason: code, ...wait }, `${status} ${code}`)
    t.strictSame(fcmOutcome({ status, rpcStatus: code }, NOW), { kind, reason: code, ...wait }, `${code} as status`)
  }
})

const INVALID = { status: 400, errorCode: 'INVALID_ARGUMENT' } as const
const NOT_A_TOKEN = 'The registration token is not a valid FCM registration token'

t.test('outcomes beyond the table', async (t) => {
  const name = 'projects/p/messages/0:1500415314455276%31bd1c9631bd1c96'
  const cases: [response: FcmResponse, outcome: object][] = [
    [
      { status: 200, name },
      { kind: 'sent', id: name },
    ],
    [{ status: 200 }, { kind: 'failed', reason: 'NoMessageName' }],
    [
      { status: 200, name: 'welcome to the hotel network' },
      { kind: 'failed', reason: 'NoMessageName' },
    ],
    // About the token, or about the message.
    [
      { ...INVALID, message: NOT_A_TOKEN },
      { kind: 'token-doubtful', reason: 'INVALID_ARGUMENT' },
    ],
    [
      { ...INVALID, badFields: ['message.token'] },
      { kind: 'token-doubtful', reason: 'INVALID_ARGUMENT' },
    ],
    [
      { ...INVALID, badFields: ['message.token', 'message.android.ttl'], message: NOT_A_TOKEN },
      { kind: 'failed', reason: 'INVALID_ARGUMENT' },
    ],
    [
      { ...INVALID, badFields: ['message.data[0].value'], message: NOT_A_TOKEN },
      { kind: 'failed', reason: 'INVALID_ARGUMENT' },
    ],
    [
      { ...INVALID, message: 'Android message is too big' },
      { kind: 'failed', reason: 'INVALID_ARGUMENT' },
    ],
    [
      { status: 400, rpcStatus: 'INVALID_ARGUMENT', message: NOT_A_TOKEN },
      { kind: 'failed', reason: 'INVALID_ARGUMENT' },
    ],
    // FCM's own word goes before that of Google's APIs.
    [
      { status: 404, errorCode: 'UNREGISTERED', rpcStatus: 'NOT_FOUND' },
      { kind: 'token-gone', reason: 'UNREGISTERED' },
    ],
    [
      { status: 403, errorCode: 'SENDER_ID_MISMATCH', rpcStatus: 'PERMISSION_DENIED' },
      { kind: 'token-doubtful', reason: 'SENDER_ID_MISMATCH' },
    ],
    // Codes that are not in the table, and none.
    [
      { status: 400, errorCode: 'SOMETHING_NEW', rpcStatus: 'INVALID_ARGUMENT' },
      { kind: 'failed', reason: 'SOMETHING_NEW' },
    ],
    [
      { status: 503, errorCode: 'SOMETHING_NEW' },
      { kind: 'retry', reason: 'SOMETHING_NEW' },
    ],
    [
      { status: 400, errorCode: 'x'.repeat(1_000) },
      { kind: 'failed', reason: 'x'.repeat(100) },
    ],
    [{ status: 302 }, { kind: 'failed', reason: 'HTTP 302' }],
    [{ status: 401 }, { kind: 'token-refused', reason: 'HTTP 401' }],
    [{ status: 403 }, { kind: 'failed', reason: 'HTTP 403' }],
    [{ status: 404 }, { kind: 'credentials-error', reason: 'HTTP 404' }],
    [{ status: 429 }, { kind: 'retry', reason: 'HTTP 429', notBefore: NOW + 60_000 }],
    [{ status: 500 }, { kind: 'retry', reason: 'HTTP 500' }],
    [
      { status: 502, retryAfter: 'soon' },
      { kind: 'retry', reason: 'HTTP 502' },
    ],
    // Retry-After.
    [
      { status: 429, errorCode: 'QUOTA_EXCEEDED', retryAfter: '5' },
      { kind: 'retry', reason: 'QUOTA_EXCEEDED', notBefore: NOW + 5_000 },
    ],
    [
      { status: 503, errorCode: 'UNAVAILABLE', retryAfter: 'Thu, 01 Jan 2026 00:01:00 GMT' },
      { kind: 'retry', reason: 'UNAVAILABLE', notBefore: NOW + 60_000 },
    ],
    [
      { status: 404, errorCode: 'UNREGISTERED', retryAfter: '5' },
      { kind: 'token-gone', reason: 'UNREGISTERED' },
    ],
  ]
  for (const [response, outcome] of cases) t.strictSame(fcmOutcome(response, NOW), outcome, JSON.stringify(response))
})

t.test('what says that FCM wants fewer pushes of the project', async (t) => {
  const cases: [response: FcmResponse, isThrottled: boolean][] = [
    [{ status: 429 }, true],
    [{ status: 503, retryAfter: '5' }, true],
    [{ status: 429, retryAfter: '5', isDeviceQuota: true }, false],
    [{ status: 500, retryAfter: '5' }, false],
    [{ status: 404, errorCode: 'UNREGISTERED', retryAfter: '5' }, false],
    [{ status: 200, name: 'projects/p/messages/1' }, false],
  ]
  for (const [response, expected] of cases) t.equal(isThrottled(response), expected, JSON.stringify(response))
})

t.test('reading a response', async (t) => {
  const responseOf = (status: number, body: unknown, headers = {}) =>
    readResponse({
      kind: 'response',
      status,
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  t.strictSame(responseOf(200, { name: 'projects/p/messages/1' }), { status: 200, name: 'projects/p/messages/1' })

  const details = [
    { '@type': 'type.googleapis.com/google.rpc.Help', links: [] },
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: 'message.token', description: 'Invalid registration token' }, { field: 7 }, 'x'],
    },
    { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'INVALID_ARGUMENT' },
    { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'UNREGISTERED' },
  ]
  const error = { code: 400, message: 'What?', status: 'INVALID_ARGUMENT', details }
  t.strictSame(responseOf(400, { error }, { 'retry-after': '7' }), {
    status: 400,
    retryAfter: '7',
    errorCode: 'INVALID_ARGUMENT',
    rpcStatus: 'INVALID_ARGUMENT',
    message: 'What?',
    badFields: ['message.token', '', ''],
    isDeviceQuota: false,
  })

  const quota = (violations: unknown) => ({
    error: { details: [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations }] },
  })
  t.equal(responseOf(429, quota([{ subject: 'device:c:APA91b' }])).isDeviceQuota, true)
  t.equal(responseOf(429, quota([{ description: 'Device message rate exceeded' }])).isDeviceQuota, true)
  t.equal(responseOf(429, quota([{ subject: 'project:1', description: 'Message rate exceeded' }])).isDeviceQuota, false)
  t.equal(responseOf(429, quota('device')).isDeviceQuota, false)
})

t.test('a response that is not as documented does no harm', async (t) => {
  const nothing = {
    status: 400,
    retryAfter: undefined,
    errorCode: undefined,
    rpcStatus: undefined,
    message: undefined,
    badFields: [],
    isDeviceQuota: false,
  }
  const bodies = [
    '',
    '<html>Bad gateway</html>',
    'null',
    '"error"',
    '[]',
    '[{"error":{"status":"UNREGISTERED"}}]',
    '{"error":null}',
    '{"error":"UNREGISTERED"}',
    '{"error":{"status":404,"message":[],"details":{}}}',
    '{"error":{"details":[null,1,"x",[],{"@type":1},{"@type":"FcmError","errorCode":"UNREGISTERED"}]}}',
    '{"error":{"details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":{}}]}}',
    '{"error":{"details":[{"@type":"x/google.rpc.BadRequest","fieldViolations":{"field":"message.token"}}]}}',
  ]
  for (const body of bodies) {
    const response = readResponse({ kind: 'response', status: 400, headers: {}, body })
    t.strictSame(response, nothing, body)
    t.strictSame(fcmOutcome(response, NOW), { kind: 'failed', reason: 'HTTP 400' }, body)
    const { name } = readResponse({ kind: 'response', status: 200, headers: {}, body })
    t.equal(name, undefined, body)
  }
})

t.test('access tokens that cannot be had, or do not help', async (t) => {
  t.strictSame(tokenOutcome(new TokenRefused('invalid_grant')), {
    kind: 'credentials-error',
    reason: 'TokenRefused: invalid_grant',
  })
  t.strictSame(tokenOutcome(new TokenUnavailable('x'.repeat(200))), {
    kind: 'retry',
    reason: `TokenUnavailable: ${'x'.repeat(82)}`,
  })
  t.equal(tokenOutcome(new Error('the store is away')), undefined)

  const token = (value: string) => ({ value, issuedAt: NOW, expiresAt: NOW + HOUR })
  const target = { token: 'T', pushId: '', message: 0 }
  const inFlight = (isResent: boolean) => ({
    index: 0,
    target,
    prepared: undefined,
    token: token('old'),
    sentAt: 0,
    roundTrip: 0,
    isResent,
    isReconnected: false,
    done() {},
  })
  const refusal = { kind: 'token-refused', reason: 'UNAUTHENTICATED' } as const
  const cases = [
    ['no other token', false, { token: token('old') }, 'credentials-error'],
    ['repeated with another', true, { token: token('new') }, 'credentials-error'],
    ['another, and aborted', false, { token: token('new') }, 'retry'],
    ['refused a new one', false, { error: new TokenRefused('invalid_grant') }, 'credentials-error'],
    ['no endpoint', false, { error: new TokenUnavailable('ECONNREFUSED') }, 'retry'],
    ['no cache', false, { error: new Error('the store is away') }, 'retry'],
  ] as const
  for (const [name, isResent, renewal, kind] of cases) {
    t.equal(refusedOutcome(inFlight(isResent), refusal, renewal).kind, kind, name)
  }
})

t.test('a token source does not use a look-up that began before a refusal', async (t) => {
  const stored = [
    { value: 'refused', issuedAt: NOW, expiresAt: NOW + HOUR },
    { value: 'other', issuedAt: NOW, expiresAt: NOW + HOUR },
  ]
  let lookups = 0
  const source = createTokenSource({
    tokens: {
      async take(_key, isFresh) {
        lookups++
        await Promise.resolve()
        const found = stored.find(isFresh)
        if (!found) throw new Error('there is none')
        return found
      },
    },
    cacheKey: 'key',
    isFresh: () => true,
    mint: () => Promise.reject(new Error('nobody mints here')),
  })
  const [refused] = stored
  if (!refused) throw new Error('nothing is stored')
  const taken = source.take()
  const renewed = await Promise.all([source.renew(refused), source.renew(refused)])
  t.equal((await taken).value, 'refused')
  t.strictSame(
    renewed.map(({ value }) => value),
    ['other', 'other'],
  )
  t.equal(lookups, 2)
})

function withForeignModulus(key: KeyObject): string {
  const { n } = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey.export({ format: 'jwk' })
  const spoiled = createPrivateKey({ key: { ...key.export({ format: 'jwk' }), n: n ?? '' }, format: 'jwk' })
  return spoiled.export({ type: 'pkcs8', format: 'pem' }).toString()
}

t.test('service accounts', async (t) => {
  const pkcs8 = { type: 'pkcs8', format: 'pem' } as const
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
  const pem = privateKey.export(pkcs8).toString()
  const file = {
    type: 'service_account',
    project_id: 'my-project',
    private_key_id: 'k1',
    private_key: pem,
    client_email: 'push@my-project.iam.gserviceaccount.com',
  }
  const settings = { projectId: 'my-project' }
  const read = (given: object | string, of: Record<string, string | null> = settings) =>
    readServiceAccount(of, Buffer.from(typeof given === 'string' ? given : JSON.stringify(given)))

  const foreign = Buffer.from(JSON.stringify({ ...file, client_email: 'caf\u00e9@example.com' }), 'latin1')
  t.throws(() => certify(foreign), { message: /not UTF-8/ }, 'bytes of another charset')

  const { key, ...account } = read(file)
  t.strictSame(account, {
    projectId: 'my-project',
    clientEmail: 'push@my-project.iam.gserviceaccount.com',
    keyId: 'k1',
  })
  t.ok(key.equals(privateKey))
  t.equal(read({ ...file, private_key_id: undefined }).keyId, undefined)
  t.ok(read({ ...file, private_key: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString() }))

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pkcs8).toString()
  const short = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export(pkcs8).toString()
  const line = pem.split('\n')[1] ?? ''
  const cases: [name: string, given: object | string, message: RegExp][] = [
    ['nothing', '', /not JSON/],
    ['a PEM file', pem, /not JSON/],
    ['half a file', JSON.stringify(file).slice(0, 400), /not JSON/],
    ['null', 'null', /"type" "service_account"|"project_id"/],
    ['a list', [file], /"type" "service_account"|must be an object/],
    ['a user’s credentials', { ...file, type: 'authorized_user' }, /"type" "service_account"/],
    ['no project', { ...file, project_id: undefined }, /"project_id"/],
    ['another project', { ...file, project_id: 'elsewhere' }, /another project/],
    ['no account', { ...file, client_email: '' }, /"client_email"/],
    ['no key', { ...file, private_key: 5 }, /"private_key"/],
    [
      'a key with its line ends escaped twice',
      { ...file, private_key: pem.replaceAll('\n', '\\n') },
      /damaged|Failed to parse private key/,
    ],
    [
      'a damaged key',
      { ...file, private_key: pem.replace(line, line.slice(0, 20)) },
      /damaged|Failed to parse private key/,
    ],
    [
      'a public key',
      { ...file, private_key: publicKey.export({ type: 'spki', format: 'pem' }).toString() },
      /damaged|Failed to parse private key/,
    ],
    [
      'a key whose halves do not belong together',
      { ...file, private_key: withForeignModulus(privateKey) },
      /its public part does not belong to its private part/,
    ],
    ['an elliptic curve key', { ...file, private_key: ec }, /must be an RSA key, this one is "ec"/],
    ['a short key', { ...file, private_key: short }, /2048 bits at least, this one has 1024/],
  ]
  for (const [name, given, expected] of cases) {
    const refused = () =>
      fcm.verify({ settings, secret: Buffer.from(typeof given === 'string' ? given : JSON.stringify(given)) })
    t.throws(refused, { name: 'InvalidCredentials', message: expected }, name)
    try {
      read(given)
    } catch (error) {
      t.ok(error instanceof InvalidCredentials, name)
      const reported = `${String(error)} ${String((error as Error).cause)}`
      for (const part of [line.slice(0, 20), 'gserviceaccount', 'elsewhere']) t.notOk(reported.includes(part), name)
    }
  }
  for (const projectId of ['', null]) t.throws(() => read(file, { projectId }), { message: /lack "projectId"/ })
  t.doesNotThrow(() => fcm.verify({ settings, secret: Buffer.from(JSON.stringify(file)) }))
})

t.test('an installation id is the target `fid`; whatever has not its format stays a token', async (t) => {
  const payload = fcmPayload(message({ title: 'T' }), { now: NOW, dataOnly: false })
  const targetOf = (token: string, tokenKind?: 'fid' | 'v3') => {
    const { message } = JSON.parse(fcmBody(payload, { token, ...(tokenKind && { tokenKind }) }).toString())
    return Object.fromEntries(Object.entries(message).filter(([name]) => name !== 'android'))
  }
  const cases: [token: string, kind: 'fid' | 'v3' | undefined, target: object][] = [
    [FID, 'fid', { fid: FID }],
    [FID, undefined, { token: FID }],
    [FID, 'v3', { token: FID }],
    [`${FID}:APA91b`, 'fid', { token: `${FID}:APA91b` }],
    ['c"},"token":"x', 'fid', { token: 'c"},"token":"x' }],
  ]
  for (const [token, kind, target] of cases) t.strictSame(targetOf(token, kind), target, `${kind} ${token}`)
})

t.test(
  'nothing in a message replaces its target: of two members of one name the last counts, and it is the last',
  async (t) => {
    const names = ['token', 'fid', 'topic', 'condition', 'name', 'validate_only', 'validateOnly']
    const extras = Object.fromEntries(names.map((name) => [name, 'other']))
    const payload = fcmPayload(message({ title: '"token":"other"', extras }), { now: NOW, dataOnly: false })
    for (const [target, member] of [
      [{ token: 'T' }, '"token":"T"'],
      [{ token: FID, tokenKind: 'fid' }, `"fid":"${FID}"`],
    ] as const) {
      const text = fcmBody(payload, target).toString()
      t.ok(text.endsWith(`,${member}}}`), text)
      t.strictSame(JSON.parse(text).message.data, extras, 'extras are data')
    }
  },
)

t.test(
  'what is said of an installation id: a young one is kept, a bare 404 is not about the credentials',
  async (t) => {
    const unregistered = { status: 404, errorCode: 'UNREGISTERED', rpcStatus: 'NOT_FOUND' }
    const cases: [response: FcmResponse, outcome: object][] = [
      [unregistered, { kind: 'token-gone', reason: 'UNREGISTERED', since: NOW - 86_400_000 }],
      [
        { status: 404, rpcStatus: 'NOT_FOUND' },
        { kind: 'token-doubtful', reason: 'NOT_FOUND' },
      ],
      [{ status: 404 }, { kind: 'token-doubtful', reason: 'HTTP 404' }],
      [
        { status: 400, errorCode: 'INVALID_ARGUMENT', badFields: ['message.fid'] },
        { kind: 'token-doubtful', reason: 'INVALID_ARGUMENT' },
      ],
      [
        { status: 400, errorCode: 'INVALID_ARGUMENT', badFields: ['message.fid', 'message.android.ttl'] },
        { kind: 'failed', reason: 'INVALID_ARGUMENT' },
      ],
      [
        { status: 403, rpcStatus: 'PERMISSION_DENIED' },
        { kind: 'credentials-error', reason: 'PERMISSION_DENIED' },
      ],
      [
        { status: 401, errorCode: 'UNAUTHENTICATED' },
        { kind: 'token-refused', reason: 'UNAUTHENTICATED' },
      ],
    ]
    for (const [response, outcome] of cases) t.strictSame(installationOutcome(response, NOW), outcome)
    t.equal(fcmOutcome({ status: 404, rpcStatus: 'NOT_FOUND' }, NOW).kind, 'credentials-error', 'of a token it is')
    t.strictSame(fcmOutcome(unregistered, NOW), { kind: 'token-gone', reason: 'UNREGISTERED' }, 'of a token at once')
  },
)
