// What every provider promises to the domain, in ../src/provider.ts and ../src/provider-kind.ts: each promise is checked for each
// provider, against a scripted server of its vendor. What one of them does alone stands in the tests of that provider.
import { once } from 'node:events'
import { inspect } from 'node:util'
import { DOCUMENTED_BODY } from '@push-server/contract'
import { createLogger, readConfig, type Logger } from '@push-server/runtime'
import t, { type Test } from 'tap'
import { InvalidCredentials, PROVIDERS, STALE, type Outcome, type PushChunk, type PushMessage } from '../src/index.ts'
import { makeCredentials, secretsOf } from './_credentials.ts'
import { startProxy, startSilent } from './_network.ts'
import {
  apart,
  HELLO,
  inOrder,
  kinds,
  MemoryTokens,
  push,
  targetOf,
  together,
  tokenOf,
  tokensOf,
  transport,
} from './_pushing.ts'
import { SCRIPTED_PROVIDERS, type OpenOptions, type ScriptedProvider } from './_scripted-providers.ts'
import { respondWith, type ReceivedPush, type Response, type Script, type ScriptedServer } from './_scripted-server.ts'

const MINUTE = 60_000
const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')

type Run = (t: Test, scripted: ScriptedProvider) => Promise<void>

/** Defines a test that runs once for each of them, side by side. */
const testOf = (providers: readonly ScriptedProvider[]) => (parent: Test, promise: string, run: Run) =>
  void parent.test(promise, async (t) => {
    t.jobs = providers.length
    await Promise.all(providers.map((scripted) => t.test(scripted.name, { buffered: true }, (t) => run(t, scripted))))
  })

const each = testOf(SCRIPTED_PROVIDERS)
const eachWithTokenEndpoint = testOf(SCRIPTED_PROVIDERS.filter(({ hasTokenEndpoint }) => hasTokenEndpoint))

/** By default every push is accepted. */
async function start(test: Test, scripted: ScriptedProvider, script: Partial<Script> = {}) {
  const server = await scripted.start({ onPush: (push) => scripted.serve(push), ...script })
  test.teardown(() => server.stop())
  return server
}

type Address = Pick<ScriptedServer, 'url' | 'tokenUrl'>

function open(test: Test, scripted: ScriptedProvider, { address, ...options }: OpenOptions & { address: Address }) {
  const provider = scripted.open(address, options)
  test.teardown(() => provider.close())
  return provider
}

/** A logger that keeps what it is given, before anything is redacted. */
function recordingLog() {
  const entries: { level: string; fields: unknown; message: string }[] = []
  const recorder = (level: string) => (fields: unknown, message: string) =>
    void entries.push({ level, fields, message })
  const recording = Object.assign(
    Object.create(log) as Logger,
    Object.fromEntries(['trace', 'debug', 'info', 'warn', 'error'].map((level) => [level, recorder(level)])),
  )
  const warnings = () => entries.filter(({ level }) => level === 'warn').map(({ message }) => message)
  return { log: recording, entries, warnings }
}

const withoutTime = ({ notBefore: _, ...outcome }: Outcome & { notBefore?: number }) => outcome

function errorOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
}

each(t, 'each device gets one outcome, at its own place', async (t, scripted) => {
  const dead = new Set([tokenOf(3)])
  let first: ReceivedPush | undefined
  // The first push gets its response after the second one.
  const server = await start(t, scripted, {
    onPush(push) {
      first ??= push
      if (push !== first) scripted.serve(push, dead)
      if (server.received.length === 2) scripted.serve(first, dead)
    },
  })
  const places = [
    [1, 0],
    [2, 0],
    [3, 0],
    [1, 0],
    [4, 1],
    [1, 1],
  ] as const
  const chunk: PushChunk = {
    messages: [HELLO, { ...HELLO, body: { title: 'Another message' } }],
    targets: places.map(([token, message]) => targetOf(tokenOf(token), message)),
  }
  const outcomes = await push(t, open(t, scripted, { address: server }), chunk)
  t.strictSame(
    inOrder(outcomes),
    chunk.targets.map((target) => (dead.has(target.token) ? scripted.gone : scripted.sent(target))),
  )
  t.strictSame([...outcomes.keys()].sort(), [...chunk.targets.keys()])
  t.strictSame(server.received.flatMap(({ tokens }) => tokens).sort(), chunk.targets.map(({ token }) => token).sort())
})

