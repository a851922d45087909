// What the FCM provider does alone, against a scripted FCM and token endpoint: what goes over the wire, how many connections it
// opens, when its access token ends. provider-contract.test.ts has what all providers promise.
import { generateKeyPairSync } from 'node:crypto'
import { Agent } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { createLogger } from '@push-server/runtime'
import { deleteApp, initializeApp } from 'firebase-admin/app'
import { getMessaging, type AndroidNotification } from 'firebase-admin/messaging'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { readServiceAccount } from '../src/fcm/credentials.ts'
import { openFcmProvider, type FcmProviderOptions } from '../src/fcm/provider.ts'
import type { PushChunk, PushMessage } from '../src/index.ts'
import { accept, bearer, ca, grant, startFcm, startHttps, type Received } from './_fcm-origin.ts'
import { HELLO, inOrder, kinds, MemoryTokens, push, transport } from './_pushing.ts'

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

async function start(test: Test, onRequest: (request: Received) => void) {
  const origin = await startFcm(onRequest)
  test.teardown(() => origin.stop())
  return origin
}

/** A token endpoint, which grants `token-1`, `token-2`, … */
async function startGoogle(test: Test) {
  const google = await startHttps((received) => grant(received, `token-${google.received.length}`))
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

const target = (token: string, message = 0) => ({ token, pushId: '', message })
const chunkOf = (count: number): PushChunk => ({
  messages: [HELLO],
  targets: Array.from({ length: count }, (_, index) => target(`t${index}`)),
})

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

t.test('a second connection is opened for what the first one does not take', async (t) => {
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

t.test('a quota of one device holds up that device only', async (t) => {
  const origin = await start(t, (request) => {
    if (request.token !== 't0') return accept(request)
    request.stream.respond({ ':status': 429, 'retry-after': '30' })
    const violations = [{ subject: 'device', description: 'Device message rate exceeded' }]
    const details = [{ '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations }]
    request.stream.end(JSON.stringify({ error: { code: 429, status: 'RESOURCE_EXHAUSTED', details } }))
  })
  t.strictSame(kinds(await push(t, open(t, origin.url, { concurrency: 1 }), chunkOf(10))), { retry: 1, sent: 9 })
})

t.test('the access token is replaced five minutes before its end', async (t) => {
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
