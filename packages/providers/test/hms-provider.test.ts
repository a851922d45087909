// What the HMS provider does alone, against a scripted HMS: what goes over the wire, how targets share requests, how POSTs wait
// for connections. provider-contract.test.ts has what all providers promise.
import { randomUUID } from 'node:crypto'
import { createLogger, readConfig, type Logger } from '@push-server/runtime'
import t, { type Test } from 'tap'
import { createAccessToken } from '../src/hms/access-token.ts'
import { hms, hmsSecret } from '../src/hms/index.ts'
import { openPostClient } from '../src/hms/post-client.ts'
import { openHmsProvider, type HmsProviderOptions } from '../src/hms/provider.ts'
import type { PushChunk, PushMessage, PushTarget } from '../src/index.ts'
import type { TokenEndpoint } from '../src/oauth/token-endpoint.ts'
import { reply, ca, startOrigin, type Origin, type Received, type Script } from './_hms-origin.ts'
import { startProxy, startSilent } from './_network.ts'
import { inOrder, kinds, MemoryTokens, push } from './_pushing.ts'

const MINUTE = 60_000
const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const credentials = { projectId: '736430079245', clientId: '104', clientSecret: 's3cr3t & more' }

async function start(test: Test, onPush: Script['onPush']) {
  const origin = await startOrigin({ onPush })
  test.teardown(() => origin.stop())
  return origin
}

function open(test: Test, { url, tokenUrl }: Pick<Origin, 'url' | 'tokenUrl'>, more: Partial<HmsProviderOptions> = {}) {
  const provider = openHmsProvider({
    ...credentials,
    tokens: new MemoryTokens(),
    baseUrl: url,
    tokenUrl,
    ca,
    requestsInFlight: 16,
    requestTimeoutMs: 20_000,
    dataOnly: false,
    appId: 'my-app',
    log,
    ...more,
  })
  test.teardown(() => provider.close())
  return provider
}

const hello = (title = 'Hello'): PushMessage => ({ body: { title }, silent: false, priority: 'HIGH' })
const target = (index: number, message = 0): PushTarget => ({ token: `t${index}`, pushId: randomUUID(), message })
/** One message for all: one request. */
const together = (count: number): PushChunk => ({
  messages: [hello()],
  targets: Array.from({ length: count }, (_, index) => target(index)),
})
/** A message for each: as many requests. */
const apart = (count: number): PushChunk => ({
  messages: Array.from({ length: count }, (_, index) => hello(String(index))),
  targets: Array.from({ length: count }, (_, index) => target(index, index)),
})

const SENT = { kind: 'sent', id: 'r' }

t.test('what goes over the wire', async (t) => {
  const origin = await start(t, (request) => reply(request))
  const tokens = new MemoryTokens()
  const outcomes = await push(t, open(t, origin, { tokens }), together(3))
  t.strictSame(inOrder(outcomes), [SENT, SENT, SENT])

  t.strictSame(origin.bodies, [{ grant_type: 'client_credentials', client_id: '104', client_secret: 's3cr3t & more' }])
  t.equal(origin.received.length, 1)
  const [request] = origin.received
  t.equal(request?.path, '/v2/736430079245/messages:send')
  t.equal(request?.headers.authorization, 'Bearer access-1')
  t.match(request?.headers['content-type'], /^application\/json/)
  t.strictSame(JSON.parse(request?.body ?? '').message, {
    android: {
      urgency: 'HIGH',
      ttl: '1296000s',
      notification: {
        title: 'Hello',
        body: 'Hello',
        click_action: { type: 3 },
        importance: 'HIGH',
        foreground_show: true,
      },
    },
    token: ['t0', 't1', 't2'],
  })

  t.equal(new Set(tokens.keys).size, 1)
  t.match(tokens.keys[0], /^hms:[0-9a-f]{32}$/)
  t.notMatch(tokens.keys[0], credentials.clientId)
})

t.test('targets are grouped by message, by number and by bytes, and each is settled', async (t) => {
  const origin = await start(t, (request) => reply(request))
  const seen = () =>
    origin.received
      .splice(0)
      .map(({ title, tokens }) => `${title}: ${tokens.join(' ')}`)
      .sort()
  const mixed: PushChunk = {
    messages: [hello('A'), hello('B')],
    targets: [target(0), target(1, 1), target(2), target(0), target(3)],
  }
  t.strictSame(kinds(await push(t, open(t, origin), mixed)), { sent: 5 })
  t.strictSame(seen(), ['A: t0', 'A: t0 t2 t3', 'B: t1'], 'a token that comes twice is pushed to twice')

  t.strictSame(kinds(await push(t, open(t, origin, { tokensPerRequest: 2 }), mixed)), { sent: 5 })
  t.strictSame(seen(), ['A: t0', 'A: t0 t2', 'A: t3', 'B: t1'])

  const bytes = 'x'.repeat(1_000)
  const long: PushChunk = {
    messages: [hello()],
    targets: Array.from({ length: 10 }, (_, index) => ({ ...target(index), token: `${index}${bytes}` })),
  }
  t.strictSame(kinds(await push(t, open(t, origin, { requestBytes: 4_096 }), long)), { sent: 10 })
  t.strictSame(origin.received.map(({ tokens }) => tokens.length).sort(), [1, 3, 3, 3])
  t.ok(origin.received.every(({ body }) => Buffer.byteLength(body) <= 4_096))
})

