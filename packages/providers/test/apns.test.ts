// The parts of the APNs provider that do no I/O: payload, headers, outcomes, credentials, times, turns.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import apn from '@parse/node-apn'
import { DOCUMENTED_BODY } from '@push-server/contract'
import t from 'tap'
import { authorizedSets } from '../src/oauth/authorized-headers.ts'
import { checkTopic, parseApnsKey, readApnsCredentials } from '../src/apns/credentials.ts'
import { apns } from '../src/apns/index.ts'
import { readResponse } from '../src/apns/response.ts'
import { baseEnvironment, environmentOf } from '../src/apns/environment.ts'
import { APNS_REASONS, apnsOutcome, endsConnection, isThrottled } from '../src/apns/outcome.ts'
import { apnsPayload, checkApnsPayload } from '../src/apns/payload.ts'
import { InvalidCredentials, type PushMessage } from '../src/index.ts'
import { retryAfterTime } from '../src/retry-after.ts'
import { transportOutcome } from '../src/transport-outcome.ts'
import { createSemaphore } from '../src/concurrency/semaphore.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000

const message = (body: PushMessage['body'], rest: Partial<PushMessage> = {}): PushMessage => ({
  body,
  silent: false,
  priority: 'HIGH',
  ...rest,
})
const build = (body: PushMessage['body'], rest: Partial<PushMessage> = {}) => {
  const { payload, headers } = apnsPayload(message(body, rest), 'com.example.app', NOW)
  return { payload: JSON.parse(payload.toString()), headers }
}

function refusalOf(act: () => unknown): Error {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was refused')
}

t.test('C-40 visible: the documented message becomes the documented payload', async (t) => {
  const { payload, headers } = build(DOCUMENTED_BODY)
  t.strictSame(payload, {
    aps: {
      badge: 3,
      alert: {
        'loc-key': 'balance.update.body',
        body: 'Your balance is now $745.00',
        title: 'Balance update',
        'title-loc-key': 'balance.update.title',
      },
      sound: 'default',
      category: 'balance-update',
      'thread-id': 'balance-update',
    },
    _comment: 'Any custom data.',
  })
  t.strictSame(headers, {
    'apns-topic': 'com.example.app',
    'apns-push-type': 'alert',
    'apns-priority': '10',
    'apns-expiration': String((NOW + 28 * DAY) / 1_000),
    'apns-collapse-id': 'balance-update',
  })
})

t.test('payloads', async (t) => {
  const cases: [name: string, message: PushMessage, payload: object][] = [
    ['text only', message({ body: 'Hello' }), { aps: { alert: { body: 'Hello' } } }],
    ['title only', message({ title: 'Hello' }), { aps: { alert: { title: 'Hello' } } }],
    [
      'C-42 localised, with arguments',
      message({ titleLocKey: 'title', titleLocArgs: ['a'], bodyLocKey: 'body', bodyLocArgs: ['b', 'c'] }),
      {
        aps: {
          alert: { 'title-loc-key': 'title', 'title-loc-args': ['a'], 'loc-key': 'body', 'loc-args': ['b', 'c'] },
        },
      },
    ],
    [
      'arguments without a key',
      message({ title: 'T', titleLocArgs: ['a'], bodyLocKey: '', bodyLocArgs: ['b'] }),
      { aps: { alert: { title: 'T', 'loc-key': '' } } },
    ],
    ['C-42 a badge of 0 clears', message({ badge: 0 }), { aps: { badge: 0 } }],
    ['nothing to show', message({ title: null, badge: null }), { aps: {} }],
    ['nothing but data', message({ extras: { a: 1 } }), { a: 1, aps: {} }],
    [
      'C-41 silent',
      message({ ...DOCUMENTED_BODY }, { silent: true }),
      { aps: { 'content-available': 1, badge: 3, 'thread-id': 'balance-update' }, _comment: 'Any custom data.' },
    ],
    [
      'C-43 nulls in extras: dropped at the top, kept inside',
      message({ extras: { gone: null, kept: { inner: null, list: [null, 1] }, no: false, zero: 0, empty: '' } }),
      { kept: { inner: null, list: [null, 1] }, no: false, zero: 0, empty: '', aps: {} },
    ],
    ['an empty collapse key is none', message({ body: 'x', collapseKey: '' }), { aps: { alert: { body: 'x' } } }],
    ['extras cannot replace aps', message({ body: 'x', extras: { aps: 1 } }), { aps: { alert: { body: 'x' } } }],
  ]
  for (const [name, given, payload] of cases) t.strictSame(build(given.body, given).payload, payload, name)
})

