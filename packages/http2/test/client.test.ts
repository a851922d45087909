// The client over each of its transports, against origins that misbehave in every way it promises to survive. What an origin saw is asserted as well:
// a request that was sent twice, or too early, shows nowhere else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, sensitiveHeaders } from 'node:http2'
import { createServer, type Socket } from 'node:net'
import type { TlsOptions } from 'node:tls'
import t, { type Test } from 'tap'
import { backOffMs } from '../src/back-off.ts'
import {
  openHttp2,
  type Http2Client,
  type Http2Options,
  type Http2Request,
  type Http2Result,
  type Transport,
} from '../src/index.ts'
import {
  respond,
  certificateFor,
  frame,
  listen,
  localhost,
  Origin,
  pongsTo,
  portOf,
  settingsFrame,
  startProxy,
  startTcp,
  startTls,
  type Received,
} from './origin.ts'

const { NGHTTP2_CANCEL, NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } =
  constants
const HEADERS = { 'content-type': 'application/json', authorization: 'bearer one' }

/** Each test runs once over each. */
const TRANSPORTS = ['lean', 'node'] as const
let transport: Transport = 'lean'

function test(name: string, run: (t: Test) => Promise<unknown>) {
  for (const each of TRANSPORTS) {
    t.test(`${each}: ${name}`, async (t) => {
      transport = each
      await run(t)
    })
  }
}

/** With time enough for any machine: a test that is about a limit sets it. */
const open = (url: string, options: Partial<Http2Options> = {}) =>
  openHttp2({
    origin: url,
    transport,
    ca: localhost.cert,
    requestTimeoutMs: 20_000,
    queueTimeoutMs: 20_000,
    connectTimeoutMs: 20_000,
    ...options,
  })

const send = (client: Http2Client, request: Partial<Http2Request> = {}) =>
  new Promise<Http2Result>((settle) => client.request({ path: '/', headers: HEADERS, body: '{}', ...request }, settle))

const sendMany = (client: Http2Client, count: number, request: Partial<Http2Request> = {}) =>
  Promise.all(Array.from({ length: count }, (_, i) => send(client, { path: `/${i}`, ...request })))

const kinds = (results: Http2Result[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(results, ({ kind }) => kind)).map(([kind, all]) => [kind, all.length]),
  )

const reasonOf = (result: Http2Result | undefined) => (result && 'reason' in result ? result.reason : 'no reason')

async function startOrigin(test: Test, onRequest: (request: Received) => void, settings = {}) {
  const origin = await new Origin(onRequest, settings).start()
  test.teardown(() => origin.stop())
  return origin
}

test('a request gets its response', async (t) => {
  const origin = await startOrigin(t, (request) => respond(request, 410, '{"reason":"Unregistered"}'))
  const client = open(origin.url, { connections: 3 })
  t.equal(origin.sessions.length, 0, 'no connection before the first request')
  const result = await send(client, { path: '/3/device/abc', extra: [['apns-id', 'A1']], body: Buffer.from('{"ä":1}') })
  t.match(result, { kind: 'response', status: 410, headers: { 'apns-id': 'A1' }, body: '{"reason":"Unregistered"}' })
  t.notOk(':status' in (result as { headers: object }).headers)
  t.match(origin.received, [{ path: '/3/device/abc', body: '{"ä":1}' }])
  t.match(origin.received[0]?.headers, {
    ':method': 'POST',
    ':authority': new URL(origin.url).host,
    ...HEADERS,
    'apns-id': 'A1',
  })
  const neverIndexed: unknown = Reflect.get(origin.received[0]?.headers ?? {}, sensitiveHeaders)
  const expected = { lean: [':path', 'apns-id'], node: ['authorization', 'apns-id'] }
  t.same(neverIndexed, expected[transport])
  for (let i = 0; i < 20; i++) await send(client)
  t.equal(origin.sessions.length, 1, 'one connection as long as it has free streams')
  await client.close()
})

test('bodies without end, and early responses', async (t) => {
  const origin = new Origin(() => {})
  origin.server.removeAllListeners('stream')
  origin.server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.end('x'.repeat(Number(String(headers[':path']).slice(1))))
  })
  await origin.start()
  t.teardown(() => origin.stop())
  const client = open(origin.url)
  const lengthOf = (result: Http2Result) => (result.kind === 'response' ? result.body.length : result)
  t.equal(lengthOf(await send(client, { path: '/65536' })), 65_536)
  t.same(await send(client, { path: '/65537' }), { kind: 'unknown', reason: 'response longer than 65536 bytes' })
  t.equal(lengthOf(await send(client, { path: '/2', body: Buffer.alloc(1_000_000) })), 2, 'the body had not gone out')
  t.equal(lengthOf(await send(client, { path: '/0' })), 0)
  await client.close()
})