each(t, 'every response becomes its outcome', async (t, scripted) => {
  const now = Date.now()
  const responses = scripted.responses(now)
  const endings: [name: string, end: (push: ReceivedPush) => void, reason: RegExp][] = [
    ['no response', (push) => push.reset(), /^Unknown: \w/],
    ['half a response', (push) => void push.begin().then(push.reset), /^Unknown: \w/],
    [
      'a response without end',
      (push) => push.respond({ body: 'x'.repeat(scripted.longest.bytes) }),
      scripted.longest.reason,
    ],
  ]
  const reactions = [
    ...responses.map(
      ([, response]) =>
        (push: ReceivedPush) =>
          push.respond(response),
    ),
    ...endings.map(([, end]) => end),
  ]
  const tokens = tokensOf(reactions.length)
  const server = await start(t, scripted, {
    onPush: (push) => reactions[tokens.indexOf(push.tokens[0] ?? '')]?.(push),
  })
  const outcomes = inOrder(await push(t, open(t, scripted, { address: server, now: () => now }), apart(tokens)))
  for (const [index, [name, , outcome]] of responses.entries()) t.strictSame(outcomes[index], outcome, name)
  for (const [index, [name, , reason]] of endings.entries())
    t.match(outcomes[responses.length + index], { kind: 'retry', reason, unsent: undefined }, name)
  t.equal(outcomes.length, reactions.length)
  const all = new Set([...responses.map(([, , { kind }]) => kind), scripted.gone.kind])
  t.equal(all.size, 6, 'every kind of outcome')
})

each(t, 'when our credentials are refused, no device is to blame', async (t, scripted) => {
  const [, response = {}, outcome] = scripted.responses(0).find(([, , { kind }]) => kind === 'credentials-error') ?? []
  const server = await start(t, scripted, { onPush: (push) => push.respond(response) })
  const provider = open(t, scripted, { address: server })
  t.strictSame(inOrder(await push(t, provider, apart(tokensOf(3)))), [outcome, outcome, outcome])
  t.match(provider.state(), {
    connection: 'up',
    failure: { reason: outcome && 'reason' in outcome && outcome.reason },
  })
})

each(t, 'what never arrived is unsent', async (t, scripted) => {
  const server = await start(t, scripted)
  const refusing = await startProxy(() => 407)
  t.teardown(() => refusing.stop())
  const byIp = server.url.replace('localhost', '127.0.0.1')
  const cases: [name: string, url: string, options: OpenOptions, reason: RegExp][] = [
    ['nobody listens', 'https://localhost:1', {}, /^Unsent: \w/],
    ['another certificate', server.url, { ca: undefined }, /^Unsent: .*certificate/],
    ['another name in it', byIp, {}, /^Unsent: \w/],
    ['a proxy that refuses', server.url, { proxy: { host: 'localhost', port: refusing.port } }, /^Unsent: .*407/],
    ['a proxy that is away', server.url, { proxy: { host: 'localhost', port: 1 } }, /^Unsent: \w/],
  ]
  // HTTP/2 waits ten seconds for a connection, so all of them wait together.
  await Promise.all(
    cases.map(async ([name, url, options, reason]) => {
      const provider = open(t, scripted, { address: { ...server, url }, ...options })
      const unsent = { kind: 'retry', reason, unsent: true }
      t.match(inOrder(await push(t, provider, apart(tokensOf(2)))), [unsent, unsent], name)
      t.match(provider.state(), { connection: 'down', failure: { reason } }, name)
    }),
  )
  t.equal(server.received.length, 0)
})

each(t, 'a push without a response ends at the deadline, also when the response began', async (t, scripted) => {
  const server = await start(t, scripted, {
    onPush(push) {
      if (push.tokens.includes(tokenOf(1))) return
      if (push.tokens.includes(tokenOf(2))) void push.begin()
      else scripted.serve(push)
    },
  })
  const chunk = apart(tokensOf(4))
  const outcomes = await push(t, open(t, scripted, { address: server, requestTimeoutMs: 3_000 }), chunk)
  const timeout = { kind: 'retry', reason: 'Timeout: no response within 3000 ms' }
  t.strictSame(kinds(outcomes), { sent: 2, retry: 2 })
  t.strictSame([outcomes.get(1), outcomes.get(2)], [timeout, timeout])
})

each(t, 'after a failure the next push goes through', async (t, scripted) => {
  const failures: [name: string, fail: (push: ReceivedPush) => void, connection: string, reason: RegExp][] = [
    ['a lost connection', (push) => push.disconnect(), 'down', /^Unknown: \w/],
    ['one lost in a response', (push) => void push.begin().then(push.disconnect), 'down', /^Unknown: \w/],
    ['an error', (push) => push.respond({ status: 500 }), 'up', /^HTTP 500$/],
  ]
  for (const [name, fail, connection, reason] of failures) {
    let isFailing = true
    const server = await start(t, scripted, { onPush: (push) => (isFailing ? fail(push) : scripted.serve(push)) })
    const provider = open(t, scripted, { address: server })
    t.strictSame(provider.state(), { connection: 'idle' }, name)
    const before = Date.now()
    t.match(inOrder(await push(t, provider, together(tokensOf(1)))), [{ kind: 'retry', reason }], name)
    const { failure, ...state } = provider.state()
    t.strictSame(state, { connection }, name)
    t.match(failure?.reason, reason, name)
    t.ok(failure && failure.at >= before && failure.at <= Date.now(), name)
    isFailing = false
    t.strictSame(kinds(await push(t, provider, apart(tokensOf(3)))), { sent: 3 }, name)
    t.equal(provider.state().connection, 'up', name)
  }
})

