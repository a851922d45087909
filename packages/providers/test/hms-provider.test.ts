// The HMS provider against a scripted HMS: what goes over the wire, what is settled, and what is never done twice.
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createLogger, readConfig, type Logger } from '@push-server/runtime'
import t, { type Test } from 'tap'
import { createAccessToken } from '../src/hms/access-token.ts'
import { hms, hmsSecret } from '../src/hms/index.ts'
import { openPostClient } from '../src/hms/post-client.ts'
import { openHmsProvider, type HmsProviderOptions } from '../src/hms/provider.ts'
import type { PushChunk, PushMessage, PushTarget } from '../src/index.ts'
import type { TokenEndpoint } from '../src/oauth/token-endpoint.ts'
import { reply, ca, startOrigin, startProxy, type Origin, type Received, type Script } from './_hms-origin.ts'
import { inOrder, kinds, MemoryTokens, push } from './_pushing.ts'

const MINUTE = 60_000
const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const credentials = { projectId: '736430079245', clientId: '104', clientSecret: 's3cr3t & more' }

async function start(test: Test, onPush: Script['onPush'], onToken?: Script['onToken']) {
  const origin = await startOrigin({ onPush, ...(onToken && { onToken }) })
  test.teardown(() => origin.stop())
  return origin
}

/** Takes connections, and never says a word. */
async function startSilent(test: Test) {
  const server = createServer().listen(0, 'localhost')
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket.on('error', () => {})))
  const dialled = once(server, 'connection')
  await once(server, 'listening')
  test.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, dialled }
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
      notification: { title: 'Hello', click_action: { type: 3 }, importance: 'HIGH', foreground_show: true },
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

t.test('responses become outcomes', async (t) => {
  const now = Date.now()
  const scripts: [reply: (request: Received) => void, outcome: object][] = [
    [(request) => reply(request), SENT],
    [
      (request) => reply(request, 200, { code: '80300007', msg: 'All the tokens are invalid' }),
      { kind: 'token-doubtful', reason: '80300007 All the tokens are invalid' },
    ],
    [
      (request) => reply(request, 400, { code: '80100003', msg: 'Illegal payload, badge' }),
      { kind: 'failed', reason: '80100003 Illegal payload, badge' },
    ],
    [
      (request) => reply(request, 200, { code: '80300002', msg: 'No permission' }),
      { kind: 'credentials-error', reason: '80300002 No permission' },
    ],
    [
      (request) => reply(request, 200, { code: '81000001', msg: 'Inner Error.' }, { 'retry-after': '60' }),
      { kind: 'retry', reason: '81000001 Inner Error.', notBefore: now + 60_000 },
    ],
    [(request) => reply(request, 502, '<html>'), { kind: 'retry', reason: 'HTTP 502' }],
    [(request) => reply(request, 200, '<html>'), { kind: 'retry', reason: 'Unknown: HTTP 200 without a code' }],
    [({ response }) => response.socket?.destroy(), { kind: 'retry', reason: /^Unknown: \w/ }],
    [
      ({ response }) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{"code":"8000', () => response.socket?.destroy())
      },
      { kind: 'retry', reason: /^Unknown: \w/ },
    ],
    [
      ({ response }) => response.writeHead(200).end('x'.repeat(5 * 1024 * 1024)),
      { kind: 'retry', reason: /^Unknown: .*exceeded max size/ },
    ],
  ]
  const origin = await start(t, (request) => scripts[Number(request.title)]?.[0](request))
  const outcomes = await push(t, open(t, origin, { now: () => now }), apart(scripts.length))
  t.match(
    inOrder(outcomes),
    scripts.map(([, outcome]) => outcome),
  )
})

t.test('a push without a response ends at the deadline, also when the response began', async (t) => {
  const origin = await start(t, (request) => {
    if (request.title === '1') return
    if (request.title === '2') request.response.writeHead(200).write('{"code":')
    else reply(request)
  })
  const outcomes = await push(t, open(t, origin, { requestTimeoutMs: 1_500 }), apart(4))
  const timeout = { kind: 'retry', reason: 'Timeout: no response within 1500 ms' }
  t.strictSame(inOrder(outcomes), [SENT, timeout, timeout, SENT])
})

