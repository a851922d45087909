// the fakes of FCM and HMS seen by senders, over HTTP/2 and HTTP/1.1, and the phones behind them.
import { constants as cryptoConstants, sign, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:http2'
import { Agent } from 'node:https'
import t, { type Test } from 'tap'
import { PREFIXES, startSimulator, type SimulatorOptions } from '../src/index.ts'
import { IN_MISBEHAVIOUR } from './_client.ts'
import {
  askToken,
  bearer,
  EMAIL,
  FCM_PATH,
  fcmBearer,
  HMS_PATH,
  hmsBearer,
  hmsMessage,
  JWT_BEARER,
  makeAssertion,
  makeRsaKey,
  openFcm,
  post,
  sendFcm,
  sendHms,
  type FcmSender,
  type HmsSender,
} from './_senders.ts'

async function start(t: Test, options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ keep: Infinity, ...options })
  t.teardown(simulator.stop)
  return simulator
}

async function startFcm(t: Test, options: SimulatorOptions = {}) {
  const simulator = await start(t, options)
  const session = openFcm(simulator)
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  const sender: FcmSender = { session, authorization: await fcmBearer(simulator) }
  return { simulator, sender }
}

async function startHms(t: Test, options: SimulatorOptions = {}) {
  const simulator = await start(t, options)
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  t.teardown(() => agent.destroy())
  const sender: HmsSender = { endpoint: simulator.hms, authorization: await hmsBearer(simulator), agent }
  return { simulator, sender }
}

const TOKEN = 'dQw4w9WgXcQ:APA91bHPRgkFLJu6FeSjkZ3bYp8KqT7yZcVnR2mXwL5oUiE9aTsD0vGhJ1kNqB'
const MESSAGE = { token: TOKEN, android: { notification: { title: 'Balance', body: 'It is $745.00' } } }

/** An error of Google's: what a sender looks at. */
interface GoogleError {
  error: {
    code: number
    message: string
    status: string
    details: { '@type': string; errorCode?: string; fieldViolations?: { field?: string; description: string }[] }[]
  }
}
function readError(body: unknown) {
  const { error } = body as GoogleError
  const violations = error.details.flatMap(({ fieldViolations = [] }) => fieldViolations)
  const errorCode = error.details.find((detail) => detail['@type'].endsWith('fcm.v1.FcmError'))?.errorCode
  return { status: error.status, code: error.code, message: error.message, errorCode, violations }
}

t.test('FCM accepts, keeps and counts what is in order, over both versions of HTTP', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const { fcm } = simulator
  const first = await sendFcm(sender, { ...MESSAGE, data: { order: '7' } })
  t.match(first, { status: 200, body: { name: /^projects\/demo-project\/messages\/0:\d{16}%[0-9a-f]{16}$/ } })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const { authorization } = sender
  const body = JSON.stringify({ message: { ...MESSAGE, token: 'another' } })
  const second = await post(`${fcm.origin}${FCM_PATH}`, fcm.ca, { headers: { authorization }, body, agent })
  t.equal(second.status, 200)
  t.match(simulator.pushes, [
    {
      platform: 'android',
      projectId: 'demo-project',
      token: TOKEN,
      name: first.body['name'],
      headers: { authorization },
      payload: { android: MESSAGE.android, data: { order: '7' } },
    },
    { token: 'another', name: second.body['name'] },
  ])
  const [push] = simulator.pushes
  t.equal(push?.payload['token'], undefined, 'the token stands beside the payload')
  const counts = { received: 2, requests: 2, refused: 0, distinctTokens: 2, byStatus: { 200: 2 }, withoutResponse: 0 }
  t.same(simulator.stats().android, counts)
  t.match(simulator.stats(), { ios: { requests: 0 }, huawei: { requests: 0 } })

  const checked = await sendFcm(sender, JSON.stringify({ validate_only: true, message: MESSAGE }))
  t.match(checked, { status: 200, body: { name: 'projects/demo-project/messages/fake_message_id' } })
  t.equal(simulator.pushes.length, 2, 'what is only validated arrives nowhere')
})