test('a response before the body has gone out frees its stream', async (t) => {
  const tls = await startTls((socket) => {
    socket.write(settingsFrame(1))
    // More window for the connection, none for the first stream: its body stays unfinished.
    const early = [frame(1, 5, 1, Buffer.of(0x88)), frame(8, 0, 0, Buffer.of(0, 1, 0, 0))]
    socket.on('data', (chunk) => {
      socket.write(pongsTo(chunk))
      if (chunk.includes('first')) socket.write(Buffer.concat(early))
      if (chunk.includes('second')) socket.write(frame(1, 5, 3, Buffer.of(0x88)))
    })
  })
  t.teardown(() => tls.stop())
  const client = open(tls.url)
  t.match(await send(client, { body: 'first'.padEnd(100_000) }), { status: 200 })
  t.match(await send(client, { body: 'second' }), { status: 200 })
  await client.close()
})

test('the number of streams follows SETTINGS', async (t) => {
  let limit = 1
  const change = ({ session }: Received, to: number) =>
    session.settings({ maxConcurrentStreams: to }, () => (limit = to))
  const onRequest = (request: Received) => {
    // As APNs does with a token: one stream until a request was accepted.
    if (origin.received.length === 3) change(request, 40)
    if (origin.received.length === 200) change(request, 4)
    setTimeout(() => respond(request), 5)
  }
  const origin = await startOrigin(t, onRequest, { maxConcurrentStreams: limit })
  // The most streams that were open when one more arrived, by the limit the client had acknowledged.
  const most: Record<number, number> = {}
  origin.server.on('stream', () => (most[limit] = Math.max(most[limit] ?? 0, origin.open)))
  const client = open(origin.url)
  t.equal(client.capacity, 1000)
  const first = send(client)
  t.equal(client.capacity, 1000, 'while connecting')
  await first
  t.same(kinds(await sendMany(client, 300)), { response: 300 })
  t.same(most, { 1: 1, 40: 40, 4: 4 })
  t.equal(client.capacity, 4)
  await client.close()
})

test('a deadline runs from the writing', async (t) => {
  const origin = await startOrigin(t, (request) => setTimeout(() => respond(request), 100), { maxConcurrentStreams: 1 })
  const client = open(origin.url, { requestTimeoutMs: 1_000 })
  t.same(kinds(await sendMany(client, 12)), { response: 12 }, '1200 ms in all')
  await client.close()
})