t.test('C-46 priority and push type', async (t) => {
  const cases = [
    [{ silent: false, priority: 'HIGH' }, 'alert', '10'],
    [{ silent: false, priority: 'NORMAL' }, 'alert', '5'],
    [{ silent: true, priority: 'HIGH' }, 'background', '5'],
    [{ silent: true, priority: 'NORMAL' }, 'background', '5'],
  ] as const
  for (const [given, type, priority] of cases) {
    const { headers } = build({ body: 'x' }, given)
    t.equal(headers['apns-push-type'], type, JSON.stringify(given))
    t.equal(headers['apns-priority'], priority, JSON.stringify(given))
  }
})

t.test('C-45 expiration', async (t) => {
  const cases: [name: string, validUntil: number | undefined, seconds: number][] = [
    ['absent: 28 days, by the hour', undefined, (NOW + 28 * DAY) / 1_000],
    ['past: one attempt', NOW - 1, 0],
    ['now: one attempt', NOW, 0],
    ['near', NOW + 90_500, NOW / 1_000 + 90],
    ['beyond 28 days: capped', NOW + 29 * DAY, (NOW + 28 * DAY) / 1_000],
  ]
  for (const [name, validUntil, seconds] of cases) {
    t.equal(build({ body: 'x' }, { validUntil }).headers['apns-expiration'], String(seconds), name)
  }
})

t.test('C-44 a collapse key that no header can carry is represented by its hash, the thread by itself', async (t) => {
  const unsafe = ['platební příkaz', 'two\nlines', ' padded', 'padded ', 'tab\there']
  const ids = unsafe.map((collapseKey) => {
    const { headers, payload } = build({ body: 'x', collapseKey })
    t.equal(payload.aps['thread-id'], collapseKey)
    return headers['apns-collapse-id'] ?? ''
  })
  for (const id of ids) t.match(id, /^[0-9a-f]{64}$/)
  t.equal(new Set(ids).size, unsafe.length)
  t.equal(build({ collapseKey: 'a b:c/d' }).headers['apns-collapse-id'], 'a b:c/d')
  t.equal(build({}).headers['apns-collapse-id'], undefined)
})

t.test('what node-apn would make of the same notification', async (t) => {
  const own = new apn.Notification({
    topic: 'com.example.app',
    pushType: 'alert',
    priority: 10,
    expiry: (NOW + 28 * DAY) / 1_000,
    collapseId: 'balance-update',
    title: DOCUMENTED_BODY.title,
    titleLocKey: DOCUMENTED_BODY.titleLocKey,
    body: DOCUMENTED_BODY.body,
    locKey: DOCUMENTED_BODY.bodyLocKey,
    badge: 3,
    sound: 'default',
    category: 'balance-update',
    threadId: 'balance-update',
    payload: { _comment: 'Any custom data.' },
  })
  const { payload, headers } = build(DOCUMENTED_BODY)
  t.strictSame(payload, JSON.parse(own.compile()))
  t.strictSame(headers, Object.fromEntries(Object.entries(own.headers()).map(([name, value]) => [name, String(value)])))
})

t.test('extras that would replace aps are named before they are sent', async (t) => {
  t.strictSame(checkApnsPayload(message({ extras: { aps: null } })), [
    { field: 'body.extras', hint: 'extras for ios must not have a member named "aps"' },
  ])
})

t.test('C-47 what each rejection reason means', async (t) => {
  const byKind = Object.groupBy(APNS_REASONS, ([, , kind]) => kind)
  const reasonsOf = (kind: keyof typeof byKind) => byKind[kind]?.map(([, reason]) => reason).sort()
  t.strictSame(reasonsOf('token-gone'), ['ExpiredToken', 'Unregistered'])
  t.strictSame(reasonsOf('token-doubtful'), ['BadDeviceToken', 'DeviceTokenNotForTopic'])
  t.strictSame(reasonsOf('credentials-error'), [
    'BadCertificate',
    'BadCertificateEnvironment',
    'BadEnvironmentKeyIdInToken',
    'BadEnvironmentKeyInToken',
    'BadTopic',
    'Forbidden',
    'InvalidProviderToken',
    'MissingProviderToken',
    'MissingTopic',
    'TopicDisallowed',
    'UnrelatedKeyIdInToken',
  ])
  t.strictSame(reasonsOf('retry'), [
    'ExpiredProviderToken',
    'IdleTimeout',
    'InternalServerError',
    'ServiceUnavailable',
    'Shutdown',
    'TooManyProviderTokenUpdates',
    'TooManyRequests',
  ])
  t.strictSame(reasonsOf('failed'), [
    'BadCollapseId',
    'BadExpirationDate',
    'BadMessageId',
    'BadPath',
    'BadPriority',
    'DuplicateHeaders',
    'InvalidPushType',
    'MethodNotAllowed',
    'MissingDeviceToken',
    'PayloadEmpty',
    'PayloadTooLarge',
  ])
  for (const [status, reason, kind] of APNS_REASONS) {
    t.strictSame(apnsOutcome({ status, reason }, NOW), { kind, reason }, `${status} ${reason}`)
  }
})