t.test('what never reached HMS is unsent', async (t) => {
  const origin = await start(t, (request) => reply(request))
  const refusing = await startProxy(() => 407)
  t.teardown(() => refusing.stop())
  const tokens = () => new MemoryTokens().keep('access', 0)

  const cases: [name: string, url: string, more: Partial<HmsProviderOptions>, reason: RegExp][] = [
    ['nobody listens', 'https://localhost:1', {}, /^Unsent: \w/],
    ['another certificate', origin.url, { ca: '' }, /^Unsent: .*certificate/],
    ['another name in it', `https://127.0.0.1:${origin.port}`, {}, /^Unsent: \w/],
    ['a proxy that refuses', origin.url, { proxy: { host: 'localhost', port: refusing.port } }, /^Unsent: .*407/],
    ['a proxy that is away', origin.url, { proxy: { host: 'localhost', port: 1 } }, /^Unsent: \w/],
  ]
  for (const [name, url, more, reason] of cases) {
    const outcomes = await push(t, open(t, { ...origin, url }, { tokens: tokens(), ...more }), together(2))
    t.match(
      inOrder(outcomes),
      [
        { kind: 'retry', reason },
        { kind: 'retry', reason },
      ],
      name,
    )
  }
  t.equal(origin.received.length, 0)

  t.test('a connection that takes too long', async (t) => {
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

t.test('an access token', async (t) => {
  t.test('is taken once for all that ask at the same time', async (t) => {
    const origin = await start(t, (request) => reply(request))
    const provider = open(t, origin)
    const all = await Promise.all(Array.from({ length: 50 }, () => push(t, provider, together(2))))
    for (const outcomes of all) t.strictSame(kinds(outcomes), { sent: 2 })
    t.equal(origin.bodies.length, 1)
    t.equal(origin.received.length, 50)
    await push(t, provider, together(1))
    t.equal(origin.bodies.length, 1)
  })

  for (const [name, refuse] of [
    ['HTTP 401', (request: Received) => reply(request, 401, '')],
    ['80200001', (request: Received) => reply(request, 200, { code: '80200001', msg: 'Oauth authentication error' })],
    ['80200003', (request: Received) => reply(request, 200, { code: '80200003', msg: 'Oauth token expired' })],
  ] as const) {
    t.test(`that is refused with ${name} is replaced once, and every request repeated`, async (t) => {
      const origin = await start(t, (request) => (request.access === 'old' ? refuse(request) : reply(request)))
      const tokens = new MemoryTokens().keep('old', 10 * MINUTE)
      const provider = open(t, origin, { tokens, requestsInFlight: 4 })
      t.strictSame(kinds(await push(t, provider, apart(20))), { sent: 20 })
      t.equal(origin.bodies.length, 1)
      t.ok(origin.received.length <= 24, 'what had not started yet went with the new one at once')
      const before = origin.received.length
      t.strictSame(kinds(await push(t, provider, apart(2))), { sent: 2 })
      t.equal(origin.received.length, before + 2)
    })
  }

  t.test('that is refused for ever costs one replacement and is a credentials error', async (t) => {
    const origin = await start(t, (request) => reply(request, 200, { code: '80200001', msg: 'Authentication Error.' }))
    const tokens = new MemoryTokens().keep('old', 10 * MINUTE)
    const outcomes = await push(t, open(t, origin, { tokens, requestsInFlight: 2 }), apart(10))
    const failure = { kind: 'credentials-error', reason: '80200001 Authentication Error.' }
    t.strictSame(
      inOrder(outcomes),
      Array.from({ length: 10 }, () => failure),
    )
    t.equal(origin.bodies.length, 1)
    t.ok(origin.received.length <= 12)
  })

  t.test('that cannot be replaced now lets the push wait', async (t) => {
    const origin = await start(
      t,
      (request) => reply(request, 401, ''),
      ({ socket }) => socket?.destroy(),
    )
    const warnings: string[] = []
    const tokens = new MemoryTokens().keep('old', 10 * MINUTE)
    const listening = Object.assign(Object.create(log) as Logger, {
      warn: (_: object, text: string) => warnings.push(text),
    })
    const provider = open(t, origin, { tokens, log: listening })
    const outcomes = await push(t, provider, together(2))
    const waits = { kind: 'retry', reason: /^TokenUnavailable: / }
    t.match(inOrder(outcomes), [waits, waits])
    tokens.failure = new Error('the store is away')
    const unkept = { kind: 'retry', reason: 'HTTP 401' }
    t.strictSame(inOrder(await push(t, provider, together(2))), [unkept, unkept])
    t.strictSame(warnings, ['HMS access token renewal failed'])
  })

  t.test('is not followed by a repetition after an abort', async (t) => {
    const controller = new AbortController()
    const origin = await start(t, (request) => {
      controller.abort()
      reply(request, 401, '')
    })
    const tokens = new MemoryTokens().keep('old', 10 * MINUTE)
    const outcomes = await push(t, open(t, origin, { tokens, requestsInFlight: 1 }), apart(2), controller)
    t.strictSame([...outcomes], [[0, { kind: 'retry', reason: 'HTTP 401' }]])
    t.equal(origin.received.length, 1)
  })

  t.test('of a refused client is a credentials error, and nothing is pushed', async (t) => {
    const refusal = { error: 1101, sub_error: 12304, error_description: 'invalid client_secret' }
    const origin = await start(
      t,
      (request) => reply(request, 401, ''),
      (response) => reply({ response }, 400, refusal),
    )
    const failure = { kind: 'credentials-error', reason: 'TokenRefused: invalid client_secret' }
    t.strictSame(inOrder(await push(t, open(t, origin), apart(2))), [failure, failure])
    t.equal(origin.received.length, 0)

    const tokens = new MemoryTokens().keep('old', 10 * MINUTE)
    t.strictSame(inOrder(await push(t, open(t, origin, { tokens }), together(2))), [failure, failure])
    t.equal(origin.received.length, 1, 'once with the old one')
  })

  t.test('that is not to be had now lets the chunk wait, and nothing is pushed', async (t) => {
    let isUnavailable = true
    const scripts: NonNullable<Script['onToken']>[] = [
      (response) => reply({ response }, 503, ''),
      (response) => response.socket?.destroy(),
      () => {},
      (response) => reply({ response }, 200, '<html>'),
    ]
    const origin = await start(
      t,
      (request) => reply(request),
      (response) => {
        const script = isUnavailable ? scripts[origin.bodies.length - 1] : undefined
        if (script) script(response, {})
        else reply({ response }, 200, { access_token: 'late', expires_in: 60 })
      },
    )
    const provider = open(t, origin, { tokenTimeoutMs: 1_500 })
    for (const reason of [/HTTP 503/, /\w/, /timeout/, /no access token/]) {
      const waits = { kind: 'retry', reason: /^TokenUnavailable: / }
      const outcomes = inOrder(await push(t, provider, together(2)))
      t.match(outcomes, [waits, waits])
      t.match(outcomes, [{ reason }, { reason }])
    }
    isUnavailable = false
    t.strictSame(kinds(await push(t, provider, together(1))), { sent: 1 })
    t.equal(origin.received.length, 1)
  })
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
    const create = (clientSecret = 'secret') =>
      createAccessToken({
        credentials: { clientId: '104', clientSecret },
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

  t.test('another secret has tokens of its own', async (t) => {
    const { tokens, token, create } = scene()
    await token.take()
    await create('another secret').take()
    t.not(tokens.keys[0], tokens.keys[1])
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

t.test('Retry-After holds back everything until then', async (t) => {
  let now = Date.now()
  const origin = await start(t, (request) => {
    if (origin.received.length === 1) reply(request, 503, '', { 'retry-after': '30' })
    else reply(request)
  })
  const provider = open(t, origin, { requestsInFlight: 1, now: () => now })
  const notBefore = now + 30_000
  const held = { kind: 'retry', reason: 'Unsent: HTTP 503', notBefore, unsent: true }
  t.strictSame(inOrder(await push(t, provider, apart(3))), [
    { kind: 'retry', reason: 'HTTP 503', notBefore },
    held,
    held,
  ])
  now = notBefore - 6_000
  t.strictSame(inOrder(await push(t, provider, together(1))), [held])
  t.equal(origin.received.length, 1)
  now = notBefore
  t.strictSame(kinds(await push(t, provider, together(2))), { sent: 2 })
})

t.test('a proxy is used for both calls, with its credentials', async (t) => {
  const origin = await start(t, (request) => reply(request))
  const expected = `Basic ${Buffer.from('user:pass word').toString('base64')}`
  const proxy = await startProxy((headers) => (headers['proxy-authorization'] === expected ? 200 : 407))
  t.teardown(() => proxy.stop())
  const through = { host: 'localhost', port: proxy.port, username: 'user', password: 'pass word' }
  const elsewhere = await start(t, (request) => reply(request))
  const provider = open(t, { url: origin.url, tokenUrl: elsewhere.tokenUrl }, { proxy: through })
  t.strictSame(kinds(await push(t, provider, together(2))), { sent: 2 })
  t.strictSame([...new Set(proxy.authorities)], [`localhost:${elsewhere.port}`, `localhost:${origin.port}`])
  t.equal(origin.received[0]?.headers['proxy-authorization'], undefined, 'HMS does not see them')

  const nobody = open(t, origin, { proxy: { ...through, password: 'wrong' } })
  t.match(inOrder(await push(t, nobody, together(1))), [{ kind: 'retry', reason: /^TokenUnavailable: .*407/ }])
})

t.test('the limit holds for requests in flight over all chunks', async (t) => {
  const origin = await start(t, (request) => {
    const { length } = origin.received
    // The first ones wait for each other.
    if (length === 4) for (const first of origin.received) reply(first)
    if (length > 4) setImmediate(() => reply(request))
  })
  const provider = open(t, origin, { requestsInFlight: 4 })
  const chunks = [apart(30), apart(20), together(5), apart(0)]
  const all = await Promise.all(chunks.map((chunk) => push(t, provider, chunk)))
  t.strictSame(
    all.map(({ size }) => size),
    [30, 20, 5, 0],
  )
  t.equal(origin.received.length, 51)
  t.equal(origin.peak, 4)
})

t.test('an abort', async (t) => {
  t.test('starts nothing more and settles what is in flight', async (t) => {
    const origin = await start(t, () => {})
    const provider = open(t, origin, { requestsInFlight: 2 })
    const controller = new AbortController()
    const pushed = push(t, provider, apart(6), controller)
    await origin.waitFor(2)
    controller.abort()
    for (const request of origin.received) reply(request)
    const outcomes = await pushed
    t.strictSame([...outcomes.keys()].sort(), [0, 1])
    t.strictSame(kinds(outcomes), { sent: 2 })
    t.equal((await push(t, provider, apart(3), controller)).size, 0)
    t.equal(origin.received.length, 2)
  })

  t.test('withdraws what still waits for a connection, unsettled', async (t) => {
    const silent = await startSilent(t)
    const controller = new AbortController()
    const tokens = new MemoryTokens().keep('access', 0)
    const provider = open(t, { url: silent.url, tokenUrl: 'https://localhost:1' }, { tokens })
    const pushed = push(t, provider, apart(3), controller)
    await silent.dialled
    controller.abort()
    t.equal((await pushed).size, 0)
  })
})

t.test('a chunk that names no message is refused, and nothing is pushed', async (t) => {
  const origin = await start(t, (request) => reply(request))
  await t.rejects(push(t, open(t, origin), { messages: [], targets: [target(0)] }), RangeError)
  t.equal(origin.bodies.length + origin.received.length, 0)
})

t.test('closing lets the chunks under way finish', async (t) => {
  let isClosing = false
  const origin = await start(t, (request) => isClosing && reply(request))
  const provider = open(t, origin, { requestsInFlight: 1 })
  const pushed = push(t, provider, apart(3))
  await origin.waitFor(1)
  const closed = provider.close()
  isClosing = true
  await t.rejects(push(t, provider, together(1)), { message: 'the HMS provider is closed' })
  const [first] = origin.received
  if (!first) throw new Error('nothing was received')
  const connection = once(first.response.socket ?? first.response, 'close')
  reply(first)
  t.strictSame(kinds(await pushed), { sent: 3 })
  await Promise.all([closed, connection])
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

t.test('as one of the providers', async (t) => {
  const settings = { projectId: credentials.projectId }
  const stored = { settings, secret: hmsSecret(credentials) }
  t.doesNotThrow(() => hms.verify(stored))
  t.throws(() => hms.verify({ ...stored, settings: {} }), { name: 'InvalidCredentials' })
  t.throws(() => hms.verify({ ...stored, secret: Buffer.from('s3cr3t') }), { name: 'InvalidCredentials' })
  t.strictSame(hms.check(hello(), readConfig({})), [])

  const origin = await start(t, (request) => reply(request))
  const caFile = `${t.testdir({ 'ca.pem': ca })}/ca.pem`
  const config = readConfig({
    HMS_BASE_URL: origin.url,
    HMS_TOKEN_URL: origin.tokenUrl,
    HMS_CA_FILE: caFile,
    HMS_DATA_ONLY: 'true',
  })
  const provider = hms.open(stored, { config, log, tokens: new MemoryTokens() })
  t.teardown(() => provider.close())
  t.strictSame(kinds(await push(t, provider, together(2))), { sent: 2 })
  t.equal(origin.received[0]?.title, undefined)
  t.match(origin.received[0]?.body, '_notification')
  t.throws(() => hms.open({ ...stored, settings: {} }, { config, log, tokens: new MemoryTokens() }), {
    name: 'InvalidCredentials',
  })
})