each(t, 'each response is reported with its latency, and each push without one', async (t, scripted) => {
  const [silent, failing] = [tokenOf(1), tokenOf(2)]
  const server = await start(t, scripted, {
    onPush(push) {
      if (push.tokens.includes(silent)) push.reset()
      else if (push.tokens.includes(failing)) push.respond({ status: 502 })
      else scripted.serve(push)
    },
  })
  const latencies: number[] = []
  const reasons: string[] = []
  await open(t, scripted, { address: server }).push(apart(tokensOf(3)), {
    signal: new AbortController().signal,
    settle() {},
    responded: (seconds) => latencies.push(seconds),
    withoutResponse: (reason) => reasons.push(reason),
  })
  t.equal(latencies.length, 2)
  t.ok(
    latencies.every((seconds) => seconds > 0 && seconds < 20),
    latencies.join(' '),
  )
  t.equal(reasons.length, 1)
  t.match(reasons[0], /\w/)
})

each(t, 'the limit holds for pushes in flight over all chunks', async (t, scripted) => {
  const server = await start(t, scripted, {
    onPush(push) {
      const { length } = server.received
      // The first ones wait for each other.
      if (length === 4) for (const first of server.received) scripted.serve(first)
      if (length > 4) setImmediate(() => scripted.serve(push))
    },
  })
  const provider = open(t, scripted, { address: server, concurrency: 4 })
  const all = await Promise.all([30, 20, 1, 0].map((count) => push(t, provider, apart(tokensOf(count)))))
  t.strictSame(all.map(kinds), [{ sent: 30 }, { sent: 20 }, { sent: 1 }, {}])
  t.equal(server.received.length, 51)
  t.equal(server.peak, 4)
})

each(t, 'a chunk of any size: none, the largest, and one more than that', async (t, scripted) => {
  const { direct, campaign } = PROVIDERS[scripted.platform].chunkSize
  for (const size of new Set([0, 1, direct, campaign, campaign + 1])) {
    const tokens = tokensOf(size)
    const dead = new Set(tokens.filter((_, index) => index % 10 === 3))
    const server = await start(t, scripted, { onPush: (push) => scripted.serve(push, dead) })
    const chunk = together(tokens)
    t.strictSame(
      inOrder(await push(t, open(t, scripted, { address: server }), chunk)),
      chunk.targets.map((target) => (dead.has(target.token) ? scripted.gone : scripted.sent(target))),
      `${size}`,
    )
    t.strictSame(server.received.flatMap((push) => push.tokens).sort(), tokens, `${size}: each once`)
  }
})

each(t, 'texts arrive as they are', async (t, scripted) => {
  const texts = {
    'letters and emoji': 'žluťoučký kůň 🐎 👩‍👩‍👧‍👦 e\u0301',
    'right to left': 'עברית \u202eabc\u202c',
    'control characters': '\0\x01\x1f\x7f\x80\t\r\n',
    'signs of JSON and HTML': '"\\/\\u0041{}</script>',
    'line ends of JavaScript': '\u2028\u2029\ufeff',
    'half a pair': '\ud800 \udc00',
    'a blank': ' ',
  }
  const server = await start(t, scripted)
  const messages = Object.values(texts).map((text): PushMessage => ({
    ...HELLO,
    body: { title: text, body: text, extras: { text } },
  }))
  const tokens = tokensOf(messages.length)
  const targets = tokens.map((token, index) => targetOf(token, index))
  t.strictSame(kinds(await push(t, open(t, scripted, { address: server }), { messages, targets })), {
    sent: tokens.length,
  })
  for (const [index, [name, text]] of Object.entries(texts).entries()) {
    const received = server.received.find((push) => push.tokens.includes(tokenOf(index)))
    t.strictSame(scripted.textsOf(received?.body ?? ''), { title: text, body: text, extras: text }, name)
  }
})

each(t, 'arguments of a localised text may be null, empty or absent alike', async (t, scripted) => {
  const server = await start(t, scripted)
  const messages = [null, [], undefined].map((args): PushMessage => ({
    ...HELLO,
    body: { titleLocKey: 'title', titleLocArgs: args, bodyLocKey: 'body', bodyLocArgs: args },
  }))
  const targets = messages.map((_, message) => targetOf(tokenOf(0), message))
  const outcomes = await push(t, open(t, scripted, { address: server }), { messages, targets })
  t.strictSame(kinds(outcomes), { sent: 3 })
  t.equal(server.received.length, 3)
  t.equal(new Set(server.received.map(({ body }) => body)).size, 1)
})

