// The FCM provider against a scripted FCM and token endpoint: what goes over the wire, what is settled, and what is never
// done twice.
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Agent } from 'node:https'
import { connect, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createLogger } from '@push-server/runtime'
import { deleteApp, initializeApp } from 'firebase-admin/app'
import { getMessaging, type AndroidNotification } from 'firebase-admin/messaging'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { readServiceAccount } from '../src/fcm/credentials.ts'
import { openFcmProvider, type FcmProviderOptions } from '../src/fcm/provider.ts'
import type { PushChunk, PushMessage } from '../src/index.ts'
import {
  accept,
  bearer,
  ca,
  deny,
  grant,
  refuse,
  startFcm,
  startHttps,
  type ReceivedRequest,
  type Received,
} from './_fcm-origin.ts'
import { inOrder, kinds, MemoryTokens, push, transport } from './_pushing.ts'

const MINUTE = 60_000
const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 })
const file = {
  type: 'service_account',
  project_id: 'my-project',
  private_key_id: 'key-1',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  client_email: 'push@my-project.iam.gserviceaccount.com',
}
const account = readServiceAccount({ projectId: 'my-project' }, Buffer.from(JSON.stringify(file)))

async function start(test: Test, onRequest: (request: Received) => void, settings = {}) {
  const origin = await startFcm(onRequest, settings)
  test.teardown(() => origin.stop())
  return origin
}

/** A token endpoint; by default it grants `token-1`, `token-2`, … */
async function startGoogle(test: Test, onRequest?: (received: ReceivedRequest, nth: number) => void) {
  const google = await startHttps((received) => {
    const nth = google.received.length
    if (onRequest) onRequest(received, nth)
    else grant(received, `token-${nth}`)
  })
  test.teardown(() => google.stop())
  return google
}

type Overrides = Partial<FcmProviderOptions>

function open(test: Test, baseUrl: string, overrides: Overrides = {}) {
  const provider = openFcmProvider({
    account,
    // Another worker's token, so that a test that is not about tokens asks for none.
    tokens: new MemoryTokens().keep('token-0', 0),
    baseUrl,
    tokenUrl: 'https://localhost:1/token',
    ca,
    concurrency: 100,
    connections: 2,
    dataOnly: false,
    requestTimeoutMs: 20_000,
    transport,
    log,
    ...overrides,
  })
  test.teardown(() => provider.close())
  return provider
}

const HELLO = { body: { title: 'Hello', body: 'World' }, silent: false, priority: 'HIGH' } as const
const target = (token: string, message = 0) => ({ token, pushId: '', message })
const chunkOf = (count: number): PushChunk => ({
  messages: [HELLO],
  targets: Array.from({ length: count }, (_, index) => target(`t${index}`)),
})
const waitsUntil = (notBefore: number) => ({ kind: 'retry', notBefore })