t.test('outcomes beyond the table', async (t) => {
  const cases: [response: Parameters<typeof apnsOutcome>[0], outcome: object][] = [
    [
      { status: 200, id: 'A1' },
      { kind: 'sent', id: 'A1' },
    ],
    [{ status: 200 }, { kind: 'sent' }],
    [
      { status: 410, reason: 'Unregistered', timestamp: NOW - DAY },
      { kind: 'token-gone', reason: 'Unregistered', since: NOW - DAY },
    ],
    [
      { status: 400, reason: 'BadDeviceToken', timestamp: NOW },
      { kind: 'token-doubtful', reason: 'BadDeviceToken' },
    ],
    [
      { status: 410, reason: 'SomethingNew', timestamp: NOW },
      { kind: 'failed', reason: 'SomethingNew' },
    ],
    [{ status: 410 }, { kind: 'failed', reason: 'HTTP 410' }],
    [
      { status: 400, reason: '' },
      { kind: 'failed', reason: 'HTTP 400' },
    ],
    [
      { status: 400, reason: 'x'.repeat(1_000) },
      { kind: 'failed', reason: 'x'.repeat(100) },
    ],
    [
      { status: 429, reason: 'TooManyRequests', retryAfter: '3' },
      { kind: 'retry', reason: 'TooManyRequests', notBefore: NOW + 3_000 },
    ],
    [
      { status: 503, reason: 'ServiceUnavailable', retryAfter: 'soon' },
      { kind: 'retry', reason: 'ServiceUnavailable' },
    ],
    [
      { status: 502, retryAfter: '1' },
      { kind: 'retry', reason: 'HTTP 502', notBefore: NOW + 1_000 },
    ],
    [{ status: 429 }, { kind: 'retry', reason: 'HTTP 429' }],
  ]
  for (const [response, outcome] of cases) t.strictSame(apnsOutcome(response, NOW), outcome, JSON.stringify(response))
})

t.test('reading a response', async (t) => {
  const responseOf = (status: number, body: string, headers = {}) =>
    readResponse({ kind: 'response', status, headers, body })
  t.strictSame(responseOf(200, '', { 'apns-id': 'A1' }), { status: 200, id: 'A1' })
  t.strictSame(responseOf(410, '{"reason":"Unregistered","timestamp":1700000000000}', { 'retry-after': '7' }), {
    status: 410,
    retryAfter: '7',
    reason: 'Unregistered',
    timestamp: 1_700_000_000_000,
  })
  for (const body of [
    '<html>Bad gateway</html>',
    '',
    'null',
    '[]',
    '{"reason":1,"timestamp":"2026"}',
    '{"timestamp":1.5}',
  ]) {
    const { reason, timestamp } = responseOf(502, body)
    t.strictSame([reason, timestamp], [undefined, undefined], body)
  }
})

t.test('a request without a response is retried, and the reason says whether it may have been delivered', async (t) => {
  t.strictSame(
    (['unsent', 'unknown', 'timeout'] as const).map((kind) => transportOutcome({ kind, reason: 'why' })),
    [
      { kind: 'retry', reason: 'Unsent: why', unsent: true },
      { kind: 'retry', reason: 'Unknown: why' },
      { kind: 'retry', reason: 'Timeout: why' },
    ],
  )
})

t.test('responses that are about more than their own push', async (t) => {
  const cases: [status: number, reason: string | undefined, isThrottled: boolean, endsConnection: boolean][] = [
    [200, undefined, false, false],
    [429, 'TooManyRequests', false, false],
    [429, 'TooManyProviderTokenUpdates', false, true],
    [429, 'NewReason', true, false],
    [429, undefined, true, false],
    [503, 'ServiceUnavailable', true, false],
    [503, 'Shutdown', false, true],
    [503, undefined, true, false],
    [400, 'IdleTimeout', false, true],
    [403, 'UnrelatedKeyIdInToken', false, true],
    [403, 'InvalidProviderToken', false, false],
    [500, 'InternalServerError', false, false],
  ]
  for (const [status, reason, slow, ends] of cases) {
    const name = `${status} ${reason}`
    t.equal(isThrottled({ status, reason }), slow, `${name}: fewer pushes`)
    t.equal(endsConnection({ status, reason }), ends, `${name}: another connection`)
  }
})

