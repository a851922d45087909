// What the APNs provider does alone, against a scripted APNs: what goes over the wire and to which service, when it gives a
// connection up, when it mints a provider token. provider-contract.test.ts has what all providers promise.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import apn from '@parse/node-apn'
import { createLogger, readConfig, type Logger } from '@push-server/runtime'
import { decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import t, { type Test } from 'tap'
import { parseApnsKey } from '../src/apns/credentials.ts'
import { openApnsProvider, type ApnsProviderOptions } from '../src/apns/provider.ts'
import { createApnsToken } from '../src/apns/token.ts'
import { PROVIDERS, type PushChunk, type PushTarget } from '../src/index.ts'
import { response, ca, startOrigin, type Received } from './_apns-origin.ts'
import { HELLO, inOrder, kinds, MemoryTokens, push, tokenOf, transport } from './_pushing.ts'

const MINUTE = 60_000
const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const credentials = {
  bundle: 'com.example.app',
  keyId: 'ABC123DEFG',
  teamId: 'TEAM123456',
  environment: null,
  privateKey: pem,
} as const

async function start(test: Test, onRequest: (request: Received) => void) {
  const origin = await startOrigin(onRequest)
  test.teardown(() => origin.stop())
  return origin
}

type Overrides = Partial<Omit<ApnsProviderOptions, 'origins'>> & { development?: string }

function open(test: Test, production: string, { development = 'https://localhost:1', ...overrides }: Overrides = {}) {
  const provider = openApnsProvider({
    credentials,
    tokens: new MemoryTokens(),
    origins: { production, development },
    ca,
    concurrency: 100,
    useDevelopment: false,
    requestTimeoutMs: 20_000,
    transport,
    log,
    ...overrides,
  })
  test.teardown(() => provider.close())
  return provider
}

const target = (index: number, rest: Partial<PushTarget> = {}): PushTarget => ({
  token: tokenOf(index),
  pushId: randomUUID(),
  message: 0,
  ...rest,
})
const chunkOf = (count: number): PushChunk => ({
  messages: [HELLO],
  targets: Array.from({ length: count }, (_, index) => target(index)),
})

t.test('what goes over the wire', async (t) => {
  const origin = await start(t, (request) => response(request))
  const tokens = new MemoryTokens()
  const provider = open(t, origin.url, { tokens })
  const silent = { body: { extras: { a: 1 } }, silent: true, priority: 'NORMAL' } as const
  const targets = [
    target(1),
    target(2, { message: 1 }),
    target(3, { token: '<A1B2 c3d4>', environment: 'production' }),
    target(4),
  ]
  const outcomes = await push(t, provider, { messages: [HELLO, silent], targets })

  t.strictSame(
    inOrder(outcomes),
    targets.map(({ pushId }) => ({ kind: 'sent', id: pushId })),
  )
  const received = targets.map(({ pushId }) => origin.received.find(({ headers }) => headers['apns-id'] === pushId))
  t.strictSame(
    received.map((request) => request?.headers[':path']),
    [`/3/device/${tokenOf(1)}`, `/3/device/${tokenOf(2)}`, '/3/device/A1B2c3d4', `/3/device/${tokenOf(4)}`],
  )
  t.strictSame(
    received.map((request) => request?.headers['apns-push-type']),
    ['alert', 'background', 'alert', 'alert'],
  )
  t.strictSame(JSON.parse(received[1]?.body ?? ''), { a: 1, aps: { 'content-available': 1 } })

  t.equal(tokens.minted.length, 1)
  const [token = ''] = tokens.minted
  for (const request of received) t.equal(request?.headers['authorization'], `bearer ${token}`)
  const { payload, protectedHeader } = await jwtVerify(token, publicKey)
  t.strictSame(protectedHeader, { alg: 'ES256', kid: 'ABC123DEFG' })
  t.strictSame(Object.keys(payload).sort(), ['iat', 'iss'])
  t.equal(payload.iss, 'TEAM123456')
  t.ok(Math.abs(Date.now() / 1_000 - (payload.iat ?? 0)) < 60)
})

t.test('it is what node-apn would have sent', async (t) => {
  const origin = await start(t, (request) => response(request))
  const body = {
    title: 'Title',
    titleLocKey: 'title.key',
    titleLocArgs: ['one'],
    body: 'Body',
    bodyLocKey: 'body.key',
    bodyLocArgs: ['two', 'three'],
    badge: 0,
    sound: 'default',
    category: 'category',
    collapseKey: 'thread',
    extras: { custom: { nested: [1, null] } },
  }
  const validUntil = Date.now() + 3_600_000
  const pushId = randomUUID()
  const own = open(t, origin.url)
  await push(t, own, {
    messages: [{ body, silent: false, priority: 'NORMAL', validUntil }],
    targets: [target(1, { pushId })],
  })

  const vendor = new apn.Provider({
    token: { key: pem, keyId: credentials.keyId, teamId: credentials.teamId },
    address: 'localhost',
    port: origin.port,
    ca: [ca],
  })
  const notification = new apn.Notification({
    id: pushId,
    topic: credentials.bundle,
    pushType: 'alert',
    priority: 5,
    expiry: Math.floor(validUntil / 1_000),
    collapseId: 'thread',
    threadId: 'thread',
    title: 'Title',
    titleLocKey: 'title.key',
    titleLocArgs: ['one'],
    body: 'Body',
    locKey: 'body.key',
    locArgs: ['two', 'three'],
    badge: 0,
    sound: 'default',
    category: 'category',
    payload: { custom: { nested: [1, null] } },
  })
  const { failed } = await vendor.send(notification, tokenOf(1))
  await vendor.shutdown()
  t.strictSame(failed, [])

  const [ours, theirs] = origin.received
  t.strictSame(JSON.parse(ours?.body ?? ''), JSON.parse(theirs?.body ?? ''))
  const comparable = ({ authorization, ...headers }: Received['headers'] = {}) => {
    const token = String(authorization).replace(/^bearer /, '')
    const { alg, kid } = decodeProtectedHeader(token)
    const { iss } = decodeJwt(token)
    // node-apn leaves the port out of the authority.
    const authority = headers[':authority']?.replace(/:\d+$/, '')
    return { ...Object.fromEntries(Object.entries(headers)), ':authority': authority, alg, kid, iss }
  }
  t.strictSame(comparable(ours?.headers), comparable(theirs?.headers))
})

t.test('each device goes to the service its token belongs to', async (t) => {
  const production = await start(t, (request) => response(request))
  const development = await start(t, (request) => response(request))
  const targets = [target(0), target(1, { environment: 'production' }), target(2, { environment: 'development' })]
  const tokensAt = ({ received }: { received: Received[] }) => received.splice(0).map(({ token }) => token)
  const cases = [
    { environment: null, useDevelopment: false, production: [tokenOf(0), tokenOf(1)], development: [] },
    { environment: null, useDevelopment: true, production: [tokenOf(1)], development: [tokenOf(0), tokenOf(2)] },
    { environment: 'production', useDevelopment: true, production: [tokenOf(0), tokenOf(1)], development: [] },
    {
      environment: 'development',
      useDevelopment: false,
      production: [tokenOf(1)],
      development: [tokenOf(0), tokenOf(2)],
    },
  ] as const
  for (const { environment, useDevelopment, ...expected } of cases) {
    const provider = open(t, production.url, {
      development: development.url,
      useDevelopment,
      credentials: { ...credentials, environment },
    })
    const outcomes = await push(t, provider, { messages: [HELLO], targets })
    const name = `${environment} and ${useDevelopment}`
    t.strictSame(tokensAt(production).sort(), expected.production, name)
    t.strictSame(tokensAt(development).sort(), expected.development, name)
    const refused = { kind: 'failed', reason: 'EnvironmentMismatch' }
    if (expected.development.length === 0) t.strictSame(outcomes.get(2), refused, name)
    t.equal(outcomes.size, 3, name)
  }
})

t.test('a connection that APNs has no use for is given up, and the provider token is kept', async (t) => {
  for (const [status, reason] of [
    [429, 'TooManyProviderTokenUpdates'],
    [503, 'Shutdown'],
    [400, 'IdleTimeout'],
  ] as const) {
    const origin = await start(t, (request) => {
      const isFirst = origin.received[0]?.session === request.session
      // The first push passes; whatever else this connection gets is refused.
      if (isFirst && origin.received.length > 1) response(request, status, { reason })
      else response(request)
    })
    const tokens = new MemoryTokens()
    const provider = open(t, origin.url, { tokens })
    t.strictSame(kinds(await push(t, provider, chunkOf(1))), { sent: 1 })
    const chunk = chunkOf(30)
    const outcomes = await push(t, provider, chunk)
    for (const outcome of outcomes.values()) if (outcome.kind !== 'sent') t.match(outcome, { kind: 'retry', reason })
    const again = chunk.targets.filter((_, index) => outcomes.get(index)?.kind === 'retry')
    t.ok(again.length > 0, reason)
    t.strictSame(kinds(await push(t, provider, { ...chunk, targets: again })), { sent: again.length })
    t.equal(new Set(origin.received.map(({ session }) => session)).size, 2, 'one new connection for all of them')
    t.equal(new Set(origin.received.map(({ headers }) => headers['authorization'])).size, 1)
    t.equal(tokens.minted.length, 1)
  }
})

t.test('a key that is not related to that of the connection is tried once on a connection of its own', async (t) => {
  const reason = 'UnrelatedKeyIdInToken'
  const refused = new Set<string>()
  const origin = await start(t, (request) => {
    const isFirst = origin.received[0]?.session === request.session
    if (isFirst && origin.received.length > 1) {
      refused.add(String(request.headers['apns-id']))
      response(request, 403, { reason })
    } else response(request)
  })
  const tokens = new MemoryTokens()
  const provider = open(t, origin.url, { tokens })
  t.strictSame(kinds(await push(t, provider, chunkOf(1))), { sent: 1 })
  const chunk = chunkOf(20)
  t.strictSame(kinds(await push(t, provider, chunk)), { sent: 20 }, 'no delivery fails for it')
  t.ok(refused.size > 0)
  t.equal(new Set(origin.received.map(({ session }) => session)).size, 2, 'one new connection for all of them')
  t.equal(origin.received.length, 1 + 20 + refused.size, 'each once more')
  t.equal(tokens.minted.length, 1)

  const always = await start(t, (request) => response(request, 403, { reason }))
  const outcomes = await push(t, open(t, always.url), chunkOf(1))
  t.strictSame(inOrder(outcomes), [{ kind: 'credentials-error', reason }], 'it came there too')
  t.equal(always.received.length, 2)
  t.equal(new Set(always.received.map(({ session }) => session)).size, 2)
})

t.test('the id of the development service stands behind that of the push', async (t) => {
  const uniqueId = '0b3b8b0f-6f2c-4e3f-9d2a-7a5b7c1f2d10'
  const origin = await start(t, (request) => response(request, 200, undefined, { 'apns-unique-id': uniqueId }))
  const chunk = chunkOf(1)
  const outcomes = await push(t, open(t, origin.url), chunk)
  t.strictSame(inOrder(outcomes), [{ kind: 'sent', id: `${chunk.targets[0]?.pushId} ${uniqueId}` }])
})

t.test('a provider token that APNs calls expired waits when it is too young to be replaced', async (t) => {
  const origin = await start(t, (request) => response(request, 403, { reason: 'ExpiredProviderToken' }))
  const tokens = new MemoryTokens().keep('young', 5 * MINUTE)
  const notBefore = (tokens.kept?.issuedAt ?? 0) + 20 * MINUTE
  const errors: object[] = []
  const watched = Object.assign(Object.create(log) as Logger, { error: (members: object) => void errors.push(members) })
  const outcomes = await push(t, open(t, origin.url, { tokens, log: watched }), chunkOf(3))
  t.match(errors, [{ reason: 'ExpiredProviderToken', ageMs: Number }], 'whoever is on call learns it at once, once')
  t.equal(errors.length, 1)
  const waits = { kind: 'retry', reason: 'ExpiredProviderToken', notBefore }
  t.strictSame(inOrder(outcomes), [waits, waits, waits])
  t.equal(origin.received.length, 3)
  t.strictSame(tokens.minted, [])
})

t.test('tokens are minted no more often than need be', async (t) => {
  const key = parseApnsKey(Buffer.from(pem))
  const scene = () => {
    const clock = { now: Date.UTC(2026, 0, 1) }
    const tokens = new MemoryTokens()
    const create = () => createApnsToken({ credentials, key, tokens, now: () => clock.now })
    return { clock, tokens, create, token: create() }
  }

  t.test('one token for 50 minutes, shared through the cache', async (t) => {
    const { clock, tokens, create, token } = scene()
    const first = await token.take()
    t.equal(first.issuedAt, clock.now)
    t.equal(first.expiresAt, clock.now + 60 * MINUTE)
    t.equal((await create().take()).value, first.value, 'another process')
    clock.now += 50 * MINUTE - 1
    t.equal((await token.take()).value, first.value)
    t.equal(tokens.keys.length, 2, 'a token that is kept is not requested again')
    clock.now += 1
    const second = await token.take()
    t.not(second.value, first.value)
    t.equal(second.issuedAt, clock.now)
    t.equal((await create().take()).value, second.value)
    t.equal(tokens.minted.length, 2)
  })

  t.test('one look-up at a time', async (t) => {
    const { tokens, token } = scene()
    const taken = await Promise.all(Array.from({ length: 10 }, () => token.take()))
    t.equal(new Set(taken).size, 1)
    t.equal(tokens.keys.length, 1)
  })

  t.test('a failed look-up is not remembered', async (t) => {
    const { tokens, token } = scene()
    tokens.failure = new Error('away')
    await t.rejects(token.take(), { message: 'away' })
    tokens.failure = undefined
    t.ok((await token.take()).value)
  })

  t.test('a refused one is replaced after 20 minutes, not before', async (t) => {
    const { clock, tokens, token } = scene()
    const first = await token.take()
    clock.now += 20 * MINUTE - 1
    t.equal((await token.renew(first)).value, first.value)
    clock.now += 1
    const [second, same] = await Promise.all([token.renew(first), token.renew(first)])
    t.not(second.value, first.value)
    t.equal(same.value, second.value)
    t.equal((await token.renew(first)).value, second.value, 'a late response to the old one')
    t.equal((await token.renew(second)).value, second.value)
    t.equal(tokens.minted.length, 2)
  })

  t.test('one that another process has replaced is taken over', async (t) => {
    const { clock, tokens, token, create } = scene()
    const first = await token.take()
    clock.now += 25 * MINUTE
    const second = await create().renew(first)
    t.equal((await token.renew(first)).value, second.value)
    t.equal(tokens.minted.length, 2)
  })

  t.test('one from the future is replaced, unless two clocks just differ a little', async (t) => {
    const { clock, token, create } = scene()
    const first = await token.take()
    clock.now -= 30_000
    t.equal((await create().take()).value, first.value)
    clock.now -= 2 * 60 * MINUTE
    const second = await token.take()
    t.not(second.value, first.value)
    t.equal(second.issuedAt, clock.now)
  })
})

t.test('the settings name the client that speaks HTTP/2', async (t) => {
  const kind = PROVIDERS.ios
  const { bundle, keyId, teamId } = credentials
  const settings = { bundle, keyId, teamId, environment: null }
  // By what a client allows its peer one can tell who it is: our own wants no table of headers.
  for (const [HTTP2_TRANSPORT, tableSize] of Object.entries({ lean: 0, node: 4096 })) {
    const seen: (number | undefined)[] = []
    const origin = await start(t, (request) => {
      seen.push(request.stream.session?.remoteSettings.headerTableSize)
      response(request)
    })
    const caFile = `${t.testdir({ 'ca.pem': ca })}/ca.pem`
    const config = readConfig({ APNS_PRODUCTION_URL: origin.url, APNS_CA_FILE: caFile, HTTP2_TRANSPORT })
    const provider = kind.open(
      { appId: 'my-app', settings, secret: Buffer.from(pem) },
      { config, log, tokens: new MemoryTokens(), now: Date.now },
    )
    t.strictSame(kinds(await push(t, provider, chunkOf(1))), { sent: 1 })
    t.same(seen, [tableSize], HTTP2_TRANSPORT)
    await provider.close()
  }
})