t.test('an abort', async (t) => {
  each(t, 'starts nothing more and settles what is in flight', async (t, scripted) => {
    const server = await start(t, scripted, { onPush() {} })
    const provider = open(t, scripted, { address: server, concurrency: 2 })
    const controller = new AbortController()
    const pushed = push(t, provider, apart(tokensOf(6)), controller)
    await server.waitFor(2)
    controller.abort()
    for (const request of server.received) scripted.serve(request)
    const outcomes = await pushed
    t.strictSame([...outcomes.keys()].sort(), [0, 1])
    t.strictSame(kinds(outcomes), { sent: 2 })
    t.equal(server.received.length, 2)
    t.equal((await push(t, provider, apart(tokensOf(3)), controller)).size, 0)
    t.equal(server.received.length, 2)
  })

  const ABORTS: [name: string, reason: string | undefined, unsent: number[]][] = [
    ['withdraws what waits for a stream or a connection, unsettled', undefined, []],
    ['for stale recipients settles it as unsent', STALE, [1, 2]],
  ]
  for (const [name, reason, unsent] of ABORTS)
    each(t, name, async (t, scripted) => {
      const server = await start(t, scripted, { onPush() {}, streams: 1 })
      const provider = open(t, scripted, { address: server, connections: 1, concurrency: 3 })
      const controller = new AbortController()
      const pushed = push(t, provider, apart(tokensOf(5)), controller)
      await server.waitFor(1)
      controller.abort(reason)
      for (const request of server.received) scripted.serve(request)
      const outcomes = await pushed
      t.strictSame([...outcomes.keys()].sort(), [0, ...unsent])
      t.equal(outcomes.get(0)?.kind, 'sent')
      for (const index of unsent) t.match(outcomes.get(index), { kind: 'retry', reason: /^Unsent: /, unsent: true })
      t.equal(server.received.length, 1)
    })

  each(t, 'withdraws what waits for a connection that does not open', async (t, scripted) => {
    const silent = await startSilent(t)
    const controller = new AbortController()
    const provider = open(t, scripted, { address: { url: silent.url, tokenUrl: undefined } })
    const pushed = push(t, provider, apart(tokensOf(3)), controller)
    await silent.dialled
    controller.abort()
    t.equal((await pushed).size, 0)
  })
})

each(t, 'a connection that takes no more loses nothing', async (t, scripted) => {
  const counts = new Map<object, number>()
  const server = await start(t, scripted, {
    onPush(push) {
      const count = (counts.get(push.connection) ?? 0) + 1
      counts.set(push.connection, count)
      // Each of the first connections says so with its fifth push, and responds to what it has.
      if (counts.size <= 3 && count === 5) push.retire()
      setImmediate(() => scripted.serve(push))
    },
  })
  const provider = open(t, scripted, { address: server, concurrency: 10, connections: 1 })
  t.strictSame(kinds(await push(t, provider, apart(tokensOf(100)))), { sent: 100 })
  t.equal(new Set(server.received.flatMap(({ tokens }) => tokens)).size, 100)
  t.ok(counts.size > 3)
})