t.test('FCM finds each error of a message', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const android = (android: object) => ({ ...MESSAGE, android })
  const parameters: [field: string | undefined, description: RegExp, message: unknown][] = [
    [undefined, /^Invalid JSON payload/, '{"message":'],
    [undefined, /Unknown name "mesage": Cannot find field/, JSON.stringify({ mesage: MESSAGE })],
    ['message', /Unknown name "notificaton" at 'message'/, { ...MESSAGE, notificaton: {} }],
    ['message.android', /Unknown name "tll"/, android({ tll: '3s' })],
    ['message.android.notification', /Unknown name "text"/, android({ notification: { text: 'x' } })],
    ['message', /^Invalid value at 'message' /, JSON.stringify({ message: [] })],
    ['message.data[1].value', /\(TYPE_STRING\), 12$/, { ...MESSAGE, data: { a: 'x', b: 12 } }],
    ['message.data[0].value', /\(TYPE_STRING\), null/, { ...MESSAGE, data: { a: null } }],
    ['message.android.data[0].value', /TYPE_STRING/, android({ data: { a: {} } })],
    ['message.android.ttl', /google\.protobuf\.Duration\), "3600"/, android({ ttl: '3600' })],
    ['message.android.ttl', /Duration\), 3600/, android({ ttl: 3600 })],
    ['message.android.priority', /AndroidMessagePriority\), "urgent"/, android({ priority: 'urgent' })],
    [
      'message.android.notification.notification_priority',
      /NotificationPriority\), "HIGH"/,
      android({ notification: { notification_priority: 'HIGH' } }),
    ],
    ['message.android.notification.body_loc_args[0]', /TYPE_STRING/, android({ notification: { body_loc_args: [1] } })],
    [
      'message.android.notification.notification_count',
      /TYPE_INT32/,
      android({ notification: { notification_count: 1.5 } }),
    ],
    ['message.android.notification.sticky', /TYPE_BOOL/, android({ notification: { sticky: 'yes' } })],
  ]
  for (const [field, description, message] of parameters) {
    const { status, body } = await sendFcm(sender, message)
    const error = readError(body)
    t.equal(status, 400)
    t.match(error, { code: 400, status: 'INVALID_ARGUMENT', violations: [{ description }] }, String(description))
    t.equal(error.violations[0]?.field, field)
    t.equal(error.errorCode, undefined, 'an error of format is not one of the token')
  }

  const content: [description: RegExp, message: unknown][] = [
    [/^Recipient of the message is not set/, { android: MESSAGE.android }],
    [/^Recipient of the message is not set/, { ...MESSAGE, token: '' }],
    [/^Recipient of the message is not set/, '{}'],
    [/^Invalid data payload key: from$/, { ...MESSAGE, data: { from: 'x' } }],
    [/^Invalid data payload key: google\.x$/, { ...MESSAGE, data: { 'google.x': 'x' } }],
    [/^Invalid data payload key: gcm\.x$/, android({ data: { 'gcm.x': 'x' } })],
    [/^TTL is not within/, android({ ttl: '2419201s' })],
    [/^Color is not/, android({ notification: { color: 'red' } })],
    [/too big$/, { ...MESSAGE, data: { a: 'x'.repeat(4096) } }],
    [/too big$/, { ...MESSAGE, data: { a: 'x'.repeat(100_000) } }],
  ]
  for (const [description, message] of content) {
    const { status, body } = await sendFcm(sender, message)
    t.equal(status, 400)
    t.match(readError(body), { errorCode: 'INVALID_ARGUMENT', violations: [{ description }] }, String(description))
  }
  const malformed = await sendFcm(sender, { ...MESSAGE, token: 'not a token' })
  t.match(readError(malformed.body), { code: 400, errorCode: 'INVALID_ARGUMENT', message: /registration token/ })
  t.same(readError(malformed.body).violations, [], 'that is how senders know it is about the token')

  const elsewhere = await sendFcm(sender, MESSAGE, { ':path': '/v1/projects/demo-project/messages' })
  t.match([elsewhere.status, elsewhere.headers['content-type']], [404, /^text\/html/], 'no JSON, as Google does')
  t.equal((await sendFcm(sender, MESSAGE, { ':method': 'PUT' })).status, 404)
  t.equal(simulator.pushes.length, 0)
  t.match(simulator.stats().android, { received: 0, refused: parameters.length + content.length + 1 })
})

t.test('FCM lets pass what is just allowed', async (t) => {
  const { sender } = await startFcm(t)
  // Keys and values count, not the JSON around them.
  const frame = 'a'.length
  const allowed: [what: string, message: unknown][] = [
    ['4096 bytes without the token', { token: TOKEN, data: { a: 'x'.repeat(4096 - frame) } }],
    ['28 days', { ...MESSAGE, android: { ttl: '2419200s' } }],
    ['a fraction of a second', { ...MESSAGE, android: { ttl: '3.500000000s' } }],
    ['priorities in any case', { ...MESSAGE, android: { priority: 'high' } }],
    [
      'both spellings',
      { ...MESSAGE, android: { collapseKey: 'x', notification: { bodyLocKey: 'B', channel_id: 'c' } } },
    ],
    ['null for none', { ...MESSAGE, data: null, android: { notification: { title: 'x', body: null } } }],
    [
      'other platforms',
      { ...MESSAGE, apns: { payload: { aps: {} } }, webpush: { fcmOptions: { link: 'https://a.b' } } },
    ],
  ]
  for (const [what, message] of allowed) t.equal((await sendFcm(sender, message)).status, 200, what)
  const over = await sendFcm(sender, { token: TOKEN, data: { a: 'x'.repeat(4097 - frame) } })
  t.equal(over.status, 400, '4097 bytes')
})

t.test('Google issues access tokens for assertions in order', async (t) => {
  const { fcm } = await start(t)
  const now = Math.floor(Date.now() / 1000)
  const grant = (assertion: string) => ({ grant_type: JWT_BEARER, assertion })
  const refused: [error: string, description: RegExp, parameters: Record<string, string>][] = [
    ['unsupported_grant_type', /Invalid grant_type: $/, {}],
    ['unsupported_grant_type', /client_credentials/, { grant_type: 'client_credentials' }],
    ['invalid_request', /./, { grant_type: JWT_BEARER }],
    ['invalid_request', /./, grant('a.b.c')],
    ['invalid_request', /./, grant('e30.e30')],
    ['invalid_grant', /RS256/, grant(makeAssertion({}, { alg: 'ES256' }))],
    ['invalid_grant', /iss/, grant(makeAssertion({ iss: undefined }))],
    ['invalid_grant', /aud/, grant(makeAssertion({ aud: undefined }))],
    ['invalid_grant', /short-lived/, grant(makeAssertion({ exp: undefined }))],
    ['invalid_grant', /short-lived/, grant(makeAssertion({ exp: now + 7200 }))],
    ['invalid_grant', /short-lived/, grant(makeAssertion({ iat: now - 4000, exp: now - 400 }))],
    ['invalid_grant', /short-lived/, grant(makeAssertion({ iat: now + 400, exp: now + 500 }))],
    ['invalid_scope', /./, grant(makeAssertion({ scope: undefined }))],
  ]
  for (const [error, description, parameters] of refused) {
    const reply = await askToken(fcm, parameters)
    t.match(
      reply,
      { status: 400, body: { error, error_description: description } },
      JSON.stringify(parameters).slice(0, 60),
    )
  }
  const issued = await askToken(fcm, grant(makeAssertion()))
  t.match(issued, { status: 200, body: { access_token: /^ya29\.c\./, expires_in: 3600, token_type: 'Bearer' } })
  const again = await askToken(fcm, grant(makeAssertion()))
  t.not(again.body['access_token'], issued.body['access_token'])
  t.equal((await post(fcm.tokenUrl, fcm.ca, { method: 'GET', body: '' })).status, 404)
})