t.test('Retry-After', async (t) => {
  const at = Date.UTC(1994, 10, 6, 8, 49, 37)
  const cases: [value: string | undefined, now: number, time: number | undefined][] = [
    ['120', NOW, NOW + 120_000],
    [' 0 ', NOW, NOW],
    ['99999999999999999999', NOW, NOW + DAY],
    ['Sun, 06 Nov 1994 08:49:37 GMT', at - 5_000, at],
    ['Sunday, 06-Nov-94 08:49:37 GMT', at - 5_000, at],
    ['Sun Nov  6 08:49:37 1994', at - 5_000, at],
    ['Sun, 06 Nov 1994 08:49:37 GMT', NOW, NOW],
    ['Sun, 06 Nov 2094 08:49:37 GMT', NOW, NOW + DAY],
    ['Sun, what GMT', NOW, undefined],
    ['-5', NOW, undefined],
    ['1.5', NOW, undefined],
    ['12 GMT', NOW, undefined],
    ['', NOW, undefined],
    [undefined, NOW, undefined],
  ]
  for (const [value, now, time] of cases) t.equal(retryAfterTime(value, now), time, String(value))
})

/** Keys on P-256 whose halves do not belong together. In 138 bytes the private part begins at 36, the point is the last 64. */
function spoiledKeys(key: KeyObject): [name: string, pem: string, message: RegExp][] {
  const whole = key.export({ type: 'pkcs8', format: 'der' })
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'der',
  })
  const spoiled = (change: (der: Buffer) => unknown) => {
    const der = Buffer.from(whole)
    change(der)
    return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
  }
  const point = whole.length - 64
  const message = /its public part does not belong to its private part/
  return [
    ['a point beside the curve', spoiled((der) => der.writeUInt8(der.readUInt8(point + 63) ^ 1, point + 63)), message],
    ['a point beyond the field', spoiled((der) => der.fill(0xff, point)), message],
    ['a point in no format', spoiled((der) => der.writeUInt8(5, point - 1)), message],
    ['the point of another key', spoiled((der) => stranger.copy(der, point, point)), message],
    ['another private part', spoiled((der) => stranger.copy(der, 36, 36, 68)), message],
    ['a private part of zero', spoiled((der) => der.fill(0, 36, 68)), message],
  ]
}

t.test('keys', async (t) => {
  const pem = { type: 'pkcs8', format: 'pem' } as const
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const good = privateKey.export(pem).toString()
  t.equal(parseApnsKey(Buffer.from(good)).asymmetricKeyType, 'ec')
  t.equal(parseApnsKey(Buffer.from(good.replaceAll('\n', '\r\n'))).asymmetricKeyType, 'ec')

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const body = good.split('\n')[1] ?? ''
  const cases: [name: string, pem: string | Buffer, message: RegExp][] = [
    ['PKCS#1', rsa.export({ type: 'pkcs1', format: 'pem' }), /must be PKCS#8 .* holds "RSA PRIVATE KEY"/],
    ['SEC1', privateKey.export({ type: 'sec1', format: 'pem' }), /must be PKCS#8 .* holds "EC PRIVATE KEY"/],
    ['a public key', publicKey.export({ type: 'spki', format: 'pem' }), /holds "PUBLIC KEY"/],
    [
      'an encrypted key',
      privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'x' }),
      /holds "ENCRYPTED PRIVATE KEY"/,
    ],
    ['RSA', rsa.export(pem), /elliptic curve key, this one is "rsa"/],
    ['P-384', p384.export(pem), /on the curve P-256, this one is on "secp384r1"/],
    ['DER', privateKey.export({ type: 'pkcs8', format: 'der' }), /not a PEM file/],
    ['garbage', 'garbage', /not a PEM file/],
    ['nothing', '', /not a PEM file/],
    ['a damaged key', good.replace(body, body.slice(0, 20)), /damaged: its PEM content/],
    ...spoiledKeys(privateKey),
  ]
  const settings = { bundle: 'com.example.app', keyId: 'K', teamId: 'T' }
  t.doesNotThrow(() => apns.verify({ settings, secret: Buffer.from(good) }))
  for (const [name, given, expected] of cases) {
    const error = refusalOf(() => apns.verify({ settings, secret: Buffer.from(given) }))
    t.ok(error instanceof InvalidCredentials, name)
    t.match(error.message, expected, name)
    t.notOk(error.message.includes(body.slice(0, 20)), `${name}: nothing of the key is shown`)
  }
})

