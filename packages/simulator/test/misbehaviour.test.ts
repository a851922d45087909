// Fakes that misbehave: unusable responses, connections that end badly, and providers in trouble as a whole.
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { startSimulator, type BehaviourSettings, type Simulator } from '../src/index.ts'
import { createBucket } from '../src/rate.ts'
import { open, push, TOKEN } from './_client.ts'
import { hmsBearer, hmsMessage, sendHms } from './_senders.ts'

async function start(t: Test) {
  const simulator = await startSimulator({ keep: Infinity })
  t.teardown(() => simulator.stop())
  return { simulator, session: dial(t, simulator) }
}

/** A connection that may end as it likes. */
function dial(t: Test, simulator: Simulator) {
  const session = open(simulator)
  session.on('error', () => {})
  t.teardown(() => session.destroy())
  return session
}

const call = ({ url }: Simulator, path: string, body: unknown) =>
  fetch(`${url}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })

t.test('faded005: accepted, and cut before the response', async (t) => {
  const { simulator, session } = await start(t)
  t.match(await push(session, 'faded005'), { status: 0 })
  t.match(simulator.stats().ios, { received: 1, withoutResponse: 1, requests: 1 })
  t.equal(simulator.pushes[0]?.token, 'faded005')
  const hms = { endpoint: simulator.hms, authorization: await hmsBearer(simulator) }
  t.equal((await sendHms(hms, hmsMessage(['faded005', 'ordinary']))).status, 0)
  t.match(simulator.stats().huawei, { received: 2, withoutResponse: 1, distinctTokens: 2 })
})

t.test('faded006: GOAWAY, and nothing is read from this stream on', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  const goaway = once(session, 'goaway')
  const closed = once(session, 'close')
  simulator.setLatency(20)
  const replies = await Promise.all([push(session, TOKEN), push(session, 'faded006'), push(session, TOKEN)])
  t.match(replies, [{ status: 200 }, { status: 0 }, { status: 0 }])
  const [code, last] = (await goaway) as [number, number]
  t.same([code, last], [constants.NGHTTP2_NO_ERROR, 3], 'it names the stream before')
  await closed
  t.match(simulator.stats().ios, { received: 2, withoutResponse: 1 })
  t.match(
    await push(dial(t, simulator), 'faded006'),
    { reset: constants.NGHTTP2_REFUSED_STREAM },
    'the first of a connection is refused',
  )
})

t.test('faded007: accepted, GOAWAY, and cut with what is under way', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  const goaway = once(session, 'goaway')
  const replies = await Promise.all([push(session, 'faded000'), push(session, 'faded007')])
  t.match(replies, [{ status: 0 }, { status: 0 }])
  t.equal((await goaway)[0], constants.NGHTTP2_NO_ERROR)
  t.match(simulator.stats().ios, { received: 2, withoutResponse: 2 })
})

t.test('unusable responses, and late responses', async (t) => {
  const { simulator, session } = await start(t)
  const hms = { endpoint: simulator.hms, authorization: await hmsBearer(simulator) }
  t.match(await push(session, 'faded008'), { status: 200, body: {} })
  t.match(await sendHms(hms, hmsMessage(['faded008'])), { status: 200, body: {} })
  t.match(simulator.stats(), { ios: { received: 1 }, huawei: { received: 1 } })
  const gateway = { status: 502, body: {}, headers: { 'retry-after': 'later' } }
  t.match(await push(session, 'faded502'), gateway)
  t.match(await sendHms(hms, hmsMessage(['faded502'])), gateway)

  // The table's 5 s, shortened by a script.
  for (const token of ['faded009', 'aa']) simulator.respondTo(token, { status: 200, delayMs: 100 })
  const before = performance.now()
  t.match([await push(session, 'faded009'), await sendHms(hms, hmsMessage(['aa']))], [{ status: 200 }, { status: 200 }])
  t.ok(performance.now() - before >= 190)

  simulator.respondTo('bb', { failure: 'reset', code: constants.NGHTTP2_ENHANCE_YOUR_CALM })
  t.match(await push(session, 'bb'), { reset: constants.NGHTTP2_ENHANCE_YOUR_CALM })
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT'
  t.equal((await call(simulator, '/control/responses', { token: 'cc', status: 503, retryAfter: date })).status, 204)
  t.match(await push(session, 'cc'), { status: 503, headers: { 'retry-after': date } })
  const scripted = { token: 'dd', status: 500, body: '{"reason":"New"}', headers: { 'x-odd': 'yes' }, delayMs: 1 }
  t.equal((await call(simulator, '/control/responses', scripted)).status, 204)
  t.match(await push(session, 'dd'), { status: 500, body: { reason: 'New' }, headers: { 'x-odd': 'yes' } })
})

t.test('a rate', async (t) => {
  t.test('is a bucket that fills steadily', async (t) => {
    let now = 0
    const take = createBucket({ perSecond: 100, burst: 10 }, () => now)
    const taken = (count: number) => Array.from({ length: count }, () => take(1)).filter(Boolean).length
    t.equal(taken(20), 10)
    now += 50
    t.equal(taken(20), 5)
    now += 10_000
    t.equal(taken(20), 10)
    now += 10_000
    t.ok(take(50), 'more than there is room for passes when it is full')
    now += 300
    t.notOk(take(1), 'and is paid off')
    now += 120
    t.ok(take(1))
  })

  t.test('is for all senders, and each provider refuses in its own way', async (t) => {
    const { simulator, session } = await start(t)
    await simulator.configure('ios', { rate: { perSecond: 0.001, burst: 2 } })
    const replies = [await push(session, TOKEN), await push(dial(t, simulator), TOKEN), await push(session, TOKEN)]
    const busy = { status: 503, headers: { 'retry-after': '1' }, body: { reason: 'ServiceUnavailable' } }
    t.match(replies, [{ status: 200 }, { status: 200 }, busy])
    t.match(simulator.stats().ios, { received: 2, refused: 1 })
    await simulator.configure('ios', { rate: { perSecond: 0.001, burst: 1, status: 429, retryAfter: null } })
    await push(session, TOKEN)
    const { status, headers } = await push(session, TOKEN)
    t.same([status, headers['retry-after']], [429, undefined])
    await simulator.configure('ios', { rate: null })
    t.equal((await push(session, TOKEN)).status, 200)

    const hms = { endpoint: simulator.hms, authorization: await hmsBearer(simulator) }
    await simulator.configure('huawei', { rate: { perSecond: 0.001, burst: 3, retryAfter: 7 } })
    t.equal((await sendHms(hms, hmsMessage(['a', 'b']))).status, 200)
    t.match(await sendHms(hms, hmsMessage(['a', 'b'])), { status: 503, headers: { 'retry-after': '7' } })
    t.match(simulator.stats().huawei, { received: 2, refused: 2 }, 'it counts pushes, not requests')
  })
})

t.test('one provider is slow, the others are not', async (t) => {
  const { simulator, session } = await start(t)
  await simulator.configure('ios', { latencyMs: 100 })
  const before = performance.now()
  const hms = { endpoint: simulator.hms, authorization: await hmsBearer(simulator) }
  const slow = push(session, TOKEN)
  t.equal((await sendHms(hms, hmsMessage(['a']))).status, 200)
  await slow
  t.ok(performance.now() - before >= 99)
  await simulator.configure('ios', { latencyMs: null })
  t.equal((await push(session, TOKEN)).status, 200)
})

t.test('the number of streams changes while a connection lasts', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  const changes: [BehaviourSettings['streams'], expected: number][] = [
    [7, 7],
    [0, 0],
    [null, 1000],
  ]
  for (const [streams, expected] of changes) {
    const changed = once(session, 'remoteSettings')
    await simulator.configure('ios', { streams })
    await changed
    t.equal(session.remoteSettings.maxConcurrentStreams, expected)
  }
  await simulator.configure('ios', { streams: 5 })
  const next = dial(t, simulator)
  await push(next, TOKEN)
  t.equal(next.remoteSettings.maxConcurrentStreams, 5, 'and for new ones')
})

t.test('nobody listens, or nobody shakes hands for a while', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  const closed = once(session, 'close')
  await simulator.configure('ios', { down: true })
  await closed
  const { port, hostname } = new URL(simulator.apns.origin)
  await t.rejects(once(connect(Number(port), hostname), 'connect'), { code: 'ECONNREFUSED' })
  await simulator.configure('ios', { down: true })
  await simulator.configure('ios', { down: false, handshakeMs: 150 })
  const before = performance.now()
  t.equal((await push(dial(t, simulator), TOKEN)).status, 200, 'on the same port')
  t.ok(performance.now() - before >= 149)
})

t.test('connections are ended', async (t) => {
  const { simulator } = await start(t)
  for (const [manner, expected] of [
    ['goaway', 200],
    ['goaway-cut', 0],
    ['cut', 0],
  ] as const) {
    const session = dial(t, simulator)
    await push(session, TOKEN)
    await simulator.configure('ios', { latencyMs: 100 })
    let isNotified = false
    session.on('goaway', () => (isNotified = true))
    const before = simulator.stats().ios.requests
    const underWay = push(session, TOKEN)
    await simulator.waitFor(() => simulator.stats().ios.requests > before)
    simulator.disconnect('ios', manner)
    t.equal((await underWay).status, expected, manner)
    t.equal(isNotified, manner !== 'cut', manner)
    await simulator.configure('ios', { latencyMs: 0 })
  }
})

t.test('all of it over HTTP', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  const control = {
    platform: 'ios',
    rate: { perSecond: 0.001 },
    streams: 9,
    handshakeMs: 1,
    latencyMs: { min: 1, max: 2 },
  }
  t.equal((await call(simulator, '/control/behaviour', control)).status, 204)
  t.equal((await push(session, TOKEN)).status, 200)
  t.equal((await push(session, TOKEN)).status, 503)
  const back = { platform: 'ios', rate: null, streams: null, latencyMs: null, handshakeMs: 0, down: false }
  t.equal((await call(simulator, '/control/behaviour', back)).status, 204)
  t.equal((await push(session, TOKEN)).status, 200)
  const closed = once(session, 'close')
  t.equal((await call(simulator, '/control/disconnect', { platform: 'ios' })).status, 204)
  await closed
  const failing = [
    ['/control/behaviour', { rate: null }],
    ['/control/behaviour', { platform: 'web' }],
    ['/control/behaviour', { platform: 'ios', rate: { perSecond: 0 } }],
    ['/control/behaviour', { platform: 'ios', speed: 1 }],
    ['/control/disconnect', { platform: 'ios', manner: 'hug' }],
    ['/control/responses', { token: 'a', failure: 'reset', code: 99 }],
    ['/control/responses', { token: 'a', status: 200, headers: { 'Bad Name': 'x' } }],
  ] as const
  for (const [path, body] of failing) t.equal((await call(simulator, path, body)).status, 400, JSON.stringify(body))
})

t.test('a sender that offers no ALPN is served HTTP/2 where nothing else is spoken', async (t) => {
  const simulator = await startSimulator({ keep: Infinity })
  t.teardown(() => simulator.stop())
  const { hostname, port } = new URL(simulator.apns.origin)
  const socket = connectTls({ host: hostname, port: Number(port), ca: simulator.apns.ca, servername: '' })
  await once(socket, 'secureConnect')
  t.equal(socket.alpnProtocol, false, 'nothing is agreed')
  const session = connectHttp2(simulator.apns.origin, { createConnection: () => socket })
  t.teardown(() => session.destroy())
  t.equal((await push(session, TOKEN)).status, 200)
  t.equal(simulator.pushes.length, 1)
})

t.test('two simulators have authorities of different names, so that a client can trust both', async (t) => {
  const [one, two] = await Promise.all([startSimulator(), startSimulator()])
  t.teardown(() => Promise.all([one.stop(), two.stop()]))
  const subjects = [one, two].map(({ apns }) => new X509Certificate(apns.ca).subject)
  t.not(subjects[0], subjects[1])
  const ca = `${one.apns.ca}${two.apns.ca}`
  for (const simulator of [one, two]) {
    const session = connectHttp2(simulator.apns.origin, { ca })
    t.teardown(() => session.destroy())
    t.equal((await push(session, TOKEN)).status, 200, 'under one file with both')
  }
})