t.test('FCM admits only tokens that were issued and are still valid', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const send = async (authorization: string | undefined) => {
    const { status, body, headers } = await sendFcm(sender, MESSAGE, { authorization })
    return { status, headers, error: status === 200 ? undefined : readError(body) }
  }
  const unauthenticated = { status: 401, error: { status: 'UNAUTHENTICATED' } }
  t.match(await send(undefined), unauthenticated)
  t.match((await send('Bearer ya29.c.made-up')).headers, { 'www-authenticate': /^Bearer .*invalid_token/ })
  t.match(await send(sender.authorization.replace('Bearer', 'Basicc')), unauthenticated)
  t.equal((await send(undefined)).error?.errorCode, undefined)
  t.equal((await send(sender.authorization.replace('Bearer', 'bearer'))).status, 200)

  simulator.setTokenLife(90_500)
  const { body } = await askToken(simulator.fcm, { grant_type: JWT_BEARER, assertion: makeAssertion() })
  t.equal(body['expires_in'], 91)
  t.equal((await send(sender.authorization)).status, 200, 'the life of an earlier token is as it was')
  simulator.setTokenLife(0)
  t.match(await send(await fcmBearer(simulator)), unauthenticated, 'its life is over')
  simulator.setTokenLife(60_000)
  const fresh = await fcmBearer(simulator)
  simulator.expireTokens()
  t.match([await send(fresh), await send(sender.authorization)], [unauthenticated, unauthenticated])
  t.equal((await send(await fcmBearer(simulator))).status, 200)

  const narrow = await fcmBearer(simulator, makeAssertion({ scope: 'https://www.googleapis.com/auth/drive' }))
  t.match(await send(narrow), { status: 403, error: { status: 'PERMISSION_DENIED', message: /scopes/ } })
})

t.test('registered accounts decide who may push and to which project', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const [mine, other] = [makeRsaKey(), makeRsaKey()]
  simulator.addFcmAccount({ clientEmail: EMAIL, publicKeyPem: mine.publicKeyPem, projectId: 'demo-project' })
  const ask = (assertion: string) => askToken(simulator.fcm, { grant_type: JWT_BEARER, assertion })
  t.match(await ask(makeAssertion()), { status: 400, body: { error_description: /Signature/ } })
  const foreign = makeAssertion({}, { key: other.privateKey })
  t.match(await ask(foreign), { status: 400, body: { error: 'invalid_grant', error_description: /Signature/ } })
  const stranger = makeAssertion({ iss: 'stranger@x.y' }, { key: mine.privateKey })
  t.match(await ask(stranger), { status: 400, body: { error_description: /account not found/ } })

  const authorization = await fcmBearer(simulator, makeAssertion({}, { key: mine.privateKey }))
  const owner = { ...sender, authorization }
  t.equal((await sendFcm(owner, MESSAGE)).status, 200)
  const elsewhere = await sendFcm(owner, MESSAGE, { ':path': '/v1/projects/other-project/messages:send' })
  t.match(readError(elsewhere.body), { code: 403, status: 'PERMISSION_DENIED', errorCode: undefined })
})

const FCM_PREFIXES: Record<string, { status: number; errorCode?: string; retryAfter?: string; reset?: number }> = {
  faded400: { status: 400, errorCode: 'INVALID_ARGUMENT' },
  faded403: { status: 403, errorCode: 'SENDER_ID_MISMATCH' },
  faded410: { status: 404, errorCode: 'UNREGISTERED' },
  faded413: { status: 400, errorCode: 'INVALID_ARGUMENT' },
  faded429: { status: 429, errorCode: 'QUOTA_EXCEEDED', retryAfter: '2' },
  faded500: { status: 500, errorCode: 'INTERNAL' },
  faded503: { status: 503, errorCode: 'UNAVAILABLE', retryAfter: '2' },
  faded001: { status: 0, reset: constants.NGHTTP2_CANCEL },
  faded002: { status: 0, reset: constants.NGHTTP2_REFUSED_STREAM },
}