t.test('a thousand tokens in a request, of which some are dead', async (t) => {
  const dead = Array.from({ length: 100 }, (_, index) => `t${index * 10}`)
  const origin = await start(t, (request) => {
    const msg = JSON.stringify({ success: 900, failure: 100, illegal_tokens: dead })
    reply(request, 200, { code: '80100000', msg, requestId: 'r' })
  })
  const outcomes = await push(t, open(t, origin), together(1_000))
  t.equal(origin.received.length, 1)
  t.strictSame(kinds(outcomes), { sent: 900, 'token-gone': 100 })
  t.strictSame(outcomes.get(990), { kind: 'token-gone', reason: '80100000 illegal token' })
  t.strictSame(outcomes.get(991), SENT)
})

t.test('a POST whose connection takes too long is unsent', async (t) => {
  const silent = await startSilent(t)
  const hanging = await startProxy(() => undefined)
  t.teardown(() => hanging.stop())
  for (const proxy of [undefined, { host: 'localhost', port: hanging.port }]) {
    const client = openPostClient({ proxy, connections: 1, connectTimeoutMs: 100, requestTimeoutMs: 5_000 })
    t.teardown(() => client.close())
    const post = { url: new URL(silent.url), headers: {}, body: '{}' }
    t.match(await Promise.all([client.post(post), client.post(post)]), [{ kind: 'unsent' }, { kind: 'unsent' }])
  }
})

/** Over one connection. */
function openPost(t: Test, { url }: Origin, times: { connectTimeoutMs: number; requestTimeoutMs: number }) {
  const client = openPostClient({ ca, connections: 1, ...times })
  t.teardown(() => client.close())
  return (title: string) => {
    const body = JSON.stringify({ message: { token: [], android: { notification: { title } } } })
    return client.post({ url: new URL(url), headers: {}, body })
  }
}

t.test('a POST that gave up waiting for a connection does not cost those who come next theirs', async (t) => {
  const sockets = new Set<unknown>()
  const held: Received[] = []
  const origin = await start(t, (request) => {
    sockets.add(request.response.socket)
    if (request.title === 'first') held.push(request)
    else reply(request)
  })
  const post = openPost(t, origin, { connectTimeoutMs: 1_000, requestTimeoutMs: 60_000 })
  const first = post('first')
  await origin.waitFor(1)
  t.match(await post('second'), { kind: 'unsent', reason: 'no connection in time' })
  for (const request of held) reply(request)
  t.match(await first, { kind: 'response' })
  t.match(await post('last'), { kind: 'response' })
  t.equal(origin.received.length, 2)
  t.equal(sockets.size, 1)
})

t.test('a POST that gave up waiting for a connection is not written later', async (t) => {
  const origin = await start(t, (request) => {
    if (request.title === 'last') reply(request)
  })
  const post = openPost(t, origin, { connectTimeoutMs: 1_500, requestTimeoutMs: 4_000 })
  const first = post('first')
  await origin.waitFor(1)
  t.match(await post('second'), { kind: 'unsent', reason: 'no connection in time' })
  t.match(await first, { kind: 'timeout' })
  t.match(await post('last'), { kind: 'response', status: 200 })
  t.strictSame(
    origin.received.map(({ title }) => title),
    ['first', 'last'],
  )
})

t.test('a proxy that left CONNECT without a response once is tried again', async (t) => {
  const origin = await start(t, (request) => reply(request))
  const proxy = await startProxy(() => (proxy.authorities.length === 1 ? undefined : 200))
  t.teardown(() => proxy.stop())
  const client = openPostClient({
    ca,
    proxy: { host: 'localhost', port: proxy.port },
    connections: 1,
    connectTimeoutMs: 200,
    requestTimeoutMs: 5_000,
  })
  t.teardown(() => client.close())
  const post = { url: new URL(origin.url), headers: {}, body: '{"message":{"token":[],"android":{}}}' }
  const attempts: string[] = []
  while (attempts.at(-1) !== 'response' && attempts.length < 50) attempts.push((await client.post(post)).kind)
  t.equal(attempts.at(0), 'unsent')
  t.equal(attempts.at(-1), 'response')
})