t.test('a provider token', async (t) => {
  each(t, 'is minted once for all, and its key in the cache shows no secret', async (t, scripted) => {
    const server = await start(t, scripted)
    const tokens = new MemoryTokens()
    const provider = open(t, scripted, { address: server, tokens })
    const all = await Promise.all(Array.from({ length: 50 }, () => push(t, provider, together(tokensOf(2)))))
    for (const outcomes of all) t.strictSame(kinds(outcomes), { sent: 2 })
    const other = open(t, scripted, { address: server, tokens })
    t.strictSame(kinds(await push(t, other, together(tokensOf(1)))), { sent: 1 }, 'another worker')
    t.equal(tokens.minted.length, 1)
    t.equal(server.tokenRequests, scripted.hasTokenEndpoint ? 1 : 0)
    t.strictSame([...new Set(server.received.map(({ access }) => access))], tokens.minted)

    const secret = makeCredentials()[scripted.platform].secret
    const renewed = open(t, scripted, { address: server, tokens, credentials: { ...scripted.credentials, secret } })
    await push(t, renewed, together(tokensOf(1)))
    const keys = [...new Set(tokens.keys)]
    t.equal(keys.length, 2, 'another key under the same names has tokens of its own')
    for (const key of keys) t.match(key, scripted.cacheKey)
  })

  each(t, 'that is refused is replaced once, and every push repeated with the new one', async (t, scripted) => {
    for (const { response, reason } of scripted.tokenRefusals) {
      const server = await start(t, scripted, {
        onPush: (push) => (push.access === 'old' ? push.respond(response) : scripted.serve(push)),
      })
      const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
      const provider = open(t, scripted, { address: server, tokens, concurrency: 20 })
      const chunk = apart(tokensOf(50))
      const outcomes = await push(t, provider, chunk)
      t.strictSame(inOrder(outcomes), chunk.targets.map(scripted.sent), reason)
      t.equal(tokens.minted.length, 1, reason)
      t.equal(server.tokenRequests, scripted.hasTokenEndpoint ? 1 : 0, reason)
      const attempts = server.received.filter((push) => push.tokens.includes(tokenOf(0)))
      t.equal(attempts.length, 2, reason)
      t.equal(
        new Set(attempts.map(({ body, headers }) => `${body} ${String(headers['apns-id'])}`)).size,
        1,
        `${reason}: the same`,
      )
      t.ok(server.received.length <= 70, 'what had not started yet went with the new one at once')
      const before = server.received.length
      t.strictSame(kinds(await push(t, provider, apart(tokensOf(5)))), { sent: 5 }, reason)
      t.equal(server.received.length, before + 5, reason)
      t.equal(server.received.filter(({ access }) => access === 'old').length, before - 50, reason)
    }
  })

  each(t, 'that stays refused costs one repetition, and no token after token', async (t, scripted) => {
    for (const { response, reason, final } of scripted.tokenRefusals) {
      const server = await start(t, scripted, { onPush: (push) => push.respond(response) })
      const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
      const clock = { now: Date.now() }
      const provider = open(t, scripted, { address: server, tokens, concurrency: 5, now: () => clock.now })
      const outcomes = inOrder(await push(t, provider, apart(tokensOf(30))))
      t.equal(outcomes.length, 30, reason)
      for (const outcome of outcomes) t.strictSame(withoutTime(outcome), final, reason)
      t.equal(tokens.minted.length, 1, reason)
      t.equal(server.received.length, 35, `${reason}: one repetition for those that went with the old one`)

      clock.now += scripted.replaceableAfterMs
      const later = inOrder(await push(t, provider, apart(tokensOf(1))))
      t.strictSame(later.map(withoutTime), [final], reason)
      t.equal(tokens.minted.length, 2, `${reason}: a later push may try once more`)
    }
  })

  each(t, 'costs one repetition also when others keep replacing it', async (t, scripted) => {
    for (const { response, reason, final } of scripted.tokenRefusals) {
      const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
      const server = await start(t, scripted, {
        onPush(push) {
          tokens.keep(`other-${server.received.length}`, 30 * MINUTE)
          push.respond(response)
        },
      })
      const outcomes = await push(t, open(t, scripted, { address: server, tokens }), apart(tokensOf(1)))
      t.strictSame([...outcomes], [[0, final]], reason)
      t.equal(server.received.length, 2, reason)
    }
  })

  each(t, 'that is refused is not followed by a repetition after an abort', async (t, scripted) => {
    for (const { response, reason } of scripted.tokenRefusals) {
      const controller = new AbortController()
      const server = await start(t, scripted, {
        onPush(push) {
          controller.abort()
          push.respond(response)
        },
      })
      const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
      const provider = open(t, scripted, { address: server, tokens, concurrency: 1 })
      t.strictSame([...(await push(t, provider, apart(tokensOf(2)), controller))], [[0, { kind: 'retry', reason }]])
      t.equal(server.received.length, 1, reason)
    }
  })

  each(t, 'that is refused lets the push wait when the cache fails', async (t, scripted) => {
    for (const { response, reason } of scripted.tokenRefusals) {
      const tokens = new MemoryTokens().keep('old', 30 * MINUTE)
      const server = await start(t, scripted, {
        onPush(push) {
          tokens.failure = new Error('the store is away')
          push.respond(response)
        },
      })
      const { log, warnings } = recordingLog()
      const outcomes = await push(t, open(t, scripted, { address: server, tokens, log }), together(tokensOf(1)))
      t.strictSame([...outcomes], [[0, { kind: 'retry', reason }]])
      t.strictSame(warnings(), [scripted.renewalFailed], reason)
    }
  })

  each(t, 'that the cache does not give: nothing is pushed, and the chunk is not settled', async (t, scripted) => {
    const server = await start(t, scripted)
    const tokens = new MemoryTokens()
    tokens.failure = new Error('the store is away')
    const provider = open(t, scripted, { address: server, tokens })
    const settle = () => t.fail('settled')
    const { signal } = new AbortController()
    await t.rejects(provider.push(together(tokensOf(1)), { signal, settle }), { message: 'the store is away' })
    t.equal(server.received.length, 0)
    tokens.failure = undefined
    t.strictSame(kinds(await push(t, provider, together(tokensOf(1)))), { sent: 1 })
  })
})