t.test('FCM responds to tokens with a prefix with its own codes', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const { fcm } = simulator
  const url = `${fcm.origin}${FCM_PATH}`
  for (const [prefix, { status, errorCode, retryAfter, reset = 0 }] of Object.entries(FCM_PREFIXES)) {
    const message = { ...MESSAGE, token: `${prefix}:APA91b` }
    const streamed = await sendFcm(sender, message)
    const headers = { authorization: sender.authorization }
    const plain = await post(url, fcm.ca, { headers, body: JSON.stringify({ message }) })
    t.equal(streamed.reset, reset, prefix)
    for (const reply of [streamed, plain]) {
      t.equal(reply.status, status, prefix)
      t.equal(reply.headers['retry-after'], retryAfter, prefix)
      if (status > 0) t.match(readError(reply.body), { code: status, errorCode }, prefix)
    }
  }
  const mismatch = await sendFcm(sender, { ...MESSAGE, token: 'faded403' })
  t.match(readError(mismatch.body), { status: 'PERMISSION_DENIED' })
  t.match(readError((await sendFcm(sender, { ...MESSAGE, token: 'faded410' })).body), { status: 'NOT_FOUND' })
  t.match(simulator.stats().android, {
    received: 0,
    withoutResponse: 4,
    refused: 16,
    byStatus: { 400: 4, 404: 3, 429: 2 },
  })
  const elsewhere = ['faded000', 'faded003', 'faded004', ...IN_MISBEHAVIOUR]
  t.same(
    PREFIXES.map(({ prefix }) => prefix).sort(),
    [...Object.keys(FCM_PREFIXES), ...elsewhere].sort(),
    'each prefix is tested',
  )
})

t.test('scripted responses of FCM take its error codes', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const send = async (token: string) => {
    const { status, body } = await sendFcm(sender, { ...MESSAGE, token })
    return status === 200 || body['error'] === undefined ? { status } : readError(body)
  }
  simulator.respondTo('a1', { status: 401, reason: 'THIRD_PARTY_AUTH_ERROR' })
  simulator.respondTo('a2', { status: 404, reason: 'NOT_FOUND' })
  simulator.respondTo('a3', { status: 403, reason: 'PERMISSION_DENIED' })
  simulator.respondTo('a4', { status: 401 })
  simulator.respondTo('a5', { status: 502 })
  simulator.respondTo('a6', { status: 429, retryAfter: 60, times: 1 })
  simulator.respondTo('faded410', { status: 200 })
  t.match(await send('a1'), { code: 401, status: 'UNAUTHENTICATED', errorCode: 'THIRD_PARTY_AUTH_ERROR' })
  t.match(await send('a2'), { code: 404, status: 'NOT_FOUND', errorCode: undefined })
  t.match(await send('a3'), { code: 403, status: 'PERMISSION_DENIED', errorCode: undefined })
  t.match(await send('a4'), { code: 401, status: 'UNAUTHENTICATED', errorCode: undefined })
  t.match(await send('a5'), { status: 502 }, 'a gateway speaks no JSON')
  t.match(await sendFcm(sender, { ...MESSAGE, token: 'a6' }), { status: 429, headers: { 'retry-after': '60' } })
  t.match([await send('a6'), await send('faded410')], [{ status: 200 }, { status: 200 }])
})

t.test('connections to FCM have 100 streams and fail as those of APNs', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const { session } = sender
  t.equal(session.remoteSettings.maxConcurrentStreams, 100)
  const wide = await startFcm(t, { fcmMaxStreams: 7 })
  await sendFcm(wide.sender, MESSAGE)
  t.equal(wide.sender.session.remoteSettings.maxConcurrentStreams, 7)

  let responded = false
  const silent = sendFcm(sender, { ...MESSAGE, token: 'faded000' }).then((reply) => {
    responded = true
    return reply
  })
  await simulator.waitFor(() => simulator.stats().android.withoutResponse === 1)
  t.equal((await sendFcm(sender, MESSAGE)).status, 200)
  t.equal(responded, false)
  simulator.setLatency(20)
  const goaway = once(session, 'goaway')
  const closed = once(session, 'close')
  const last = await Promise.all([sendFcm(sender, MESSAGE), sendFcm(sender, { ...MESSAGE, token: 'faded004' })])
  t.match(last, [{ status: 200 }, { status: 200 }], 'what is under way is finished')
  t.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR)
  // The silent one is still under way and would hold the connection for ever.
  const next = { ...sender, session: openFcm(simulator) }
  next.session.on('error', () => {})
  t.equal((await sendFcm(next, { ...MESSAGE, token: 'faded003' })).status, 0)
  t.ok(next.session.destroyed)
  session.destroy()
  await closed
  t.equal((await silent).status, 0)
})

t.test('over HTTP/1.1 failures end the connection', async (t) => {
  const { simulator, sender } = await startHms(t)
  const { hms } = simulator
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const one = { ...sender, agent }
  for (const token of ['faded001', 'faded002', 'faded003']) {
    t.equal((await sendHms(one, hmsMessage([token]))).status, 0, token)
  }
  const manner = await sendHms(one, hmsMessage(['faded004']))
  t.match(manner, { status: 200, headers: { connection: 'close' }, body: { code: '80000000' } })
  const kept = await sendHms(one, hmsMessage(['ordinary']))
  t.match(kept, { status: 200, headers: { connection: 'keep-alive' } })

  let responded = false
  const silent = sendHms({ endpoint: hms, authorization: sender.authorization }, hmsMessage(['a', 'faded000']))
  void silent.then(() => (responded = true))
  await simulator.waitFor(() => simulator.stats().huawei.withoutResponse === 4)
  t.equal((await sendHms(one, hmsMessage(['ordinary']))).status, 200)
  t.equal(responded, false)
  t.match(simulator.stats().huawei, { received: 3, requests: 7, withoutResponse: 4 })
  await simulator.stop()
  t.equal((await silent).status, 0)
})