test('a response that arrived while this process stood still is no timeout', async (t) => {
  // The origin is another process, which responds meanwhile.
  const script = `
    import { respond, Origin } from ${JSON.stringify(new URL('origin.ts', import.meta.url).href)}
    import { localhost } from ${JSON.stringify(new URL('origin.ts', import.meta.url).href)}
    const { url } = await new Origin((request) => setTimeout(() => respond(request), 50)).start()
    process.stdout.write(JSON.stringify({ url, ca: localhost.cert }))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill())
  const [reported] = await once(child.stdout, 'data')
  const { url, ca } = JSON.parse(String(reported)) as { url: string; ca: string }
  const client = open(url, { ca })
  await send(client)
  const late = send(client, { timeoutMs: 300 })
  // Written at the end of this turn.
  for (let count = 0; count < 3; count++) await new Promise(setImmediate)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
  t.match(await late, { kind: 'response' })
  await client.close()
})

test('hung responses', async (t) => {
  const origin = await startOrigin(t, (request) => request.path === '/ok' && respond(request), {
    maxConcurrentStreams: 2,
  })
  const client = open(origin.url)
  await send(client, { path: '/ok' })
  t.same(await send(client, { timeoutMs: 1_000 }), { kind: 'timeout', reason: 'no response within 1000 ms' })
  const hung = [send(client, { timeoutMs: 1_000 }), send(client, { timeoutMs: 1_000 })]
  t.match(await send(client, { path: '/ok' }), { kind: 'response' }, 'their streams are free again')
  t.same(kinds(await Promise.all(hung)), { timeout: 2 })
  t.equal(origin.received.length, 5)
  await client.close()
})

test('a stream is never given to a request past its time', async (t) => {
  const origin = await startOrigin(t, (request) => request.path === '/ok' && respond(request), {
    maxConcurrentStreams: 1,
  })
  const client = open(origin.url, { queueTimeoutMs: 1_000, requestTimeoutMs: 2_000 })
  await send(client, { path: '/ok' })
  const results = await sendMany(client, 100)
  t.same(kinds(results), { timeout: 1, unsent: 99 })
  t.equal(reasonOf(results[1]), 'no stream was free within 1000 ms')
  t.equal(origin.received.length, 2)
  await client.close()
})

test('a waiting request can be aborted, one on a stream goes on', async (t) => {
  const origin = await startOrigin(t, (request) => setTimeout(() => respond(request), 300), { maxConcurrentStreams: 1 })
  const client = open(origin.url)
  const abort = new AbortController()
  const pair = [send(client, { signal: abort.signal }), send(client, { signal: abort.signal })]
  await origin.waitFor(1)
  abort.abort()
  t.same(await pair[1], { kind: 'unsent', reason: 'aborted' })
  t.same(await send(client, { signal: abort.signal }), { kind: 'unsent', reason: 'aborted' })
  t.match(await pair[0], { kind: 'response' })
  t.equal(origin.received.length, 1)
  await client.close()
})

test('a request that is over gets no stream that becomes free', async (t) => {
  const origin = await startOrigin(t, respond, { maxConcurrentStreams: 1 })
  const client = open(origin.url)
  const abort = new AbortController()
  // Settles before its stream has closed, so the second one leaves the queue next, before any sweep.
  client.request({ path: '/', headers: HEADERS, body: '' }, () => abort.abort())
  t.same(await send(client, { signal: abort.signal }), { kind: 'unsent', reason: 'aborted' })
  t.equal(origin.received.length, 1)
  await client.close()
})

test('thousands that lapse together, each followed by another, do not pile up on the stack', async (t) => {
  const origin = await startOrigin(t, respond, { maxConcurrentStreams: 1 })
  const client = open(origin.url)
  const abort = new AbortController()
  const request = { path: '/', headers: HEADERS, body: '' }
  const lapsed: Http2Result[] = []
  const followers: Promise<Http2Result>[] = []
  client.request(request, () => abort.abort())
  for (let i = 0; i < 10_000; i++) {
    client.request({ ...request, signal: abort.signal }, (result) => {
      lapsed.push(result)
      followers.push(send(client))
    })
  }
  await origin.waitFor(2)
  t.same(kinds(lapsed), { unsent: 10_000 })
  await client.close()
  t.same(kinds(await Promise.all(followers)), { response: 1, unsent: 9_999 })
})

test('what cannot be written is unsent, and settles later than the call', async (t) => {
  const origin = await startOrigin(t, respond)
  const client = open(origin.url)
  await send(client)
  let returned = false
  const result = await new Promise<Http2Result>((settle) => {
    client.request({ path: '/', headers: { 'bad\nname': 'x' }, body: '' }, (result) => {
      t.ok(returned)
      settle(result)
    })
    returned = true
  })
  t.equal(result.kind, 'unsent')
  t.match(await send(client), { kind: 'response' })
  await client.close()
})

test('RST_STREAM', async (t) => {
  const cases = [
    { code: NGHTTP2_REFUSED_STREAM, kind: 'unsent', requests: 4 },
    { code: NGHTTP2_CANCEL, kind: 'unknown', requests: 1 },
    { code: NGHTTP2_INTERNAL_ERROR, kind: 'unknown', requests: 1 },
    { code: NGHTTP2_NO_ERROR, kind: 'unknown', requests: 1 },
  ]
  for (const { code, kind, requests } of cases) {
    const origin = await startOrigin(t, ({ stream }) => stream.close(code))
    const client = open(origin.url)
    const result = await send(client)
    t.equal(result.kind, kind, `code ${code}: ${reasonOf(result)}`)
    t.equal(origin.received.length, requests)
    await client.close()
  }
  const origin = await startOrigin(t, (request) => {
    if (origin.received.length < 3) request.stream.close(NGHTTP2_REFUSED_STREAM)
    else respond(request)
  })
  const client = open(origin.url)
  t.match(await send(client), { kind: 'response' }, 'refused twice, then served')
  await client.close()
})

test('a response that is cut short is unknown', async (t) => {
  const begun = [frame(1, 4, 1, Buffer.of(0x88)), frame(0, 0, 1, '{"na')]
  const cases = [
    { frames: [...begun, frame(3, 0, 1, Buffer.of(0, 0, 0, NGHTTP2_CANCEL))], kind: 'unknown' },
    { frames: begun, kind: 'unknown' },
    { frames: [...begun, frame(0, 1, 1, 'me"}')], kind: 'response' },
  ]
  for (const { frames, kind } of cases) {
    const tls = await startTls((socket) => {
      socket.write(settingsFrame(1))
      socket.on('data', (chunk) => chunk.includes('{}') && socket.end(Buffer.concat(frames)))
    })
    t.teardown(() => tls.stop())
    const client = open(tls.url)
    t.equal((await send(client)).kind, kind)
    await client.close()
  }
})

test('GOAWAY without an error: open streams get their responses, the rest goes over a new connection', async (t) => {
  const origin = await startOrigin(
    t,
    (request) => {
      if (origin.received.length % 100 === 0) request.session.close()
      setTimeout(() => respond(request), 10)
    },
    { maxConcurrentStreams: 30 },
  )
  const client = open(origin.url)
  t.same(kinds(await sendMany(client, 1000)), { response: 1000 })
  t.equal(new Set(origin.received.map(({ path }) => path)).size, 1000)
  t.equal(origin.received.length, 1000, 'each once')
  t.ok(origin.sessions.length >= 10)
  await client.close()
})

test('renewed connections finish what they have, and get nothing more', async (t) => {
  const held: Received[] = []
  const origin = await startOrigin(t, (request) =>
    origin.received.length <= 3 ? held.push(request) : respond(request),
  )
  const client = open(origin.url)
  const first = sendMany(client, 3)
  await origin.waitFor(3)
  client.renew('of no use any more')
  client.renew('said once more')
  t.equal((await send(client)).kind, 'response')
  for (const request of held) respond(request)
  t.same(kinds(await first), { response: 3 })
  t.equal(origin.sessions.length, 2)
  t.equal(new Set(held.map(({ session }) => session)).size, 1)
  await client.close()
})

test('GOAWAY with streams above the last one processed', async (t) => {
  for (const code of [NGHTTP2_NO_ERROR, NGHTTP2_ENHANCE_YOUR_CALM]) {
    const origin = await startOrigin(t, (request) => {
      if (request.connection > 0 || origin.received.length === 1) return respond(request)
      if (origin.received.length < 11) return
      // The first three after the one with a response: stream ids 3, 5 and 7.
      request.session.goaway(code, 7, Buffer.from('{"reason":"Shutdown"}'))
      for (const { stream, path } of origin.received)
        if (code === 0 && ['/0', '/1', '/2'].includes(path)) respond({ stream } as Received)
    })
    const client = open(origin.url)
    await send(client)
    const results = await sendMany(client, 10)
    t.same(kinds(results), code === 0 ? { response: 10 } : { unknown: 3, response: 7 })
    if (code !== 0) t.equal(reasonOf(results[0]), 'GOAWAY 11 {"reason":"Shutdown"}')
    t.equal(origin.received.filter(({ connection }) => connection === 1).length, 7, 'sent again by the client itself')
    await client.close()
  }
})

test('a peer that leaves PING without a response', async (t) => {
  const serving = new Origin(respond)
  const tls = await startTls((socket, position) => {
    if (position > 0) return serving.server.emit('secureConnection', socket)
    socket.write(settingsFrame(2))
    socket.resume()
  })
  t.teardown(() => tls.stop())
  const client = open(tls.url, { pingIntervalMs: 100, pingTimeoutMs: 500 })
  const results = await sendMany(client, 5)
  t.same(kinds(results), { unknown: 2, response: 3 }, 'in flight: unknown; waiting: over another connection')
  t.equal(reasonOf(results[0]), 'no response to PING within 500 ms')
  t.equal(tls.sockets.length, 2)
  await client.close()
})

test('an idle connection is checked as well, and a timeout calls for a check at once', async (t) => {
  const tls = await startTls((socket) => {
    socket.write(settingsFrame(10))
    // Not even reading: what the client writes stays in its buffers.
    socket.pause()
  })
  t.teardown(() => tls.stop())
  const client = open(tls.url, { pingIntervalMs: 60_000, pingTimeoutMs: 100 })
  const body = Buffer.alloc(1_000_000)
  const [late, other] = await Promise.all([send(client, { timeoutMs: 100, body }), send(client)])
  t.equal(late.kind, 'timeout')
  t.same(other, { kind: 'unknown', reason: 'no response to PING within 100 ms' })
  await client.close()
})

test('a connection reset', async (t) => {
  const origin = await startOrigin(t, (request) => {
    if (origin.received.length <= 1 || origin.received.length > 52) respond(request)
    if (origin.received.length === 52) sockets[0]?.resetAndDestroy()
  })
  const sockets: Socket[] = []
  origin.server.on('connection', (socket: Socket) => sockets.push(socket))
  const client = open(origin.url)
  await send(client)
  const results = await sendMany(client, 51)
  t.same(kinds(results), { unknown: 51 })
  t.match(await send(client), { kind: 'response' })
  await client.close()
})

test('an origin that is not there', async (t) => {
  const probe = createServer()
  await listen(probe)
  const port = portOf(probe)
  await new Promise((closed) => probe.close(closed))
  const warnings: object[] = []
  const log = { debug() {}, info() {}, warn: (fields: object) => warnings.push(fields) }
  const hasty = open(`https://localhost:${port}`, { queueTimeoutMs: 1_000, log })
  const patient = open(`https://localhost:${port}`)
  const later = send(patient)
  const result = await send(hasty)
  t.equal(result.kind, 'unsent')
  t.match(reasonOf(result), /ECONNREFUSED/)
  t.ok(warnings.length >= 2 && warnings.length <= 5, `${warnings.length} attempts within a second`)
  const origin = await new Origin(respond).start(port)
  t.teardown(() => origin.stop())
  t.match(await later, { kind: 'response' })
  await Promise.all([hasty.close(), patient.close()])
})