t.test('a token endpoint', async (t) => {
  const REFUSED: [response: Response, reason: string][] = [
    [
      { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' } },
      'invalid_grant: Invalid JWT Signature.',
    ],
    [
      { status: 400, body: { error: 1101, sub_error: 12304, error_description: 'invalid client_secret' } },
      'invalid client_secret',
    ],
    [{ status: 401, body: { error: 'invalid_client' } }, 'invalid_client'],
    [{ status: 403, body: 'forbidden' }, 'HTTP 403'],
  ]
  eachWithTokenEndpoint(
    t,
    'that refuses our credentials: a credentials error, and nothing is pushed',
    async (t, scripted) => {
      for (const [response, reason] of REFUSED) {
        const server = await start(t, scripted, { onToken: (token) => respondWith(token, response) })
        const provider = open(t, scripted, { address: server, tokens: new MemoryTokens(), now: Date.now })
        const failure = { kind: 'credentials-error', reason: `TokenRefused: ${reason}` }
        t.strictSame(inOrder(await push(t, provider, apart(tokensOf(3)))), [failure, failure, failure])
        t.equal(server.tokenRequests, 1, reason)
        t.equal(server.received.length, 0, reason)
        t.match(provider.state(), { connection: 'idle', failure: { reason: failure.reason } })
      }
    },
  )

  const UNAVAILABLE: [name: string, onToken: NonNullable<Script['onToken']>, reason: RegExp][] = [
    ['in trouble', (token) => respondWith(token, { status: 503 }), /^TokenUnavailable: HTTP 503$/],
    [
      'too busy',
      (token) => respondWith(token, { status: 429, body: { error: 'rate_limit_exceeded' } }),
      /^TokenUnavailable: rate_limit_exceeded$/,
    ],
    [
      'failing itself',
      (token) => respondWith(token, { status: 400, body: { error: 'internal_failure' } }),
      /^TokenUnavailable: internal_failure$/,
    ],
    ['another server', (token) => respondWith(token, { body: '<html>' }), /no access token in the response$/],
    [
      'not what it was',
      (token) => respondWith(token, { body: { access_token: 'a\nb', expires_in: 60 } }),
      /^TokenUnavailable: no access token/,
    ],
    [
      'without an end',
      (token) => respondWith(token, { body: { access_token: 'token' } }),
      /^TokenUnavailable: no access token/,
    ],
    ['hanging', () => {}, /^TokenUnavailable: .*aborted due to timeout/],
    [
      'hanging half-way',
      (token) => void token.writeHead(200).write('{"access'),
      /^TokenUnavailable: .*aborted due to timeout/,
    ],
    ['cutting off', (token) => void token.destroy(), /^TokenUnavailable: \w/],
  ]
  eachWithTokenEndpoint(t, 'that is out of reach now: nothing is pushed, and the chunk waits', async (t, scripted) => {
    const isDown = async ([name, onToken, reason]: (typeof UNAVAILABLE)[number]) => {
      const server = await start(t, scripted, {
        onToken: (token, nth) =>
          nth === 1 ? onToken(token, nth) : respondWith(token, { body: { access_token: 'late', expires_in: 60 } }),
      })
      // The others respond, however slow the machine.
      const limits = name.startsWith('hanging') ? { tokenTimeoutMs: 1_500 } : {}
      const provider = open(t, scripted, { address: server, tokens: new MemoryTokens(), ...limits })
      const waits = { kind: 'retry', reason }
      t.match(inOrder(await push(t, provider, apart(tokensOf(2)))), [waits, waits], name)
      t.equal(server.received.length, 0, name)
      t.strictSame(kinds(await push(t, provider, apart(tokensOf(1)))), { sent: 1 }, `${name}, and well again`)
    }
    for (const row of UNAVAILABLE) await isDown(row)
    const nobody = { url: 'https://localhost:1', tokenUrl: undefined }
    const down = open(t, scripted, { address: nobody, tokens: new MemoryTokens(), now: Date.now })
    t.match(inOrder(await push(t, down, apart(tokensOf(1)))), [
      { kind: 'retry', reason: /^TokenUnavailable: .*ECONNREFUSED/ },
    ])
  })

  eachWithTokenEndpoint(t, 'that does not replace a refused token', async (t, scripted) => {
    const [refusal] = scripted.tokenRefusals
    const old = () => new MemoryTokens().keep('old', 30 * MINUTE)
    const server = await start(t, scripted, {
      onPush: (push) => push.respond(refusal?.response ?? {}),
      onToken: (token) => respondWith(token, { status: 400, body: { error: 'invalid_grant' } }),
    })
    const failure = { kind: 'credentials-error', reason: 'TokenRefused: invalid_grant' }
    const refused = open(t, scripted, { address: server, tokens: old() })
    t.strictSame(inOrder(await push(t, refused, apart(tokensOf(1)))), [failure])
    t.equal(server.received.length, 1, 'once with the old one')
    const down = open(t, scripted, { address: { url: server.url, tokenUrl: undefined }, tokens: old() })
    t.match(inOrder(await push(t, down, apart(tokensOf(1)))), [{ kind: 'retry', reason: /^TokenUnavailable: / }])
  })

  eachWithTokenEndpoint(t, 'whose certificate is not trusted gets no request', async (t, scripted) => {
    const server = await start(t, scripted)
    const provider = open(t, scripted, { address: server, ca: undefined, tokens: new MemoryTokens(), now: Date.now })
    t.match(inOrder(await push(t, provider, apart(tokensOf(1)))), [{ kind: 'retry', reason: /certificate/ }])
    t.equal(server.tokenRequests, 0)
  })

  const ABORTED: [reason: string | undefined, settled: number][] = [
    [undefined, 0],
    [STALE, 3],
  ]
  eachWithTokenEndpoint(
    t,
    'that gives no token to an aborted chunk: it settles only for stale recipients',
    async (t, scripted) => {
      for (const [reason, settled] of ABORTED) {
        const controller = new AbortController()
        const server = await start(t, scripted, {
          onToken(token) {
            controller.abort(reason)
            respondWith(token, { status: 503 })
          },
        })
        const provider = open(t, scripted, { address: server, tokens: new MemoryTokens(), now: Date.now })
        const outcomes = await push(t, provider, apart(tokensOf(3)), controller)
        t.strictSame(kinds(outcomes), settled ? { retry: settled } : {})
        t.equal(server.received.length, 0)
      }
    },
  )
})

t.test('when the provider requires fewer pushes', async (t) => {
  each(t, 'everything waits until the time that it named', async (t, scripted) => {
    for (const { response, reason, seconds } of scripted.throttled) {
      let isOver = false
      const server = await start(t, scripted, {
        onPush: (push) => (isOver ? scripted.serve(push) : push.respond(response)),
      })
      const clock = { now: Date.now() }
      const { log, warnings } = recordingLog()
      const provider = open(t, scripted, { address: server, concurrency: 5, now: () => clock.now, log })
      const notBefore = clock.now + seconds * 1_000
      const refused = { kind: 'retry', reason, notBefore }
      const held = { kind: 'retry', reason: `Unsent: ${reason}`, notBefore, unsent: true }
      const outcomes = inOrder(await push(t, provider, apart(tokensOf(50))))
      t.strictSame(
        outcomes.slice(0, 5),
        Array.from({ length: 5 }, () => refused),
      )
      t.strictSame(
        outcomes.slice(5),
        Array.from({ length: 45 }, () => held),
        'what was not started waits as well',
      )
      t.equal(server.received.length, 5)
      t.equal(warnings().length, 1)

      clock.now = notBefore - 6_000
      t.strictSame(inOrder(await push(t, provider, apart(tokensOf(1)))), [held], 'other chunks, too')
      t.equal(server.received.length, 5)
      clock.now = notBefore
      isOver = true
      t.strictSame(kinds(await push(t, provider, apart(tokensOf(10)))), { sent: 10 })
    }
  })

  each(t, 'the latest time counts', async (t, scripted) => {
    const clock = { now: Date.now() }
    const server = await start(t, scripted, {
      onPush: (push) => push.respond(scripted.throttledFor(push.tokens.includes(tokenOf(0)) ? 30 : 10)),
    })
    const provider = open(t, scripted, { address: server, concurrency: 2, now: () => clock.now })
    await push(t, provider, apart(tokensOf(2)))
    t.match(inOrder(await push(t, provider, apart(tokensOf(1)))), [{ kind: 'retry', notBefore: clock.now + 30_000 }])
  })
})

t.test('through a proxy', async (t) => {
  const AUTHORIZATION = `Basic ${Buffer.from('user:pass word').toString('base64')}`
  const openProxy = async (t: Test) => {
    const proxy = await startProxy((headers) => (headers['proxy-authorization'] === AUTHORIZATION ? 200 : 407))
    t.teardown(() => proxy.stop())
    return { proxy, through: { host: 'localhost', port: proxy.port, username: 'user', password: 'pass word' } }
  }

  each(t, 'all calls go, with its credentials', async (t, scripted) => {
    const server = await start(t, scripted)
    const { proxy, through } = await openProxy(t)
    const provider = open(t, scripted, { address: server, tokens: new MemoryTokens(), proxy: through })
    t.strictSame(kinds(await push(t, provider, together(tokensOf(1)))), { sent: 1 })
    const called = [...(server.tokenUrl === undefined ? [] : [server.tokenUrl]), server.url]
    t.strictSame(
      proxy.authorities,
      called.map((url) => new URL(url).host),
    )
    t.equal(server.received[0]?.headers['proxy-authorization'], undefined, 'the provider does not see them')
  })

  eachWithTokenEndpoint(t, 'that refuses the credentials no token is to be had', async (t, scripted) => {
    const server = await start(t, scripted)
    const { through } = await openProxy(t)
    const proxy = { ...through, password: 'wrong' }
    const provider = open(t, scripted, { address: server, tokens: new MemoryTokens(), proxy })
    t.match(inOrder(await push(t, provider, together(tokensOf(1)))), [
      { kind: 'retry', reason: /^TokenUnavailable: .*407/ },
    ])
    t.equal(server.tokenRequests, 0)
  })
})

each(t, 'a chunk that names no message is refused, and nothing is pushed', async (t, scripted) => {
  const server = await start(t, scripted)
  const provider = open(t, scripted, { address: server })
  const targets = [targetOf(tokenOf(0)), targetOf(tokenOf(1), 1)]
  await t.rejects(push(t, provider, { messages: [HELLO], targets }), RangeError)
  await t.rejects(push(t, provider, { messages: [], targets }), RangeError)
  t.equal(server.received.length, 0)
})

each(t, 'closing lets the chunks under way finish', async (t, scripted) => {
  let isClosing = false
  const server = await start(t, scripted, { onPush: (push) => void (isClosing && scripted.serve(push)) })
  const provider = open(t, scripted, { address: server, concurrency: 1 })
  const pushed = push(t, provider, apart(tokensOf(3)))
  await server.waitFor(1)
  isClosing = true
  const closed = provider.close()
  const message = `the ${scripted.name} provider is closed`
  await t.rejects(push(t, provider, apart(tokensOf(1))), { message })
  const [first] = server.received
  if (!first) throw new Error('nothing was received')
  const disconnected = once(first.connection, 'close')
  scripted.serve(first)
  t.strictSame(kinds(await pushed), { sent: 3 })
  await Promise.all([closed, provider.close(), disconnected])
})

each(t, 'a message beyond the limits is named before it is sent', async (t, { platform, emptyBytes }) => {
  const context = { config: readConfig({}), appId: 'my-app', now: 0 }
  const check = (body: PushMessage['body']) => PROVIDERS[platform].check({ ...HELLO, body }, context)
  t.strictSame(check(DOCUMENTED_BODY), [])
  const bodiesOf = (bytes: number): PushMessage['body'][] => [
    { body: 'x'.repeat(bytes - emptyBytes.body) },
    { body: 'é', extras: { key: 'x'.repeat(bytes - emptyBytes.extras) } },
  ]
  for (const body of bodiesOf(4_096)) t.strictSame(check(body), [])
  for (const body of bodiesOf(4_097))
    t.strictSame(check(body), [{ field: 'body', hint: `payload for ${platform} has 4097 bytes, the limit is 4096` }])
  t.strictSame(check({ collapseKey: 'é'.repeat(32) }), [])
  t.strictSame(check({ collapseKey: 'é'.repeat(33) }), [
    { field: 'body.collapseKey', hint: `collapse key for ${platform} has 66 bytes, the limit is 64` },
  ])
})

each(t, 'credentials are verified before anything is sent, and never quoted', async (t, scripted) => {
  const kind = PROVIDERS[scripted.platform]
  const context = { config: readConfig({}), log, tokens: new MemoryTokens(), now: Date.now }
  t.doesNotThrow(() => kind.verify(scripted.credentials))
  for (const [index, stored] of scripted.unusable.entries()) {
    const secrets = [...secretsOf(scripted.credentials), 's3cr3t']
    for (const act of [() => kind.verify(stored), () => kind.open(stored, context)]) {
      const error = errorOf(act)
      t.ok(error instanceof InvalidCredentials, `${index}: ${String(error)}`)
      const shown = inspect(error, { depth: Infinity })
      for (const secret of secrets) t.notOk(shown.includes(secret), `${index}: nothing of the secret is shown`)
    }
  }
})

each(t, 'opened with the settings of a worker', async (t, scripted) => {
  const server = await start(t, scripted)
  const caFile = `${t.testdir({ 'ca.pem': scripted.ca })}/ca.pem`
  const config = readConfig({
    ...scripted.environment(server),
    [`${scripted.name}_CA_FILE`.toUpperCase()]: caFile,
    HTTP2_TRANSPORT: transport,
  })
  const context = { config, log, tokens: new MemoryTokens(), now: Date.now }
  const provider = PROVIDERS[scripted.platform].open(scripted.credentials, context)
  t.teardown(() => provider.close())
  t.strictSame(kinds(await push(t, provider, together(tokensOf(2)))), { sent: 2 })
})

each(t, 'nothing secret leaves a provider in trouble', async (t, scripted) => {
  const { log, entries } = recordingLog()
  const tokens = new MemoryTokens()
  const fail = (push: ReceivedPush) => push.respond({ status: 500, body: '<html>' })
  const troubles: ((push: ReceivedPush) => void)[] = [
    (push) => push.respond(scripted.throttledFor(0)),
    (push) => push.disconnect(),
    fail,
    (push) => {
      tokens.failure = new Error('the store is away')
      push.respond(scripted.tokenRefusals[0]?.response ?? {})
    },
  ]
  const server = await start(t, scripted, {
    onPush: (push) => (troubles[server.received.length - 1] ?? fail)(push),
    onToken: (token, nth) =>
      nth === 1
        ? respondWith(token, { body: { access_token: 'access-s3cr3t', expires_in: 3_600 } })
        : respondWith(token, { status: 400, body: { error: 'invalid_grant' } }),
  })
  const provider = open(t, scripted, { address: server, tokens, log })
  const left: unknown[] = []
  for (let count = 0; count < troubles.length; count++)
    left.push(...(await push(t, provider, together(tokensOf(1)))).values(), provider.state())
  const other = open(t, scripted, { address: server, tokens, log })
  left.push(await push(t, other, together(tokensOf(1))).catch((error: unknown) => error))
  tokens.failure = undefined
  tokens.kept = undefined
  left.push(await push(t, open(t, scripted, { address: server, tokens, log }), together(tokensOf(1))))
  t.ok(left.length >= 10)
  t.ok(entries.length >= 2, `${entries.length} entries of the log`)
  const shown = inspect([entries, left], { depth: Infinity, maxArrayLength: Infinity, maxStringLength: Infinity })
  const secrets = [tokenOf(0), ...tokens.minted, ...secretsOf(scripted.credentials), 'World', 'access-s3cr3t']
  t.ok(secrets.length >= 5)
  for (const secret of secrets) t.notOk(shown.includes(secret), secret.slice(0, 8))
})