t.test('an Android phone shows what a person would see', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const send = (message: object) => sendFcm(sender, { token: TOKEN, ...message })
  const first = await send({ android: { collapse_key: 'k', notification: { title: 'Balance', body: '$7', tag: 'b' } } })
  await send({ data: { a: '1' }, android: { priority: 'HIGH', collapse_key: 'k' } })
  await send({
    android: {
      restricted_package_name: 'com.example.bank',
      notification: {
        title_loc_key: 'T',
        body_loc_key: 'B',
        body_loc_args: ['1', '2'],
        default_sound: true,
        notification_priority: 'PRIORITY_LOW',
      },
    },
  })
  await send({
    notification: { title: 'For all', body: 'For all' },
    android: {
      priority: 'high',
      notification: { title: 'Balance', notification_count: 3, channelId: 'balance', tag: 'b', sound: 'bell' },
    },
  })
  t.match(simulator.phones, [
    {
      platform: 'android',
      name: 'Android phone 1',
      notifications: [
        {
          app: 'demo-project',
          title: 'Balance',
          body: 'For all',
          badge: 3,
          sound: 'bell',
          channel: 'balance',
          tag: 'b',
          priority: 'high',
          silent: false,
          replaces: first.body['name'],
        },
        { app: 'com.example.bank', title: 'T', body: 'B (1, 2)', sound: 'default', priority: 'low' },
        { silent: true, priority: 'high', collapseKey: 'k', title: undefined, replaces: undefined },
      ],
    },
  ])
  t.equal(simulator.phones[0]?.notifications.length, 3, 'the tag replaces, the collapse key does not')
})

t.test('HMS accepts a message for many phones', async (t) => {
  const { simulator, sender } = await startHms(t)
  const tokens = Array.from({ length: 1000 }, (_, n) => `IQAAAACy0kTlAADz${String(n).padStart(84, '0')}`)
  const reply = await sendHms(sender, hmsMessage(tokens))
  t.match(reply, { status: 200, body: { code: '80000000', msg: 'Success', requestId: /^\d{24}$/ } })
  t.equal(simulator.pushes.length, 1000)
  t.match(simulator.pushes[999], {
    platform: 'huawei',
    projectId: '736430079',
    token: tokens[999],
    requestId: reply.body['requestId'],
    payload: { android: hmsMessage('').android },
    headers: { authorization: sender.authorization },
  })
  t.equal(simulator.pushes[0]?.payload['token'], undefined, 'the tokens stand beside the payload')
  const byApplication = await sendHms(sender, hmsMessage(['another']), '/v1/104005/messages:send')
  t.equal(byApplication.status, 200)
  const counts = {
    received: 1001,
    requests: 2,
    refused: 0,
    distinctTokens: 1001,
    byStatus: { 200: 2 },
    withoutResponse: 0,
  }
  t.same(simulator.stats().huawei, counts)
  t.equal(simulator.phones.length, 100)

  const checked = await sendHms(sender, JSON.stringify({ validate_only: true, message: hmsMessage(['x']) }))
  t.match(checked.body, { code: '80000000' })
  t.equal(simulator.pushes.length, 1001, 'what is only validated arrives nowhere')
})

t.test('HMS finds each error of a message', async (t) => {
  const { simulator, sender } = await startHms(t)
  const notification = (members: object) => hmsMessage(['a'], members)
  const android = (members: object) => hmsMessage(['a'], {}, members)
  const cases: [code: string, msg: RegExp, message: unknown][] = [
    ['80100003', /JSON/, '{"message":'],
    ['80300010', /token count/, JSON.stringify({ mesage: hmsMessage(['a']) })],
    ['80300010', /token count/, hmsMessage([])],
    ['80300010', /token count/, hmsMessage(undefined)],
    ['80300010', /token count/, hmsMessage('a')],
    ['80300010', /token count/, hmsMessage(Array.from({ length: 1001 }, (_, n) => `t${n}`))],
    ['80300008', /too long/, notification({ body: 'x'.repeat(4096) })],
    ['80300008', /too long/, notification({ body: 'x'.repeat(1_100_000) })],
    ['80100003', /message\.token\[1\]/, hmsMessage(['a', 1])],
    ['80100003', /neither data nor/, { token: ['a'], android: {} }],
    ['80100003', /title should be set/, notification({ title: undefined })],
    ['80100003', /body should be set/, notification({ body: '' })],
    ['80100003', /click_action should be set/, notification({ click_action: undefined })],
    ['80100003', /click_action should be set/, notification({ click_action: {} })],
    ['80100003', /message\.data is not/, { token: ['a'], data: { a: 1 } }],
    ['80100003', /foreground_show/, notification({ foreground_show: 'yes' })],
    ['80100003', /15 days/, android({ ttl: '1296001s' })],
    ['80100001', /message\.android\.ttl/, android({ ttl: 'tomorrow' })],
    ['80100001', /urgency/, android({ urgency: 'high' })],
    ['80100001', /importance/, notification({ importance: 'MAX' })],
    ['80100001', /click_action\.type/, notification({ click_action: { type: 9 } })],
    ['80100001', /set_num/, notification({ badge: { set_num: 100 } })],
    ['80100001', /color/, notification({ color: 'red' })],
    ['80100013', /Collapse_key/, android({ collapse_key: 101 })],
    ['80100013', /Collapse_key/, android({ collapse_key: 'balance' })],
  ]
  for (const [code, msg, message] of cases) {
    t.match(await sendHms(sender, message), { status: 400, body: { code, msg } }, `${code} ${msg}`)
  }
  t.equal((await sendHms(sender, hmsMessage(['a']), '/v4/736430079/messages:send')).status, 404)
  t.equal(simulator.pushes.length, 0)
  t.match(simulator.stats().huawei, { requests: cases.length, refused: cases.length })

  const room = 4096 - JSON.stringify({ validate_only: false, message: hmsMessage([], { body: '' }) }).length + 2
  const tokens = Array.from({ length: 900 }, (_, n) => `token-${n}`)
  const allowed: [what: string, message: unknown][] = [
    ['4096 bytes without the tokens', hmsMessage(tokens, { body: 'x'.repeat(room) })],
    [
      'null for none',
      { ...hmsMessage(['a'], { image: null, badge: null }, { category: null, data: null }), data: null },
    ],
    ['members it does not know', hmsMessage(['a'], { shape: 'round' })],
    ['data alone', { token: ['a'], data: '{"a":1}' }],
    ['seconds without a unit', android({ ttl: '3600', collapse_key: -1 })],
    ['texts of the application', notification({ title: undefined, title_loc_key: 'T', body: null, body_loc_key: 'B' })],
  ]
  for (const [what, message] of allowed) t.equal((await sendHms(sender, message)).status, 200, what)
  t.equal((await sendHms(sender, hmsMessage(tokens, { body: 'x'.repeat(room + 1) }))).status, 400, '4097 bytes')
})