test('connections that go before they are of use are not dialled in a storm', async (t) => {
  const tls = await startTls((socket) => {
    socket.write(settingsFrame(1))
    // GOAWAY: nothing was processed.
    socket.on('data', (chunk) => chunk.includes('{}') && socket.write(frame(7, 0, 0, Buffer.alloc(8))))
  })
  t.teardown(() => tls.stop())
  const client = open(tls.url)
  const start = performance.now()
  t.equal((await send(client)).kind, 'unsent')
  t.equal(tls.sockets.length, 4, 'sent again three times')
  t.ok(performance.now() - start >= 340, 'after 50, 100 and 200 ms at least')
  await client.close()
})

test('back-off', async (t) => {
  for (const [failures, random, ms] of [
    [0, 0.5, 0],
    [1, 0, 100],
    [1, 1, 50],
    [3, 0, 400],
    [50, 0, 10_000],
  ] as const) {
    t.equal(backOffMs(failures, random), ms)
  }
})

test('connecting takes its time', async (t) => {
  const listeners = [await startTcp(() => {}, createServer()), await startTls(() => {})]
  const attempts = listeners.map(async ({ url, stop }) => {
    t.teardown(stop)
    const client = open(url, { connectTimeoutMs: 100, queueTimeoutMs: 1_500 })
    t.same(await send(client), { kind: 'unsent', reason: 'no connection within 100 ms' })
    await client.close()
  })
  await Promise.all(attempts)
})