t.test('access tokens are minted no more often than need be', async (t) => {
  const scene = () => {
    const clock = { now: Date.UTC(2026, 0, 1) }
    const tokens = new MemoryTokens()
    const endpoint: TokenEndpoint = {
      async requestToken() {
        const value = `access-${tokens.minted.length + 1}`
        return { value, issuedAt: clock.now, expiresAt: clock.now + 60 * MINUTE }
      },
      async close() {},
    }
    const create = () =>
      createAccessToken({
        credentials: { clientId: '104', clientSecret: 'secret' },
        endpoint,
        tokens,
        now: () => clock.now,
      })
    return { clock, tokens, create, token: create() }
  }

  t.test('one until five minutes before its end, shared through the cache', async (t) => {
    const { clock, tokens, create, token } = scene()
    const first = await token.take()
    t.strictSame(first, { value: 'access-1', issuedAt: clock.now, expiresAt: clock.now + 60 * MINUTE })
    t.equal((await create().take()).value, 'access-1', 'another process')
    clock.now += 55 * MINUTE - 1
    t.equal((await token.take()).value, 'access-1')
    t.equal(tokens.keys.length, 2, 'a token that is kept is not requested again')
    clock.now += 1
    t.equal((await token.take()).value, 'access-2')
    t.equal((await create().take()).value, 'access-2')
    t.equal(tokens.minted.length, 2)
  })

  t.test('one look-up at a time, and a failed one is not remembered', async (t) => {
    const { tokens, token } = scene()
    tokens.failure = new Error('the store is away')
    await t.rejects(Promise.all([token.take(), token.take()]), { message: 'the store is away' })
    t.equal(tokens.keys.length, 1)
    tokens.failure = undefined
    t.equal((await token.take()).value, 'access-1')
  })

  t.test('a refused one is replaced once, and the replacement only after a minute', async (t) => {
    const { clock, tokens, create, token } = scene()
    const first = await token.take()
    const [second, same] = await Promise.all([token.renew(first), token.renew(first)])
    t.equal(second.value, 'access-2')
    t.equal(same.value, 'access-2')
    t.equal((await token.renew(first)).value, 'access-2', 'a late response to the old one')
    t.equal((await create().renew(first)).value, 'access-2', 'another process')
    t.equal(tokens.minted.length, 2)
    clock.now += MINUTE - 1
    t.equal((await token.renew(second)).value, 'access-2')
    clock.now += 1
    t.equal((await token.renew(second)).value, 'access-3')
  })
})

t.test('a refusal halves the requests in flight', async (t) => {
  const origin = await start(t, () => {})
  const provider = open(t, origin, { requestsInFlight: 8 })
  const waves: [size: number, status: number][] = [
    [8, 503],
    [4, 429],
    [2, 200],
    [2, 200],
  ]
  const pushed = push(t, provider, apart(16))
  let arrived = 0
  for (const [size, status] of waves) {
    const wave = [arrived, (arrived += size)]
    await origin.waitFor(arrived)
    t.equal(origin.open, size, `${size} at once`)
    for (const request of origin.received.slice(...wave)) {
      if (status === 200) reply(request)
      // At once: whoever names no time makes everything wait for a second.
      else reply(request, status, '', { 'retry-after': '0' })
    }
  }
  const outcomes = await pushed
  t.strictSame(kinds(outcomes), { retry: 12, sent: 4 })
  t.match(outcomes.get(0), { kind: 'retry', reason: 'HTTP 503' })
  t.equal(origin.received.length, 16)
})

t.test('a chunk that names no message costs no access token', async (t) => {
  const origin = await start(t, (request) => reply(request))
  await t.rejects(push(t, open(t, origin), { messages: [], targets: [target(0)] }), RangeError)
  t.equal(origin.bodies.length, 0)
})

t.test('collapse keys that HMS does not know are left out, which is said once', async (t) => {
  const origin = await start(t, (request) => reply(request))
  const notices: object[] = []
  const listening = Object.assign(Object.create(log) as Logger, { info: (fields: object) => notices.push(fields) })
  const provider = open(t, origin, { log: listening })
  const keyed = (collapseKey: string): PushChunk => ({
    messages: [{ ...hello(), body: { title: 'x', collapseKey } }],
    targets: [target(0)],
  })
  for (const key of ['7', '', 'balance', 'login', '8']) await push(t, provider, keyed(key))
  t.strictSame(
    origin.received.map(({ body }) => JSON.parse(body).message.android.collapse_key),
    [7, undefined, undefined, undefined, 8],
  )
  t.strictSame(notices, [{ projectId: credentials.projectId }])
})

t.test('the settings say whether a notification goes as data', async (t) => {
  const stored = { appId: 'my-app', settings: { projectId: credentials.projectId }, secret: hmsSecret(credentials) }
  const origin = await start(t, (request) => reply(request))
  const caFile = `${t.testdir({ 'ca.pem': ca })}/ca.pem`
  const config = readConfig({
    HMS_BASE_URL: origin.url,
    HMS_TOKEN_URL: origin.tokenUrl,
    HMS_CA_FILE: caFile,
    HMS_DATA_ONLY: 'true',
  })
  const provider = hms.open(stored, { config, log, tokens: new MemoryTokens(), now: Date.now })
  t.teardown(() => provider.close())
  t.strictSame(kinds(await push(t, provider, together(2))), { sent: 2 })
  t.equal(origin.received[0]?.title, undefined)
  t.match(origin.received[0]?.body, '_notification')
})