t.test('HMS names illegal tokens and serves the others', async (t) => {
  const { simulator, sender } = await startHms(t)
  const mixed = await sendHms(sender, hmsMessage(['a', 'faded410x', 'b', 'faded400x']))
  t.match(mixed, { status: 200, body: { code: '80100000', msg: String, requestId: String } })
  t.same(JSON.parse(String(mixed.body['msg'])), {
    success: 2,
    failure: 2,
    illegal_tokens: ['faded410x', 'faded400x'],
  })
  t.match(simulator.pushes, [{ token: 'a' }, { token: 'b' }])
  const all = await sendHms(sender, hmsMessage(['faded410x', 'faded410y']))
  t.match(all, { status: 400, body: { code: '80300007', msg: 'All the tokens are invalid' } })
  t.match(simulator.stats().huawei, { received: 2, refused: 4, requests: 2, byStatus: { 200: 1, 400: 1 } })

  simulator.respondTo('gone', { status: 410, times: 1 })
  t.match((await sendHms(sender, hmsMessage(['a', 'gone']))).body, { code: '80100000' })
  t.match((await sendHms(sender, hmsMessage(['a', 'gone']))).body, { code: '80000000' })
  simulator.respondTo('faded410', { status: 200 })
  t.match((await sendHms(sender, hmsMessage(['faded410x']))).body, { code: '80000000' })
})

t.test('one token decides for the whole request to HMS', async (t) => {
  const { simulator, sender } = await startHms(t)
  const expected: Record<string, object> = {
    faded403: { status: 400, body: { code: '80300002' } },
    faded413: { status: 400, body: { code: '80300008' } },
    faded429: { status: 503, headers: { 'retry-after': '2', 'content-type': /^text\/html/ } },
    faded500: { status: 500, body: { code: '81000001' } },
    faded503: { status: 503, headers: { 'retry-after': '2', 'content-type': /^text\/html/ } },
  }
  for (const [prefix, reply] of Object.entries(expected)) {
    t.match(await sendHms(sender, hmsMessage(['a', 'faded410', `${prefix}x`, 'b'])), reply, prefix)
  }
  simulator.respondTo('a', { status: 200, reason: '80100016', times: 1 })
  simulator.respondTo('a', { status: 401, reason: '80200003', times: 1 })
  simulator.respondTo('a', { status: 401, times: 1 })
  simulator.respondTo('a', { status: 400, reason: '80300002', times: 1 })
  for (const code of ['80100016', '80200003', '80200001', '80300002']) {
    t.match((await sendHms(sender, hmsMessage(['a', 'b']))).body, { code })
  }
  t.equal(simulator.pushes.length, 0)
  t.match(simulator.stats().huawei, { received: 0, refused: 5 * 4 + 4 * 2, requests: 9 })
})

t.test('Huawei issues access tokens, HMS admits them while they are valid', async (t) => {
  const { simulator, sender } = await startHms(t)
  const { hms } = simulator
  const parameters = { grant_type: 'client_credentials', client_id: '104005', client_secret: 'secret' }
  t.match(await askToken(hms, parameters), {
    status: 200,
    body: { access_token: String, expires_in: 3600, token_type: 'Bearer' },
  })
  for (const wrong of [{}, { ...parameters, grant_type: 'password' }, { ...parameters, client_secret: '' }]) {
    t.match(await askToken(hms, wrong), { status: 400, body: { error: 1101, sub_error: 20001 } })
  }
  const send = async (authorization: string, path = HMS_PATH) => {
    const { status, body } = await sendHms({ ...sender, authorization }, hmsMessage(['a']), path)
    return `${status} ${String(body['code'])}`
  }
  t.equal(await send('Bearer made-up'), '401 80200001')
  t.equal(await send(''), '401 80200001')
  simulator.expireTokens()
  t.equal(await send(sender.authorization), '401 80200003')
  simulator.setTokenLife(0)
  t.equal(await send(await hmsBearer(simulator)), '401 80200003')
  simulator.setTokenLife(60_000)
  t.equal(await send(await hmsBearer(simulator)), '200 80000000')

  simulator.addHmsAccount({ clientId: '104005', clientSecret: 'right', projectId: '736430079' })
  t.match(await askToken(hms, parameters), {
    status: 400,
    body: { error: 1101, error_description: 'invalid client_secret' },
  })
  const authorization = await bearer(hms, { ...parameters, client_secret: 'right' })
  t.equal(await send(authorization), '200 80000000')
  t.equal(await send(authorization, '/v1/104005/messages:send'), '200 80000000')
  t.equal(await send(authorization, '/v2/another/messages:send'), '401 80200001', 'of another application')
})

