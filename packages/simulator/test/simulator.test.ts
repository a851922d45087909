// The fake of APNs seen by a sender, and the phones, control calls and page seen over HTTP.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { constants, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PREFIXES, startSimulator, type Phone, type SimulatorOptions } from '../src/index.ts'
import { IN_MISBEHAVIOUR, makeKey, makeToken, open, PAYLOAD, push, TOKEN } from './_client.ts'

async function start(t: Test, options: SimulatorOptions = {}) {
  const simulator = await startSimulator({ keep: Infinity, ...options })
  const session = open(simulator)
  t.teardown(async () => {
    session.destroy()
    await simulator.stop()
  })
  return { simulator, session }
}

const call = (url: string, ...[path, method = 'GET', body]: [path: string, method?: string, body?: unknown]) =>
  fetch(`${url}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })

t.test('the page is for names of this machine alone', async (t) => {
  const { simulator } = await start(t, { allowedHosts: ['phones.internal'] })
  const { port } = new URL(simulator.url)
  const statusUnder = async (host: string, path = '/phones', method = 'GET') => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, headers: { host } }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode
  }
  for (const host of ['localhost', '127.0.0.1:1', '[::1]', 'phones.internal'])
    t.equal(await statusUnder(host), 200, host)
  for (const path of ['/', '/phones', '/stats', '/events', '/control/responses', '/nowhere'])
    t.equal(await statusUnder('rebound.example', path), 421, path)
  t.equal(await statusUnder('rebound.example', '/control/power-auth/client', 'DELETE'), 421, 'control calls')
})

t.test('a request in order is accepted, kept and counted', async (t) => {
  const { simulator, session } = await start(t)
  const id = 'eC1a7f0e-1111-4222-8333-0123456789aB'
  const given = await push(session, TOKEN, {
    headers: { 'apns-id': id, 'apns-expiration': '0', 'apns-priority': '10' },
  })
  t.equal(given.status, 200)
  t.equal(given.headers['apns-id'], id, 'the id is given back as written')
  const made = await push(session, TOKEN)
  t.match(made.headers['apns-id'], /^[0-9A-F]{8}-([0-9A-F]{4}-){3}[0-9A-F]{12}$/)
  t.match(simulator.pushes, [
    { platform: 'ios', token: TOKEN, apnsId: id, payload: PAYLOAD, headers: { 'apns-topic': 'com.example.bank' } },
    { apnsId: made.headers['apns-id'] },
  ])
  t.ok(simulator.pushes[0]?.receivedAt instanceof Date)
  t.match(simulator.stats().ios, {
    received: 2,
    requests: 2,
    distinctTokens: 1,
    byStatus: { 200: 2 },
    withoutResponse: 0,
  })
  t.match(simulator.stats().android, { received: 0, requests: 0 })
})

t.test('each check has its reason', async (t) => {
  const { simulator, session } = await start(t)
  const hour = 3600
  const now = Math.floor(Date.now() / 1000)
  const headers = (headers: OutgoingHttpHeaders) => ({ headers })
  const cases: [status: number, reason: string, token: string, options: Parameters<typeof push>[2]][] = [
    [405, 'MethodNotAllowed', TOKEN, headers({ ':method': 'PUT' })],
    [404, 'BadPath', TOKEN, headers({ ':path': `/2/device/${TOKEN}` })],
    [403, 'MissingProviderToken', TOKEN, headers({ authorization: undefined })],
    [403, 'InvalidProviderToken', TOKEN, headers({ authorization: 'bearer nonsense' })],
    [403, 'InvalidProviderToken', TOKEN, headers({ authorization: 'bearer e30.e30.e30' })],
    [403, 'InvalidProviderToken', TOKEN, headers({ authorization: 'bearer a.b.c' })],
    [403, 'InvalidProviderToken', TOKEN, headers({ authorization: `Basic ${makeToken()}` })],
    [403, 'InvalidProviderToken', TOKEN, headers({ authorization: `bearer ${makeToken({ alg: 'RS256' })}` })],
    [
      403,
      'ExpiredProviderToken',
      TOKEN,
      headers({ authorization: `bearer ${makeToken({ issuedAt: now - hour - 5 })}` }),
    ],
    [
      403,
      'ExpiredProviderToken',
      TOKEN,
      headers({ authorization: `bearer ${makeToken({ issuedAt: now + hour + 5 })}` }),
    ],
    [400, 'MissingDeviceToken', '', {}],
    [400, 'BadDeviceToken', 'not-hexadecimal', {}],
    [400, 'BadDeviceToken', `${TOKEN}/more`, {}],
    [400, 'MissingTopic', TOKEN, headers({ 'apns-topic': undefined })],
    [400, 'BadTopic', TOKEN, headers({ 'apns-topic': 'no topic' })],
    [400, 'InvalidPushType', TOKEN, headers({ 'apns-push-type': 'loud' })],
    [400, 'BadPriority', TOKEN, headers({ 'apns-priority': '7' })],
    [400, 'BadPriority', TOKEN, headers({ 'apns-push-type': 'background', 'apns-priority': '10' })],
    [400, 'BadExpirationDate', TOKEN, headers({ 'apns-expiration': 'tomorrow' })],
    [400, 'BadMessageId', TOKEN, headers({ 'apns-id': '12345' })],
    [400, 'BadCollapseId', TOKEN, headers({ 'apns-collapse-id': 'x'.repeat(65) })],
    [400, 'PayloadEmpty', TOKEN, { body: '' }],
    [400, 'PayloadEmpty', TOKEN, { body: '[1]' }],
    [400, 'PayloadEmpty', TOKEN, { body: '{"aps":' }],
    [413, 'PayloadTooLarge', TOKEN, { body: { aps: {}, filler: 'x'.repeat(4096) } }],
    [413, 'PayloadTooLarge', TOKEN, { body: 'x'.repeat(100_000) }],
  ]
  for (const [status, reason, token, options] of cases) {
    const reply = await push(session, token, options)
    t.match(
      { status: reply.status, ...reply.body },
      { status, reason },
      `${reason}: ${JSON.stringify(options).slice(0, 80)}`,
    )
  }
  t.equal(simulator.pushes.length, 0)
  t.match(simulator.stats().ios, { received: 0, requests: cases.length, distinctTokens: 0 })
  t.equal(simulator.phones.length, 0, 'a refused push makes no phone')
})

/** Push types with a topic of their own, and members of `aps` that they have to have. */
const TYPES = [
  {
    type: 'liveactivity',
    suffix: '.push-type.liveactivity',
    aps: { timestamp: 1, event: 'update', 'content-state': {} },
  },
  { type: 'widgets', suffix: '.push-type.widgets', aps: { 'content-changed': true } },
  { type: 'controls', suffix: '.push-type.controls', aps: { 'content-changed': true } },
  { type: 'location', suffix: '.location-query', aps: {} },
  { type: 'complication', suffix: '.complication', aps: {} },
  { type: 'fileprovider', suffix: '.pushkit.fileprovider', aps: {} },
  { type: 'pushtotalk', suffix: '.voip-ptt', aps: {} },
]

t.test('topic and members of aps are those of the push type', async (t) => {
  const { simulator, session } = await start(t)
  const refused = async (what: string, options: Parameters<typeof push>[2], reason: string) =>
    t.match((await push(session, TOKEN, options)).body, { reason }, what)
  for (const { type, suffix, aps } of TYPES) {
    await refused(type, { body: { aps }, headers: { 'apns-push-type': type } }, 'DeviceTokenNotForTopic')
    if (Object.keys(aps).length === 0) continue
    const headers = { 'apns-push-type': type, 'apns-topic': `com.example.bank${suffix}` }
    await refused(`${type} without its members`, { body: { aps: {} }, headers }, 'InvalidPushType')
  }
  const background = { 'apns-push-type': 'background', 'apns-priority': '5' }
  await refused('background', { body: { aps: {} }, headers: background }, 'InvalidPushType')
  await refused(
    'background with an alert',
    { body: { aps: { 'content-available': 1, alert: 'x' } }, headers: background },
    'InvalidPushType',
  )
  t.equal(simulator.pushes.length, 0)
})

t.test('what is just allowed passes', async (t) => {
  const { session } = await start(t)
  const frame = JSON.stringify({ aps: {}, filler: '' }).length
  const allowed: [what: string, options: Parameters<typeof push>[2]][] = [
    ['4096 bytes', { body: { aps: {}, filler: 'x'.repeat(4096 - frame) } }],
    [
      '5120 bytes of voip',
      {
        body: { aps: {}, filler: 'x'.repeat(5120 - frame) },
        headers: { 'apns-push-type': 'voip', 'apns-topic': 'com.example.bank.voip' },
      },
    ],
    ['no push type', { headers: { 'apns-push-type': undefined } }],
    ['a collapse id of 64 bytes', { headers: { 'apns-collapse-id': 'x'.repeat(64) } }],
    [
      'background with priority 5',
      {
        body: { aps: { 'content-available': 1 } },
        headers: { 'apns-push-type': 'background', 'apns-priority': '5' },
      },
    ],
    ...TYPES.map(({ type, suffix, aps }): (typeof allowed)[number] => [
      type,
      { body: { aps }, headers: { 'apns-push-type': type, 'apns-topic': `com.example.bank${suffix}` } },
    ]),
    [
      'a token of 59 minutes',
      { headers: { authorization: `bearer ${makeToken({ issuedAt: Date.now() / 1000 - 3540 })}` } },
    ],
  ]
  for (const [what, options] of allowed) t.equal((await push(session, TOKEN.toUpperCase(), options)).status, 200, what)
})

t.test('registered keys decide who may push and where to', async (t) => {
  const { simulator, session } = await start(t)
  const [mine, other] = [makeKey(), makeKey()]
  const keyId = 'MINE000001'
  t.equal((await push(session, TOKEN)).status, 200, 'without keys every well-formed token passes')
  simulator.addApnsKey({ keyId, teamId: 'TEAM000001', publicKeyPem: mine.publicKeyPem, topics: ['com.example.bank'] })
  const withToken = (options: Parameters<typeof makeToken>[0], headers = {}) =>
    push(session, TOKEN, { headers: { authorization: `bearer ${makeToken(options)}`, ...headers } })

  t.equal((await withToken({ keyId, key: mine.privateKey })).status, 200)
  t.match(await push(session, TOKEN), { status: 403, body: { reason: 'InvalidProviderToken' } }, 'a key nobody knows')
  t.match(
    await withToken({ keyId, key: other.privateKey }),
    { body: { reason: 'InvalidProviderToken' } },
    'another signature',
  )
  const otherTeam = await withToken({ keyId, teamId: 'TEAM000002', key: mine.privateKey })
  t.match(otherTeam, { body: { reason: 'InvalidProviderToken' } }, 'another team')
  const otherTopic = await withToken({ keyId, key: mine.privateKey }, { 'apns-topic': 'com.example.other' })
  t.match(otherTopic, { status: 400, body: { reason: 'TopicDisallowed' } })
})

t.test('one connection is for one team', async (t) => {
  const { session } = await start(t)
  t.equal((await push(session, TOKEN)).status, 200)
  const headers = { authorization: `bearer ${makeToken({ teamId: 'TEAM000002' })}` }
  t.match(await push(session, TOKEN, { headers }), { status: 403, body: { reason: 'InvalidProviderToken' } })
  t.equal((await push(session, TOKEN)).status, 200, 'the first team goes on')
})

t.test('a connection has one stream until a valid token was shown', async (t) => {
  const { session } = await start(t, { maxStreams: 321 })
  await once(session, 'remoteSettings')
  t.equal(session.remoteSettings.maxConcurrentStreams, 1)
  await push(session, TOKEN, { headers: { authorization: undefined } })
  t.equal(session.remoteSettings.maxConcurrentStreams, 1, 'a refused token opens nothing')
  const widened = once(session, 'remoteSettings')
  await push(session, TOKEN)
  await widened
  t.equal(session.remoteSettings.maxConcurrentStreams, 321)
  const replies = await Promise.all(Array.from({ length: 300 }, () => push(session, TOKEN)))
  t.ok(replies.every(({ status }) => status === 200))
})

t.test('tokens with a prefix get the responses of the table', async (t) => {
  const { simulator, session } = await start(t)
  const expected: Record<string, object> = {
    faded400: { status: 400, body: { reason: 'BadDeviceToken' } },
    faded403: { status: 403, body: { reason: 'InvalidProviderToken' } },
    faded410: { status: 410, body: { reason: 'Unregistered', timestamp: Number } },
    faded413: { status: 413, body: { reason: 'PayloadTooLarge' } },
    faded429: { status: 429, body: { reason: 'TooManyRequests' }, headers: { 'retry-after': '2' } },
    faded500: { status: 500, body: { reason: 'InternalServerError' } },
    faded503: { status: 503, body: { reason: 'ServiceUnavailable' }, headers: { 'retry-after': '2' } },
    faded001: { status: 0, reset: constants.NGHTTP2_CANCEL },
    faded002: { status: 0, reset: constants.NGHTTP2_REFUSED_STREAM },
  }
  for (const [prefix, reply] of Object.entries(expected)) t.match(await push(session, `${prefix}ab12`), reply, prefix)
  t.match(await push(session, 'FADED410ab'), { status: 410 }, 'in capitals too')
  t.match(await push(session, 'faded404ab'), { status: 200 }, 'a prefix that is not in the table is an ordinary token')
  t.match(simulator.stats().ios, { requests: 11, received: 1, withoutResponse: 2, byStatus: { 410: 2, 200: 1 } })
  const elsewhere = ['faded000', 'faded003', 'faded004', ...IN_MISBEHAVIOUR]
  t.same(
    PREFIXES.map(({ prefix }) => prefix).sort(),
    [...Object.keys(expected), ...elsewhere].sort(),
    'each prefix is tested',
  )
})

t.test('faded000 never gets a response', async (t) => {
  const { simulator, session } = await start(t)
  let responded = false
  const silent = push(session, 'faded000').then((reply) => {
    responded = true
    return reply
  })
  await simulator.waitFor(() => simulator.stats().ios.withoutResponse === 1)
  t.equal((await push(session, TOKEN)).status, 200, 'a later request gets its response')
  t.equal(responded, false)
  session.destroy()
  t.equal((await silent).status, 0)
})

t.test('faded003 cuts the connection, with all that is under way', async (t) => {
  const { simulator, session } = await start(t)
  session.on('error', () => {})
  let goaway = false
  session.on('goaway', () => (goaway = true))
  await push(session, TOKEN)
  const silent = push(session, 'faded000')
  const dropped = await push(session, 'faded003')
  t.match([dropped, await silent], [{ status: 0 }, { status: 0 }])
  t.ok(session.destroyed)
  t.notOk(goaway, 'without GOAWAY')
  const next = open(simulator)
  t.equal((await push(next, TOKEN)).status, 200, 'a new connection works')
  next.destroy()
})

t.test('faded004 says GOAWAY, finishes what is under way and closes', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  simulator.setLatency(20)
  const goaway = once(session, 'goaway')
  const closed = once(session, 'close')
  const replies = await Promise.all([push(session, TOKEN), push(session, 'faded004'), goaway, closed])
  t.match(replies.slice(0, 2), [{ status: 200 }, { status: 200 }])
  const [code, , data] = await goaway
  t.equal(code, constants.NGHTTP2_NO_ERROR)
  t.equal(String(data), '{"reason":"Shutdown"}')
})

t.test('a sender that gives up or hangs up does no harm', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  simulator.setLatency(30)
  const hasty = open(simulator)
  const headers = {
    ':method': 'POST',
    ':path': `/3/device/${TOKEN}`,
    authorization: `bearer ${makeToken()}`,
    'apns-topic': 'a.b',
  }
  const [givenUp, hungUp, unfinished] = [session.request(headers), hasty.request(headers), hasty.request(headers)]
  for (const stream of [givenUp, hungUp, unfinished]) stream.on('error', () => {})
  givenUp.end(JSON.stringify(PAYLOAD))
  hungUp.end(JSON.stringify(PAYLOAD))
  await simulator.waitFor((pushes) => pushes.length === 3)
  givenUp.close(constants.NGHTTP2_CANCEL)
  hasty.destroy()
  t.equal((await push(session, TOKEN)).status, 200, 'gets its response after the abandoned ones')
  t.match(simulator.stats().ios, { requests: 4, received: 4 })
})

t.test('responses are scripted in the process', async (t) => {
  const { simulator, session } = await start(t)
  const status = async (token: string) => (await push(session, token)).status
  simulator.respondTo('ab', { status: 503, retryAfter: 7, times: 1 })
  simulator.respondTo('ab', { status: 410, reason: 'ExpiredToken', timestamp: 1_700_000_000_000, times: 1 })
  t.match(await push(session, 'ab01'), { status: 503, headers: { 'retry-after': '7' } })
  t.match(await push(session, 'ab02'), { status: 410, body: { reason: 'ExpiredToken', timestamp: 1_700_000_000_000 } })
  t.equal(await status('ab03'), 200, 'used up')

  simulator.respondTo('ab', { status: 500 })
  simulator.respondTo('ab12', { failure: 'refuse' })
  t.equal((await push(session, 'ab1234')).reset, constants.NGHTTP2_REFUSED_STREAM, 'the longer prefix wins')
  simulator.respondTo('ab', { status: 429 })
  t.same([await status('ab05'), await status('ab05')], [429, 429], 'a lasting response is replaced by the next')
  simulator.respondTo('faded410', { status: 200 })
  t.equal(await status('faded410'), 200, 'what is scripted goes before the table')
  simulator.forgetResponses('ab')
  t.equal(await status('ab05'), 200)
  t.equal(await status('faded410'), 200, 'the others are kept')
  simulator.forgetResponses()
  t.equal(await status('faded410'), 410)
})

t.test('responses and latency are scripted over HTTP', async (t) => {
  const { simulator, session } = await start(t)
  const { url } = simulator
  const script = (reply: object) => call(url, '/control/responses', 'POST', reply)
  t.equal((await script({ token: 'ab', status: 400, reason: 'DeviceTokenNotForTopic', times: 1 })).status, 204)
  t.equal((await script({ token: 'cd', failure: 'cancel' })).status, 204)
  const listed = (await (await call(url, '/control/responses')).json()) as { prefixes: unknown }
  t.match(listed, { scripted: [{ token: 'ab', responses: [{ status: 400, times: 1 }] }, { token: 'cd' }] })
  t.same(listed.prefixes, PREFIXES)
  t.match(await push(session, 'ab'), { status: 400, body: { reason: 'DeviceTokenNotForTopic' } })
  t.equal((await push(session, 'cd')).reset, constants.NGHTTP2_CANCEL)
  t.equal((await call(url, '/control/responses?token=cd', 'DELETE')).status, 204)
  t.equal((await push(session, 'cd')).status, 200)
  await script({ token: 'ab', status: 500 })
  t.equal((await call(url, '/control/responses', 'DELETE')).status, 204)
  t.equal((await push(session, 'ab')).status, 200)

  for (const failing of [
    {},
    { token: 'ab' },
    { token: 'ab', status: 500, failure: 'drop' },
    { token: 'ab', status: '500' },
    { token: 'ab', status: 500, tiems: 1 },
  ]) {
    t.equal((await script(failing)).status, 400, JSON.stringify(failing))
  }
  const slow = (latencyMs: unknown) => call(url, '/control/latency', 'POST', { latencyMs })
  t.equal((await slow({ min: 40, max: 60 })).status, 204)
  const before = performance.now()
  await push(session, TOKEN)
  t.ok(performance.now() - before >= 39)
  t.equal((await slow(-1)).status, 400)
  t.equal((await slow('fast')).status, 400)
})

t.test('phones show what a person would see', async (t) => {
  const { simulator, session } = await start(t)
  const { url } = simulator
  simulator.addPhone({ platform: 'ios', token: TOKEN, name: 'Anna’s iPhone' })
  const balance = (body: string) => ({
    body: {
      aps: { alert: { title: 'Balance', body }, badge: 3, sound: 'default', 'thread-id': 'account' },
      extra: { a: 1 },
    },
    headers: { 'apns-collapse-id': Buffer.from('zůstatek').toString('latin1') },
  })
  const first = await push(session, TOKEN, balance('$700'))
  await push(session, TOKEN, {
    body: { aps: { 'content-available': 1 } },
    headers: { 'apns-push-type': 'background', 'apns-priority': '5' },
  })
  await push(session, TOKEN, balance('$745'))
  await push(session, TOKEN, { body: { aps: { alert: 'Plain' } }, headers: { 'apns-priority': '1' } })
  await push(session, TOKEN, {
    body: {
      aps: {
        alert: { 'title-loc-key': 'T', 'loc-key': 'B', 'loc-args': ['1', '2'] },
        sound: { name: 'bell', critical: 1 },
      },
    },
  })

  const phone = (await (await call(url, `/phones/${TOKEN}`)).json()) as Phone
  t.match(phone, { platform: 'ios', token: TOKEN, name: 'Anna’s iPhone' })
  t.match(
    phone.notifications,
    [
      { title: 'T', body: 'B (1, 2)', sound: 'bell', silent: false, level: 'critical' },
      { body: 'Plain', priority: 'low' },
      {
        app: 'com.example.bank',
        title: 'Balance',
        body: '$745',
        badge: 3,
        sound: 'default',
        silent: false,
        thread: 'account',
        collapseKey: 'zůstatek',
        priority: 'high',
        payload: { extra: { a: 1 } },
        receivedAt: /^\d{4}-.*Z$/,
        replaces: first.headers['apns-id'],
      },
      { silent: true, priority: 'normal' },
    ],
    'newest first, and the collapse id replaces',
  )
  t.equal(phone.notifications.length, 4)
  t.equal(phone.notifications[1]?.title, undefined)

  t.equal((await call(url, `/phones/${TOKEN}/notifications`, 'DELETE')).status, 204)
  t.same(simulator.phones[0]?.notifications, [])
  t.equal((await call(url, '/phones', 'POST', { platform: 'ios', token: 'ab12' })).status, 201)
  t.equal((await call(url, '/phones', 'POST', { platform: 'pager', token: 'ab12' })).status, 400)
  const all = (await (await call(url, '/phones')).json()) as Phone[]
  t.match(all, [{ token: TOKEN }, { token: 'ab12', name: 'iPhone 2', notifications: [] }])
  t.equal((await call(url, '/phones/unknown')).status, 404)
  t.equal((await call(url, '/phones/unknown/notifications', 'DELETE')).status, 404)
  const stats = await (await call(url, '/stats')).json()
  t.same(stats, simulator.stats())
  t.match(stats, {
    ios: { received: 5, requests: 5, distinctTokens: 1 },
    android: { received: 0 },
    huawei: { received: 0 },
  })
})

t.test('what is kept is bounded, what is counted is not', async (t) => {
  const { simulator, session } = await start(t, { keep: 10 })
  await push(session, TOKEN)
  for (let n = 0; n < 60; n += 1) await push(session, TOKEN, { body: { aps: { alert: `${n}` } } })
  t.equal(simulator.pushes.length, 10)
  t.match(simulator.pushes.at(-1), { payload: { aps: { alert: '59' } } })
  t.equal(simulator.phones[0]?.notifications.length, 50)
  t.match(simulator.phones[0]?.notifications.at(0), { body: '59' })

  const tokens = Array.from({ length: 150 }, (_, n) => (0xabc000 + n).toString(16))
  await Promise.all(tokens.map((token) => push(session, token)))
  t.equal(simulator.phones.length, 100)
  t.match(simulator.stats().ios, { received: 211, distinctTokens: 151 })
  simulator.addPhone({ platform: 'ios', token: 'abc0ffee' })
  await push(session, 'abc0ffee')
  t.equal(simulator.phones.at(-1)?.notifications.length, 1, 'a phone that was added is kept nevertheless')
})

t.test('waitFor tells at once, fails in time and when stopped', async (t) => {
  const { simulator, session } = await start(t)
  const two = simulator.waitFor((pushes) => pushes.length >= 2)
  await push(session, TOKEN)
  await push(session, 'faded410')
  await push(session, TOKEN)
  await two
  await simulator.waitFor((pushes) => pushes.length === 2)
  await t.rejects(
    simulator.waitFor(() => false, 10),
    /did not hold within 10 ms.*"received":2/,
  )
  const broken = () => {
    throw new Error('broken condition')
  }
  await t.rejects(simulator.waitFor(broken), /broken condition/)
  const pending = t.rejects(
    simulator.waitFor(() => false),
    /stopped/,
  )
  await simulator.stop()
  await pending
  await t.rejects(
    simulator.waitFor(() => true),
    /stopped/,
  )
})

t.test('arrivals are streamed as events', async (t) => {
  const { simulator, session } = await start(t)
  await push(session, TOKEN)
  const events = await openEvents(simulator.url)
  t.equal(events.response.headers['content-type'], 'text/event-stream')
  t.match(
    await events.next('phones'),
    [{ token: TOKEN, notifications: [{ title: 'Balance update' }] }],
    'the state comes first',
  )
  t.match(await events.next('stats'), { ios: { received: 1 } })

  const arrival = events.next('notification')
  await push(session, TOKEN, { body: { aps: { alert: { body: '</script>\n\nevent: none' } } } })
  t.match(await arrival, {
    platform: 'ios',
    token: TOKEN,
    name: 'iPhone 1',
    notification: { body: '</script>\n\nevent: none' },
  })
  t.match(await events.next('stats'), { ios: { received: 2 } })

  const cleared = events.next('phone')
  await call(simulator.url, `/phones/${TOKEN}/notifications`, 'DELETE')
  t.match(await cleared, { token: TOKEN, notifications: [] })
  const cut = once(events.response, 'error')
  await simulator.stop()
  t.match(await cut, [{ code: 'ECONNRESET' }])
})

/** A reader of server-sent events: `next` resolves with the data of the next unread event of a name. */
async function openEvents(url: string) {
  const request = httpRequest(`${url}/events`).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const unread: { name: string; data: unknown }[] = []
  const changes = new EventTarget()
  let text = ''
  response.on('data', (chunk: Buffer) => {
    const parts = (text + chunk.toString()).split('\n\n')
    text = parts.pop() ?? ''
    for (const part of parts) {
      const [, name = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(part) ?? []
      unread.push({ name, data: JSON.parse(data) })
    }
    changes.dispatchEvent(new Event('change'))
  })
  async function next(name: string): Promise<unknown> {
    for (;;) {
      const index = unread.findIndex((event) => event.name === name)
      if (index >= 0) return unread.splice(index, 1)[0]?.data
      await once(changes, 'change')
    }
  }
  return { response, next }
}

t.test('the page loads nothing but its own parts', async (t) => {
  const { simulator } = await start(t)
  const page = await fetch(simulator.url)
  const html = await page.text()
  t.match(page.headers.get('content-type'), /^text\/html/)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self'/)
  t.notMatch(policy, /unsafe|http|\*/)

  const seen = new Set<string>()
  const readParts = async (text: string): Promise<void> => {
    t.notMatch(text, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/, 'nothing from elsewhere')
    t.notMatch(text, /innerHTML|outerHTML|insertAdjacentHTML|document\.write/)
    const paths = [...text.matchAll(/"(\/assets\/[^"]+)"|from '\.\/([^']+)'/g)].map(
      ([, path, module]) => path ?? `/assets/${module}`,
    )
    for (const path of paths.filter((path) => !seen.has(path))) {
      seen.add(path)
      const part = await fetch(`${simulator.url}${path}`)
      t.equal(part.status, 200, path)
      t.equal(part.headers.get('x-content-type-options'), 'nosniff')
      await readParts(await part.text())
    }
  }
  await readParts(html)
  for (const part of ['iphone.js', 'pixel.js', 'huawei.js', 'page.css']) t.ok(seen.has(`/assets/${part}`), part)
  t.equal((await fetch(`${simulator.url}/assets/../package.json`)).status, 404)
})

t.test('texts of notifications are read in their own direction', async (t) => {
  const { simulator } = await start(t)
  for (const part of ['iphone', 'pixel', 'huawei', 'details']) {
    const text = await (await fetch(`${simulator.url}/assets/${part}.js`)).text()
    const undirected = /\belement\(\s*'\w+',\s*\{[^}]*\},\s*(?:notification\.)?(?:title|subtitle|body)\s*[,)]/
    t.notMatch(text, undirected, `${part}: a text without dir="auto"`)
    t.ok(text.includes('textElement('), part)
  }
  t.match(await (await fetch(`${simulator.url}/assets/dom.js`)).text(), /textElement = .*dir: 'auto'/)
  for (const part of ['iphone-notifications', 'android-parts'])
    t.notMatch(await (await fetch(`${simulator.url}/assets/${part}.css`)).text(), /text-align: (left|right)/, part)
  t.match(await (await fetch(simulator.url)).text(), /<title>Phones · Push Server<\/title>/)
})

t.test('a kept certificate outlives a restart, an unsuitable one is replaced', async (t) => {
  const certificateDir = join(t.testdir(), 'certificates')
  const start = async (options: SimulatorOptions = {}) => {
    const simulator = await startSimulator({ certificateDir, ...options })
    await simulator.stop()
    return simulator.apns.ca
  }
  const first = await start()
  t.equal(await start(), first)
  t.equal(await readFile(join(certificateDir, 'ca.pem'), 'utf8'), first)
  t.equal((await stat(join(certificateDir, 'server-key.pem'))).mode & 0o077, 0, 'the key is for nobody else')
  t.not(await start({ certificateNames: ['simulator'] }), first)
})

t.test('a sender has to trust the authority', async (t) => {
  const { simulator } = await start(t)
  const other = await startSimulator()
  t.teardown(other.stop)
  const stranger: ClientHttp2Session = open({ ...other, apns: { ...simulator.apns, ca: other.apns.ca } })
  const [error] = await once(stranger, 'error')
  t.match(error, { code: /CERT|VERIFY|ISSUER/i })
})

t.test('stop frees everything', async (t) => {
  const { simulator, session } = await start(t, { latencyMs: 60_000 })
  session.on('error', () => {})
  const events = await openEvents(simulator.url)
  events.response.on('error', () => {})
  const waitingForResponse = push(session, TOKEN)
  await simulator.waitFor((pushes) => pushes.length === 1)
  await simulator.stop()
  await simulator.stop()
  t.equal((await waitingForResponse).status, 0)
  await t.rejects(fetch(simulator.url))
  const port = Number(new URL(simulator.url).port)
  const apnsPort = Number(new URL(simulator.apns.origin).port)
  const again = await startSimulator({ port, apnsPort })
  t.match(again, { url: simulator.url, apns: { origin: simulator.apns.origin } }, 'the ports are free again')
  await again.stop()
})

t.test('a start that fails leaves nothing behind', async (t) => {
  const { simulator } = await start(t)
  const taken = Number(new URL(simulator.url).port)
  const free = await startSimulator()
  await free.stop()
  const apnsPort = Number(new URL(free.apns.origin).port)
  await t.rejects(startSimulator({ port: taken, apnsPort }), { code: 'EADDRINUSE' })
  const next = await startSimulator({ apnsPort })
  t.equal(next.apns.origin, free.apns.origin, 'the port of APNs was given back')
  await next.stop()
})