test('only a verified origin that speaks h2', async (t) => {
  const stranger = await certificateFor('elsewhere')
  const seen: unknown[] = []
  const start = async (options: TlsOptions) => {
    const { url, stop } = await startTls((socket) => socket.on('data', (chunk) => seen.push(chunk)), options)
    t.teardown(stop)
    return url
  }
  const cases = [
    { url: await start({}), ca: stranger.cert, reason: /self-signed certificate/ },
    { url: await start(stranger), ca: stranger.cert, reason: /localhost. is not in the cert's altnames/ },
    { url: await start({ ALPNProtocols: ['http/1.1'] }), ca: localhost.cert, reason: /no application protocol/ },
    { url: await start({ ALPNProtocols: undefined }), ca: localhost.cert, reason: /does not speak HTTP\/2/ },
  ]
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
  t.teardown(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
  const attempts = cases.map(async ({ url, ca, reason }) => {
    const client = open(url, { ca, queueTimeoutMs: 2_000 })
    const result = await send(client)
    t.equal(result.kind, 'unsent')
    t.match(reasonOf(result), reason)
    await client.close()
  })
  await Promise.all(attempts)
  t.same(seen, [], 'nothing was said to any of them')
  t.throws(() => open('http://localhost'), /not an https origin/)
})

test('through a proxy', async (t) => {
  const origin = await startOrigin(t, respond)
  const seen: unknown[] = []
  // Silent, refusing, and willing from then on.
  const script = [undefined, 407, 200, 200]
  const proxy = await startProxy(({ url, headers }) => {
    seen.push([url, headers['proxy-authorization']])
    return script.shift()
  })
  t.teardown(() => proxy.stop())
  const through = { host: 'localhost', port: portOf(proxy.server) }
  const proxyWith = { ...through, username: 'me', password: 'secret' }
  const client = open(origin.url, { connectTimeoutMs: 1_000, proxy: proxyWith })
  t.same(kinds(await sendMany(client, 10)), { response: 10 })
  const authority = new URL(origin.url).host
  t.same(
    seen,
    Array.from({ length: 3 }, () => [authority, `Basic ${btoa('me:secret')}`]),
  )
  await client.close()
  const anonymous = open(origin.url, { proxy: through })
  t.match(await send(anonymous), { kind: 'response' })
  t.same(seen.at(-1), [authority, undefined])
  await anonymous.close()
})

test('a proxy that fails says why', async (t) => {
  const refusing = await startProxy(() => 407)
  const gone = await startTcp((socket) => socket.end(), createServer())
  const hangsUp = await startTcp(
    (socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\n')),
    createServer(),
  )
  const cases = [
    { proxy: refusing, reason: 'the proxy responded to CONNECT with 407' },
    { proxy: gone, reason: /^proxy: socket hang up/ },
    { proxy: hangsUp, reason: /socket disconnected before secure TLS connection/ },
  ]
  const attempts = cases.map(async ({ proxy, reason }) => {
    t.teardown(() => proxy.stop())
    const client = open('https://localhost', {
      queueTimeoutMs: 2_000,
      proxy: { host: 'localhost', port: portOf(proxy.server) },
    })
    const result = await send(client)
    t.equal(result.kind, 'unsent')
    t.match(reasonOf(result), reason)
    await client.close()
  })
  await Promise.all(attempts)
})

test('8000 requests at once over 100 streams', async (t) => {
  const origin = await startOrigin(t, (request) => setTimeout(() => respond(request), 5), { maxConcurrentStreams: 50 })
  const client = open(origin.url, { connections: 2, queueTimeoutMs: 120_000 })
  t.equal(client.capacity, 2000)
  const results = await sendMany(client, 8000)
  t.same(kinds(results), { response: 8000 })
  t.equal(origin.received.length, 8000)
  t.equal(origin.sessions.length, 2)
  t.equal(origin.peak, 100)
  t.equal(client.capacity, 100)
  await client.close()
})

test('closing', async (t) => {
  const origin = await startOrigin(
    t,
    (request) => request.path !== '/hang' && setTimeout(() => respond(request), 100),
    {
      maxConcurrentStreams: 2,
    },
  )
  const client = open(origin.url)
  const inFlight = [send(client), send(client, { path: '/hang', timeoutMs: 1_000 })]
  const waiting = send(client)
  await origin.waitFor(2)
  const closed = client.close()
  t.equal(client.close(), closed)
  const refused = { kind: 'unsent', reason: 'the client is closed' }
  t.same(await waiting, refused)
  t.same(await send(client), refused)
  t.match(await inFlight[0], { kind: 'response' })
  t.equal(origin.sessions[0]?.destroyed, false, 'one is still in flight')
  t.match(await inFlight[1], { kind: 'timeout' })
  await closed
  const [session] = origin.sessions
  if (session && !session.destroyed) await once(session, 'close')
  t.equal(origin.received.length, 2)

  await open(origin.url).close()
  const hurried = open(origin.url)
  const early = send(hurried)
  await hurried.close()
  t.same(await early, refused, 'while connecting')
})

test('a request keeps the process alive, a connection does not', async (t) => {
  const origin = await startOrigin(t, (request) => setTimeout(() => respond(request, 200, 'late'), 300))
  const program = `
    import { openHttp2 } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    const client = openHttp2({ origin: ${JSON.stringify(origin.url)}, ca: process.env.CA, transport: '${transport}' })
    client.request({ path: '/', headers: {}, body: '' }, (result) => process.stdout.write(result.body ?? result.reason))`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    env: { CA: localhost.cert },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  t.equal(code, 0)
  t.equal(output, 'late')
})