t.test('a Huawei phone shows what a person would see', async (t) => {
  const { simulator, sender } = await startHms(t)
  const token = 'IQAAAACy0kTl'
  const first = await sendHms(sender, hmsMessage([token], { tag: 'b', group: 'account' }))
  await sendHms(sender, { token: [token], data: '{"a":1}', android: { urgency: 'HIGH' } })
  await sendHms(sender, hmsMessage([token, 'other'], { title: null, title_loc_key: 'T', title_loc_args: ['1'] }))
  const loud = { tag: 'b', badge: { set_num: 7 }, importance: 'HIGH', default_sound: true, channel_id: 'balance' }
  await sendHms(sender, hmsMessage([token], loud, { collapse_key: 7 }))
  t.match(simulator.phones, [
    {
      platform: 'huawei',
      name: 'Huawei phone 1',
      notifications: [
        {
          app: '736430079',
          title: 'Balance',
          body: 'It is $745.00',
          badge: 7,
          sound: 'default',
          channel: 'balance',
          tag: 'b',
          collapseKey: '7',
          priority: 'high',
          silent: false,
          replaces: first.body['requestId'],
        },
        { title: 'T (1)', priority: 'normal' },
        { silent: true, priority: 'high' },
      ],
    },
    { name: 'Huawei phone 2', notifications: [{ title: 'T (1)' }] },
  ])
  t.equal(simulator.phones[0]?.notifications.length, 3)
})

t.test('stop frees the ports of FCM and HMS', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const { fcm, hms } = simulator
  const authorization = await hmsBearer(simulator)
  simulator.setLatency(60_000)
  const waiting = [sendFcm(sender, MESSAGE), sendHms({ endpoint: hms, authorization }, hmsMessage(['a']))]
  await simulator.waitFor((pushes) => pushes.length === 2)
  await simulator.stop()
  t.match(await Promise.all(waiting), [{ status: 0 }, { status: 0 }])
  const portOf = ({ origin }: { origin: string }) => Number(new URL(origin).port)
  const again = await startSimulator({ fcmPort: portOf(fcm), hmsPort: portOf(hms) })
  t.match(again, { fcm: { origin: fcm.origin, tokenUrl: fcm.tokenUrl }, hms: { origin: hms.origin } })
  await t.rejects(startSimulator({ hmsPort: portOf(hms) }), { code: 'EADDRINUSE' })
  await again.stop()
})

t.test('FCM takes an installation id, and says of a malformed one what it says of one that is gone', async (t) => {
  const { simulator, sender } = await startFcm(t)
  const rest = { android: MESSAGE.android }
  const fid = 'cWzL1yRkQ0mN0a9JcH7v2E'
  t.equal((await sendFcm(sender, { ...rest, fid })).status, 200)
  t.match(simulator.pushes, [{ platform: 'android', token: fid, target: 'fid', payload: { android: rest.android } }])
  for (const gone of ['not-a-fid', `${fid}x`, 'faded410RkQ0mN0a9JcH7v']) {
    const { status, body } = await sendFcm(sender, { ...rest, fid: gone })
    t.equal(status, 404, gone)
    t.match(readError(body), { status: 'NOT_FOUND', errorCode: 'UNREGISTERED' }, gone)
  }
  const both = await sendFcm(sender, { ...MESSAGE, fid })
  t.match([both.status, readError(both.body).violations], [400, [{ field: 'message', description: /already set/ }]])
  t.equal((await sendFcm(sender, MESSAGE)).status, 200)
  t.match(simulator.pushes, [{}, { token: TOKEN, target: 'token' }])
})

const V3_PATH = '/v3/736430079/messages:send'
const AUDIENCE = 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'
const SENDER_KEY = makeRsaKey()

interface TokenParts {
  header?: object
  claims?: object
  key?: KeyObject
  padding?: number
}