t.test('credentials as stored', async (t) => {
  const settings = { bundle: 'com.example.app', keyId: 'K', teamId: 'T', environment: 'Development' }
  t.strictSame(readApnsCredentials(settings, Buffer.from('pem')), {
    bundle: 'com.example.app',
    keyId: 'K',
    teamId: 'T',
    environment: 'development',
    privateKey: 'pem',
  })
  for (const environment of [null, '', 'staging']) {
    t.equal(readApnsCredentials({ ...settings, environment }, Buffer.from('')).environment, null)
  }
  for (const name of ['bundle', 'keyId', 'teamId']) {
    for (const value of ['', null]) {
      const lacking = () => readApnsCredentials({ ...settings, [name]: value }, Buffer.from(''))
      t.throws(lacking, { name: 'InvalidCredentials', message: `APNs credentials lack "${name}"` })
    }
  }
  t.throws(() => checkTopic('com.example\n.app'), { name: 'InvalidCredentials' })
})

t.test('environments', async (t) => {
  t.equal(baseEnvironment(null, false), 'production')
  t.equal(baseEnvironment(null, true), 'development')
  t.equal(baseEnvironment('production', true), 'production')
  t.equal(baseEnvironment('development', false), 'development')
  const cases = [
    [undefined, 'production', 'production'],
    [undefined, 'development', 'development'],
    ['production', 'production', 'production'],
    ['production', 'development', 'production'],
    ['development', 'development', 'development'],
    ['development', 'production', undefined],
  ] as const
  for (const [device, base, chosen] of cases) t.equal(environmentOf(device, base), chosen, `${device} on ${base}`)
})

t.test('a semaphore', async (t) => {
  const items = (...names: string[]) => names.map((name) => ({ name }))
  const { signal } = new AbortController()

  t.test('lets chunks take turns', async (t) => {
    const semaphore = createSemaphore(() => 2)
    const log: string[] = []
    const open: (() => void)[] = []
    const start = ({ name }: { name: string }, done: () => void) => {
      log.push(name)
      open.push(done)
    }
    const large = semaphore.startAll({ items: items('a1', 'a2', 'a3', 'a4'), signal, start })
    const small = semaphore.startAll({ items: items('b1', 'b2'), signal, start })
    t.strictSame(log, ['a1', 'a2'])
    for (const done of open) done()
    t.strictSame(log, ['a1', 'a2', 'a3', 'b1', 'a4', 'b2'])
    await Promise.all([large, small])
  })

  t.test('goes on at once after what is done at once', async (t) => {
    const log: string[] = []
    const many = Array.from({ length: 20_000 }, (_, index) => ({ name: String(index) }))
    await createSemaphore(() => 1).startAll({
      items: many,
      signal,
      start({ name }, done) {
        log.push(name)
        done()
      },
    })
    t.strictSame(
      log,
      many.map(({ name }) => name),
    )
  })

  t.test('starts nothing after an abort, and ends with what is in flight', async (t) => {
    const semaphore = createSemaphore(() => 1)
    const controller = new AbortController()
    const log: string[] = []
    let finish = () => {}
    let ended = false
    const started = semaphore.startAll({
      items: items('a1', 'a2'),
      signal: controller.signal,
      start({ name }, done) {
        log.push(name)
        finish = done
      },
    })
    void started.then(() => (ended = true))
    controller.abort()
    await Promise.resolve()
    t.equal(ended, false)
    finish()
    await started
    t.strictSame(log, ['a1'])

    // The slot is free again, and an aborted or empty batch takes none.
    const none = () => t.fail('started')
    await semaphore.startAll({ items: items('c1'), signal: controller.signal, start: none })
    await semaphore.startAll({ items: [], signal, start: none })
    await semaphore.startAll({ items: items('d1'), signal, start: (_, done) => done() })
  })
})

t.test('messages with equal headers share one set of them, as long as the token stays', async (t) => {
  const token = (value: string) => ({ value, issuedAt: 0, expiresAt: NOW })
  const setOf = authorizedSets('bearer')
  const first = setOf({ 'apns-priority': '10' })(token('a'))
  t.same(first, { 'apns-priority': '10', authorization: 'bearer a' })
  t.equal(setOf({ 'apns-priority': '10' })(token('a')), first)
  t.same(setOf({ 'apns-priority': '5' })(token('a')), { 'apns-priority': '5', authorization: 'bearer a' })
  t.same(setOf({ 'apns-priority': '10' })(token('b')), { 'apns-priority': '10', authorization: 'bearer b' })
  for (let n = 0; n < 200; n++) t.equal(setOf({ n: String(n) })(token('a'))['n'], String(n), 'however many there are')
})