t.test('what goes over the wire', async (t) => {
  const origin = await start(t, accept)
  const google = await startGoogle(t)
  const provider = open(t, origin.url, { tokens: new MemoryTokens(), tokenUrl: `${google.url}/token` })
  const silent = { body: { extras: { a: 1 } }, silent: true, priority: 'NORMAL' } as const
  const targets = [target('one'), target('two', 1), target('"three"')]
  const outcomes = await push(t, provider, { messages: [HELLO, silent], targets })

  t.strictSame(
    inOrder(outcomes),
    targets.map(({ token }) => ({ kind: 'sent', id: `projects/my-project/messages/${token}` })),
  )
  const bodies = Object.fromEntries(origin.received.map(({ token, body }) => [token, JSON.parse(body)]))
  const notification = { title: 'Hello', body: 'World', notification_priority: 'PRIORITY_HIGH' }
  const hello = { android: { priority: 'HIGH', notification } }
  t.strictSame(bodies, {
    one: { message: { token: 'one', ...hello } },
    two: { message: { token: 'two', data: { a: '1' }, android: { priority: 'NORMAL' } } },
    '"three"': { message: { token: '"three"', ...hello } },
  })
  for (const { headers } of origin.received) {
    t.match(headers, {
      ':method': 'POST',
      ':path': '/v1/projects/my-project/messages:send',
      'content-type': 'application/json',
      authorization: 'Bearer token-1',
    })
  }

  const [received] = google.received
  t.match(received, {
    method: 'POST',
    path: '/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const parameters = new URLSearchParams(received?.body)
  t.equal(parameters.get('grant_type'), 'urn:ietf:params:oauth:grant-type:jwt-bearer')
  const assertion = parameters.get('assertion') ?? ''
  t.strictSame(decodeProtectedHeader(assertion), { alg: 'RS256', typ: 'JWT', kid: 'key-1' })
  const { payload } = await jwtVerify(assertion, publicKey)
  const { iat = 0, exp, ...claims } = payload
  t.strictSame(claims, {
    iss: 'push@my-project.iam.gserviceaccount.com',
    scope: 'https://www.googleapis.com/auth/firebase.messaging',
    aud: 'https://oauth2.googleapis.com/token',
  })
  t.equal(exp, iat + 3_600)
  t.ok(Math.abs(Date.now() / 1_000 - iat) < 60)
})

t.test('it is what firebase-admin would have sent', async (t) => {
  const origin = await start(t, accept)
  const now = Date.now()
  const body = {
    title: 'Title',
    titleLocKey: 'title.key',
    titleLocArgs: ['one'],
    body: 'Body',
    bodyLocKey: 'body.key',
    bodyLocArgs: ['two', 'three'],
    badge: 7,
    sound: 'default',
    icon: 'icon',
    category: 'category',
    collapseKey: 'key',
    extras: { text: 'as it is', nested: { a: [1, null] } },
  }
  const messages: PushMessage[] = [
    { body, silent: false, priority: 'HIGH', validUntil: now + 3_600_000 },
    { body, silent: true, priority: 'NORMAL' },
  ]
  const own = open(t, origin.url, { now: () => now })
  for (const message of messages) await push(t, own, { messages: [message], targets: [target('one')] })

  const https = await startHttps(({ response }) => void response.end('{"name":"projects/my-project/messages/1"}'))
  t.teardown(() => https.stop())
  const agent = new Agent()
  agent.createConnection = () => connectTls({ host: 'localhost', port: Number(new URL(https.url).port), ca })
  const app = initializeApp({
    projectId: 'my-project',
    credential: { getAccessToken: async () => ({ access_token: 'token-0', expires_in: 3_600 }) },
    httpAgent: agent,
  })
  const data = { text: 'as it is', nested: '{"a":[1,null]}' }
  const notification: AndroidNotification = {
    title: 'Title',
    titleLocKey: 'title.key',
    titleLocArgs: ['one'],
    body: 'Body',
    bodyLocKey: 'body.key',
    bodyLocArgs: ['two', 'three'],
    notificationCount: 7,
    priority: 'high',
    sound: 'default',
    icon: 'icon',
    tag: 'category',
  }
  const messaging = getMessaging(app)
  await messaging.send({
    token: 'one',
    data,
    android: { collapseKey: 'key', priority: 'high', ttl: 3_600_000, notification },
  })
  await messaging.send({ token: 'one', data, android: { collapseKey: 'key', priority: 'normal' } })
  await deleteApp(app)

  // It writes the priority as its own types have it; the enum of the API is in capitals.
  const inCapitals = (text: string) =>
    JSON.parse(text, (key, value) => (key === 'priority' ? String(value).toUpperCase() : value))
  t.strictSame(
    origin.received.map(({ body }) => JSON.parse(body)),
    https.received.map(({ body }) => inCapitals(body)),
  )
  const ours = origin.received.map(({ headers }) => headers)
  t.strictSame(
    ours.map((headers) => [headers[':method'], headers[':path'], headers.authorization]),
    https.received.map(({ method, path, headers }) => [method, path, headers.authorization]),
  )
  for (const { headers } of https.received) t.match(headers['content-type'], /^application\/json/)
})

t.test('data only', async (t) => {
  const origin = await start(t, accept)
  await push(t, open(t, origin.url, { dataOnly: true }), chunkOf(1))
  const { message } = JSON.parse(origin.received[0]?.body ?? '')
  t.strictSame(message.android, { priority: 'HIGH' })
  t.match(JSON.parse(message.data['_notification']), { title: 'Hello', body: 'World' })
})

t.test('responses become outcomes', async (t) => {
  const origin = await start(t, (request) => {
    const script: Record<string, () => void> = {
      t0: () => accept(request),
      t1: () => refuse(request, 404, 'UNREGISTERED'),
      t2: () => refuse(request, 403, 'SENDER_ID_MISMATCH'),
      t3: () => refuse(request, 400, 'INVALID_ARGUMENT'),
      t4: () => refuse(request, 503, 'UNAVAILABLE'),
      t5: () => refuse(request, 403, 'PERMISSION_DENIED'),
      t6: () => request.stream.respond({ ':status': 502 }, { endStream: true }),
      t7: () => request.stream.close(8),
      t8: () => request.stream.respond({ ':status': 200 }, { endStream: true }),
    }
    script[request.token]?.()
  })
  t.match(inOrder(await push(t, open(t, origin.url), chunkOf(9))), [
    { kind: 'sent', id: 'projects/my-project/messages/t0' },
    { kind: 'token-gone', reason: 'UNREGISTERED' },
    { kind: 'token-doubtful', reason: 'SENDER_ID_MISMATCH' },
    { kind: 'failed', reason: 'INVALID_ARGUMENT' },
    { kind: 'retry', reason: 'UNAVAILABLE' },
    { kind: 'credentials-error', reason: 'PERMISSION_DENIED' },
    { kind: 'retry', reason: 'HTTP 502' },
    { kind: 'retry', reason: /^Unknown: / },
    { kind: 'failed', reason: 'NoMessageName' },
  ])
})

t.test('the limit and the connections bound pushes in flight', async (t) => {
  const origin = await start(t, (request) => setImmediate(() => accept(request)))
  const provider = open(t, origin.url, { concurrency: 4 })
  const all = await Promise.all([push(t, provider, chunkOf(30)), push(t, provider, chunkOf(20))])
  t.strictSame(all.map(kinds), [{ sent: 30 }, { sent: 20 }])
  t.equal(origin.peak, 4)

  // No response is sent before a second connection is of use, which it is only to what the first one does not take.
  const held: Received[] = []
  let onFirst = 0
  const wide = await start(t, (request) => {
    held.push(request)
    if (new Set(held.map(({ session }) => session)).size < 2) return
    onFirst ||= held.length - 1
    for (const each of held) accept(each)
  })
  t.strictSame(kinds(await push(t, open(t, wide.url, { concurrency: 1_000 }), chunkOf(300))), { sent: 300 })
  t.equal(onFirst, 100)
})

t.test('FCM names a time to come back', async (t) => {
  const HOLD = { 'retry-after': '30' }
  const scripts: [name: string, script: (request: Received) => void, reason: string, seconds: number][] = [
    ['the quota', (request) => refuse(request, 429, 'QUOTA_EXCEEDED', HOLD), 'QUOTA_EXCEEDED', 30],
    ['the quota, and no time', (request) => refuse(request, 429, 'RESOURCE_EXHAUSTED'), 'RESOURCE_EXHAUSTED', 60],
    ['an overload', (request) => refuse(request, 503, 'UNAVAILABLE', HOLD), 'UNAVAILABLE', 30],
  ]
  for (const [name, script, reason, seconds] of scripts) {
    t.test(`${name}: what was not started waits as well`, async (t) => {
      let isOver = false
      const origin = await start(t, (request) => (isOver ? accept(request) : script(request)))
      const clock = { now: Date.now() }
      const provider = open(t, origin.url, { concurrency: 5, now: () => clock.now })
      const notBefore = clock.now + seconds * 1_000
      const outcomes = await push(t, provider, chunkOf(50))
      t.equal(origin.received.length, 5)
      t.equal(outcomes.size, 50)
      for (const outcome of outcomes.values()) t.match(outcome, waitsUntil(notBefore))
      const reasons = new Set([...outcomes.values()].map((outcome) => 'reason' in outcome && outcome.reason))
      t.strictSame(reasons, new Set([reason, `Unsent: ${reason}`]))

      clock.now = notBefore - 6_000
      t.match(inOrder(await push(t, provider, chunkOf(1))), [waitsUntil(notBefore)], 'other chunks, too')
      t.equal(origin.received.length, 5)
      clock.now = notBefore
      isOver = true
      t.strictSame(kinds(await push(t, provider, chunkOf(10))), { sent: 10 })
    })
  }

  t.test('the latest time counts', async (t) => {
    const clock = { now: Date.now() }
    const origin = await start(t, (request) => {
      refuse(request, 429, 'QUOTA_EXCEEDED', { 'retry-after': request.token === 't0' ? '30' : '10' })
    })
    const provider = open(t, origin.url, { concurrency: 2, now: () => clock.now })
    await push(t, provider, chunkOf(2))
    t.match(inOrder(await push(t, provider, chunkOf(1))), [waitsUntil(clock.now + 30_000)])
  })

  t.test('a quota of one device holds up that device only', async (t) => {
    const origin = await start(t, (request) => {
      if (request.token !== 't0') return accept(request)
      request.stream.respond({ ':status': 429, ...HOLD })
      const violations = [{ subject: 'device', description: 'Device message rate exceeded' }]
      const details = [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations }]
      request.stream.end(JSON.stringify({ error: { code: 429, status: 'RESOURCE_EXHAUSTED', details } }))
    })
    t.strictSame(kinds(await push(t, open(t, origin.url, { concurrency: 1 }), chunkOf(10))), { retry: 1, sent: 9 })
  })
})

t.test('an abort starts nothing more and settles what is in flight', async (t) => {
  const origin = await start(t, () => {})
  const provider = open(t, origin.url, { concurrency: 2 })
  const controller = new AbortController()
  const pushed = push(t, provider, chunkOf(6), controller)
  await origin.waitFor(2)
  controller.abort()
  for (const request of origin.received) accept(request)
  const outcomes = await pushed
  t.strictSame([...outcomes.keys()].sort(), [0, 1])
  t.strictSame(kinds(outcomes), { sent: 2 })
  t.equal((await push(t, provider, chunkOf(3), controller)).size, 0)
  t.equal(origin.received.length, 2)
})

t.test('an abort withdraws what still waits for a stream, unsettled', async (t) => {
  const origin = await start(t, () => {}, { maxConcurrentStreams: 1 })
  const provider = open(t, origin.url, { connections: 1 })
  const controller = new AbortController()
  const pushed = push(t, provider, chunkOf(5), controller)
  await origin.waitFor(1)
  controller.abort()
  for (const request of origin.received) accept(request)
  t.strictSame(kinds(await pushed), { sent: 1 })
  t.equal(origin.received.length, 1)
})

t.test('a push without a response ends at the deadline, to be retried', async (t) => {
  const origin = await start(t, (request) => request.token !== 't1' && accept(request))
  const outcomes = await push(t, open(t, origin.url, { requestTimeoutMs: 1_500 }), chunkOf(3))
  t.match(outcomes.get(1), { kind: 'retry', reason: /^Timeout: / })
  t.strictSame(kinds(outcomes), { sent: 2, retry: 1 })
})

t.test('GOAWAY loses nothing', async (t) => {
  const countOf = new WeakMap<object, number>()
  let sessions = 0
  const origin = await start(t, (request) => {
    const count = (countOf.get(request.session) ?? 0) + 1
    if (count === 1) sessions++
    countOf.set(request.session, count)
    // Each of the first connections sends GOAWAY with its fifth request, and responds to what it has.
    if (sessions <= 3 && count === 5) request.session.goaway(0)
    setImmediate(() => accept(request))
  })
  const outcomes = await push(t, open(t, origin.url, { concurrency: 10, connections: 1 }), chunkOf(100))
  t.strictSame(kinds(outcomes), { sent: 100 })
  t.equal(new Set(origin.received.map(({ token }) => token)).size, 100)
  t.ok(sessions > 3)
})

t.test('the access token', async (t) => {
  t.test('is fetched once for everybody', async (t) => {
    const origin = await start(t, accept)
    const google = await startGoogle(t)
    const tokens = new MemoryTokens()
    const tokenUrl = `${google.url}/token`
    const provider = open(t, origin.url, { tokens, tokenUrl })
    const all = await Promise.all(Array.from({ length: 50 }, () => push(t, provider, chunkOf(1))))
    t.equal(all.filter((outcomes) => outcomes.get(0)?.kind === 'sent').length, 50)
    t.strictSame(kinds(await push(t, open(t, origin.url, { tokens, tokenUrl }), chunkOf(1))), { sent: 1 })
    t.equal(google.received.length, 1)
    t.match(new Set(tokens.keys), new Set([/^fcm:my-project:push@my-project\.iam\.gserviceaccount\.com:[0-9a-f]{16}$/]))
  })

  t.test('is replaced five minutes before its end', async (t) => {
    const origin = await start(t, accept)
    const google = await startGoogle(t)
    const clock = { now: Date.now() }
    const provider = open(t, origin.url, {
      tokens: new MemoryTokens(),
      tokenUrl: `${google.url}/token`,
      now: () => clock.now,
    })
    await push(t, provider, chunkOf(1))
    clock.now += 3_599_000 - 5 * MINUTE - 1
    await push(t, provider, chunkOf(1))
    clock.now += 1
    await push(t, provider, chunkOf(2))
    t.strictSame(origin.received.map(bearer), ['token-1', 'token-1', 'token-2', 'token-2'])
    clock.now -= 120 * MINUTE
    await push(t, provider, chunkOf(1))
    t.equal(google.received.length, 3, 'one from the future is no good')
  })

  t.test('refused by FCM is replaced once, and every push repeated with the new one', async (t) => {
    const origin = await start(t, (request) => {
      if (bearer(request) === 'old') refuse(request, 401, 'UNAUTHENTICATED')
      else accept(request)
    })
    const google = await startGoogle(t)
    const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
    const provider = open(t, origin.url, { tokens, tokenUrl: `${google.url}/token`, concurrency: 20 })
    t.strictSame(kinds(await push(t, provider, chunkOf(50))), { sent: 50 })
    t.strictSame(tokens.minted, ['token-1'])
    t.ok(origin.received.length <= 70, 'what had not started yet went with the new one at once')
    t.strictSame(kinds(await push(t, provider, chunkOf(5))), { sent: 5 })
    t.equal(origin.received.filter((request) => bearer(request) === 'old').length, origin.received.length - 55)
  })

  t.test('refused for ever is a credentials error, and does not request token after token', async (t) => {
    const origin = await start(t, (request) => refuse(request, 401, 'THIRD_PARTY_AUTH_ERROR'))
    const google = await startGoogle(t)
    const clock = { now: Date.now() }
    const provider = open(t, origin.url, {
      tokens: new MemoryTokens().keep('old', 30 * MINUTE),
      tokenUrl: `${google.url}/token`,
      concurrency: 5,
      now: () => clock.now,
    })
    const outcomes = await push(t, provider, chunkOf(30))
    t.equal(outcomes.size, 30)
    const failure = { kind: 'credentials-error', reason: 'THIRD_PARTY_AUTH_ERROR' }
    for (const outcome of outcomes.values()) t.strictSame(outcome, failure)
    t.equal(google.received.length, 1)
    t.equal(origin.received.length, 35, 'one repetition for those that went with the old one')

    clock.now += MINUTE
    t.strictSame(inOrder(await push(t, provider, chunkOf(1))), [failure])
    t.equal(google.received.length, 2, 'a later push may try once more')
  })

  t.test('is not followed by a repetition after an abort', async (t) => {
    const controller = new AbortController()
    const origin = await start(t, (request) => {
      controller.abort()
      refuse(request, 401, 'UNAUTHENTICATED')
    })
    const google = await startGoogle(t)
    const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
    const provider = open(t, origin.url, { tokens, tokenUrl: `${google.url}/token`, concurrency: 1 })
    t.strictSame(
      [...(await push(t, provider, chunkOf(2), controller))],
      [[0, { kind: 'retry', reason: 'UNAUTHENTICATED' }]],
    )
    t.equal(origin.received.length, 1)
  })

  const REFUSED = [
    [
      400,
      { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' },
      'invalid_grant: Invalid JWT Signature.',
    ],
    [401, { error: 'invalid_client' }, 'invalid_client'],
    [403, 'forbidden', 'HTTP 403'],
  ] as const
  t.test('that Google refuses is a credentials error', async (t) => {
    const origin = await start(t, accept)
    for (const [status, body, reason] of REFUSED) {
      const google = await startGoogle(t, (received) => deny(received, status, body))
      const provider = open(t, origin.url, { tokens: new MemoryTokens(), tokenUrl: google.url })
      const failure = { kind: 'credentials-error', reason: `TokenRefused: ${reason}` }
      t.strictSame(inOrder(await push(t, provider, chunkOf(3))), [failure, failure, failure])
      t.equal(google.received.length, 1)
    }
    t.equal(origin.received.length, 0)
  })

  const UNAVAILABLE: [name: string, reply: (received: ReceivedRequest) => void, reason: RegExp][] = [
    ['in trouble', (received) => deny(received, 503, 'Try again'), /^TokenUnavailable: HTTP 503$/],
    ['too busy', (received) => deny(received, 429, { error: 'rate_limit_exceeded' }), /rate_limit_exceeded$/],
    ['failing itself', (received) => deny(received, 400, { error: 'internal_failure' }), /internal_failure$/],
    ['another server', (received) => deny(received, 200, '<html>'), /no access token in the response$/],
    ['not what it was', (received) => deny(received, 200, { access_token: 'a\nb', expires_in: 60 }), /no access token/],
    ['without an end', (received) => deny(received, 200, { access_token: 'token' }), /no access token/],
    ['hanging', () => {}, /aborted due to timeout/],
    ['hanging half-way', ({ response }) => void response.writeHead(200).write('{"access'), /aborted due to timeout/],
    ['cutting off', ({ response }) => void response.destroy(), /^TokenUnavailable: /],
  ]
  t.test('that cannot be had now is tried again later', async (t) => {
    const origin = await start(t, accept)
    for (const [name, reply, reason] of UNAVAILABLE) {
      const google = await startGoogle(t, (received, nth) => (nth === 1 ? reply(received) : grant(received, 'good')))
      const provider = open(t, origin.url, { tokens: new MemoryTokens(), tokenUrl: google.url, tokenTimeoutMs: 1_500 })
      const outcomes = inOrder(await push(t, provider, chunkOf(2)))
      t.match(
        outcomes,
        [
          { kind: 'retry', reason },
          { kind: 'retry', reason },
        ],
        name,
      )
      t.strictSame(kinds(await push(t, provider, chunkOf(1))), { sent: 1 }, `${name}, and well again`)
    }
    const [down] = inOrder(await push(t, open(t, origin.url, { tokens: new MemoryTokens() }), chunkOf(1)))
    t.match(down, { kind: 'retry', reason: /^TokenUnavailable: .*ECONNREFUSED/ })
  })

  t.test('is not requested from a server whose certificate is not trusted', async (t) => {
    const google = await startGoogle(t)
    const tokens = new MemoryTokens()
    const provider = open(t, 'https://localhost:1', { ca: undefined, tokens, tokenUrl: google.url })
    t.match(inOrder(await push(t, provider, chunkOf(1))), [{ kind: 'retry', reason: /certificate/ }])
    t.equal(google.received.length, 0)
  })

  t.test('is refused and cannot be replaced', async (t) => {
    const origin = await start(t, (request) => refuse(request, 401, 'UNAUTHENTICATED'))
    const google = await startGoogle(t, (received) => deny(received, 400, { error: 'invalid_grant' }))
    const kept = () => new MemoryTokens().keep('old', 30 * MINUTE)
    const refused = open(t, origin.url, { tokens: kept(), tokenUrl: google.url })
    t.strictSame(inOrder(await push(t, refused, chunkOf(1))), [
      { kind: 'credentials-error', reason: 'TokenRefused: invalid_grant' },
    ])
    const down = open(t, origin.url, { tokens: kept() })
    t.match(inOrder(await push(t, down, chunkOf(1))), [{ kind: 'retry', reason: /^TokenUnavailable/ }])
  })

  t.test('is not missed by a chunk that is aborted meanwhile', async (t) => {
    const controller = new AbortController()
    const google = await startGoogle(t, (received) => {
      controller.abort()
      deny(received, 503, '')
    })
    const provider = open(t, 'https://localhost:1', { tokens: new MemoryTokens(), tokenUrl: google.url })
    t.equal((await push(t, provider, chunkOf(3), controller)).size, 0)
  })

  t.test('and a cache that fails: nothing is pushed, and the chunk is not settled', async (t) => {
    const tokens = new MemoryTokens()
    tokens.failure = new Error('the store is away')
    const provider = open(t, 'https://localhost:1', { tokens })
    await t.rejects(push(t, provider, chunkOf(1)), { message: 'the store is away' })
  })
})

t.test('through a proxy', async (t) => {
  const origin = await start(t, accept)
  const google = await startGoogle(t)
  const received: string[] = []
  const proxy = createServer()
  proxy.on('connect', ({ url = '', headers }, client) => {
    received.push(`${url} ${headers['proxy-authorization']}`)
    const server = connect(Number(url.split(':')[1]), 'localhost', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      server.pipe(client).pipe(server)
    })
    // Either side may be cut off when the test ends.
    server.on('error', () => {})
    client.on('error', () => {})
  })
  proxy.listen(0, 'localhost')
  await once(proxy, 'listening')
  t.teardown(() => proxy.close())
  const { port } = proxy.address() as AddressInfo
  const provider = open(t, origin.url, {
    tokens: new MemoryTokens(),
    tokenUrl: google.url,
    proxy: { host: 'localhost', port, username: 'me', password: 'secret' },
  })
  t.strictSame(kinds(await push(t, provider, chunkOf(1))), { sent: 1 })
  const credentials = `Basic ${Buffer.from('me:secret').toString('base64')}`
  t.strictSame(received, [`${new URL(google.url).host} ${credentials}`, `${new URL(origin.url).host} ${credentials}`])
})

t.test('closing lets the chunks under way finish', async (t) => {
  let isClosing = false
  const origin = await start(t, (request) => isClosing && accept(request))
  const provider = open(t, origin.url, { concurrency: 1 })
  const pushed = push(t, provider, chunkOf(3))
  await origin.waitFor(1)
  isClosing = true
  const closed = provider.close()
  await t.rejects(push(t, provider, chunkOf(1)), { message: 'the FCM provider is closed' })
  const [first] = origin.received
  if (!first) throw new Error('nothing was received')
  const sessionClosed = once(first.session, 'close')
  accept(first)
  t.strictSame(kinds(await pushed), { sent: 3 })
  await Promise.all([closed, sessionClosed])
})