/** As a sender signs it: parts given as undefined are left out. */
function accountToken({ header, claims, key = SENDER_KEY.privateKey, padding }: TokenParts = {}): string {
  const iat = Math.floor(Date.now() / 1000)
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ kid: 'key-1', typ: 'JWT', alg: 'PS256', ...header })}.${encode({
    iss: '100000002',
    aud: AUDIENCE,
    iat,
    exp: iat + 3600,
    ...claims,
  })}`
  const options = { key, padding: padding ?? cryptoConstants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
  return `Bearer ${signed}.${sign('sha256', Buffer.from(signed), options).toString('base64url')}`
}

const alert = (members: object = {}) => ({
  payload: {
    notification: { category: 'WORK', title: 'T', body: 'B', clickAction: { actionType: 0 }, ...members },
  },
})
const v3Body = (parts: object, token: unknown = ['a'], pushOptions: object = {}) =>
  JSON.stringify({ ...parts, pushOptions, target: { token } })

interface V3Options {
  authorization?: string
  pushType?: string | undefined
}

async function startV3(t: Test) {
  const { simulator, sender } = await startHms(t)
  simulator.addHmsServiceAccount({
    subAccount: '100000002',
    keyId: 'key-1',
    publicKeyPem: SENDER_KEY.publicKeyPem,
    projectId: '736430079',
  })
  const { hms } = simulator
  const send = (body: string, { authorization = accountToken(), pushType = '0' }: V3Options = {}, path = V3_PATH) =>
    post(`${hms.origin}${path}`, hms.ca, {
      headers: { authorization, 'content-type': 'application/json', ...(pushType !== '' && { 'push-type': pushType }) },
      body,
    })
  return { simulator, sender, send }
}

t.test('version 3 of HMS: who may push', async (t) => {
  const { simulator, sender, send } = await startV3(t)
  const now = Math.floor(Date.now() / 1000)
  const cases: [name: string, code: string, authorization: string][] = [
    ['nothing', '80200001', ''],
    ['an access token of OAuth', '80200001', sender.authorization],
    ['RS256', '80200001', accountToken({ header: { alg: 'RS256' }, padding: cryptoConstants.RSA_PKCS1_PADDING })],
    ['another algorithm than it says', '80200001', accountToken({ padding: cryptoConstants.RSA_PKCS1_PADDING })],
    ['a wrong key id', '80200001', accountToken({ header: { kid: 'key-2' } })],
    ['another key', '80200001', accountToken({ key: makeRsaKey().privateKey })],
    ['another issuer', '80200001', accountToken({ claims: { iss: '1' } })],
    ['another audience', '80200001', accountToken({ claims: { aud: 'https://example.com' } })],
    ['a life of more than a day', '80300036', accountToken({ claims: { exp: now + 86_500 } })],
    ['expired', '80200005', accountToken({ claims: { iat: now - 3_700, exp: now - 100 } })],
  ]
  for (const [name, code, authorization] of cases)
    t.match(await send(v3Body(alert()), { authorization }), { status: 401, body: { code } }, name)
  const elsewhere = await send(v3Body(alert()), {}, '/v3/1/messages:send')
  t.match(elsewhere, { status: 401, body: { code: '80200001' } }, 'another project')
  t.equal(simulator.pushes.length, 0)
  t.match(await send(v3Body(alert())), { status: 200, body: { code: '80000000' } })
  t.match(simulator.pushes, [{ platform: 'huawei', version: 3, token: 'a', payload: alert() }])
})

t.test('version 3 of HMS: each error of a message', async (t) => {
  const { simulator, send } = await startV3(t)
  const tokens = (count: number) => Array.from({ length: count }, (_, index) => `t${index}`)
  // Without the list, brackets included.
  const room = 4096 - Buffer.byteLength(v3Body(alert({ body: '' }), [])) + 2
  const cases: [name: string, code: string, body: string, pushType?: string][] = [
    ['no JSON', '80100003', 'x'],
    ['no tokens', '80300010', v3Body(alert(), [])],
    ['too many tokens', '80300010', v3Body(alert(), tokens(1001))],
    ['too many for a test', '80300030', v3Body(alert(), tokens(11), { testMessage: true })],
    ['no push type', '80100001', v3Body(alert()), ''],
    ['another push type', '80100001', v3Body(alert()), '99'],
    ['no category', '80100001', v3Body(alert({ category: undefined }))],
    ['another category', '80100001', v3Body(alert({ category: 'NEWS' }))],
    ['no title', '80100001', v3Body(alert({ title: undefined }))],
    ['an empty body', '80100001', v3Body(alert({ body: '' }))],
    ['no click action', '80100001', v3Body(alert({ clickAction: undefined }))],
    ['a badge', '80100001', v3Body(alert({ badge: { setNum: 100 } }))],
    ['an id', '80100001', v3Body(alert({ appMessageId: 'ž' }))],
    ['a text that is none', '80100003', v3Body(alert({ title: 7 }))],
    ['a life', '80100004', v3Body(alert(), ['a'], { ttl: 1_296_001 })],
    ['background data that is none', '80100001', v3Body({ payload: {} }), '6'],
    ['4097 bytes without the tokens', '80300008', v3Body(alert({ body: 'x'.repeat(room + 1) }), tokens(1000))],
  ]
  for (const [name, code, body, pushType = '0'] of cases)
    t.match(await send(body, { pushType }), { status: 400, body: { code } }, name)
  t.equal(simulator.pushes.length, 0)
  const largest = await send(v3Body(alert({ body: 'x'.repeat(room) }), tokens(1000)))
  t.match(largest, { status: 200, body: { code: '80000000' } })
  t.match(await send(v3Body({ payload: { extraData: '{"a":1}' } }), { pushType: '6' }), { status: 200 })
  t.match(await send(v3Body(alert(), tokens(10), { testMessage: true })), { status: 200 })
})

t.test('version 3 of HMS: what a phone shows, each message once', async (t) => {
  const { simulator, send } = await startV3(t)
  const members = {
    appMessageId: 'm-1',
    badge: { setNum: 3 },
    notifyId: 7,
    image: 'https://example.com/a.png',
    clickAction: { actionType: 1, uri: 'https://example.com/' },
  }
  for (let attempt = 0; attempt < 2; attempt++) t.equal((await send(v3Body(alert(members)))).status, 200)
  t.equal(simulator.pushes.length, 1)
  t.match(simulator.phones[0]?.notifications, [
    {
      title: 'T',
      body: 'B',
      badge: 3,
      tag: '7',
      channel: 'WORK',
      image: 'https://example.com/a.png',
      link: 'https://example.com/',
      silent: false,
    },
  ])
  await send(v3Body({ payload: { extraData: '{}' } }), { pushType: '6' })
  t.match(simulator.phones[0]?.notifications[0], { silent: true })
  const mixed = await send(v3Body(alert({ appMessageId: 'm-2' }), ['a', 'faded410x']))
  t.match(mixed, { status: 200, body: { code: '80100000' } })
  const { msg } = mixed.body as { msg: string }
  t.same(JSON.parse(msg), { success: 1, failure: 1, illegalTokens: { tokenFormatError: ['faded410x'] } })
})
