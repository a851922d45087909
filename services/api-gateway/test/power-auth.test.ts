// The gateway with a PowerAuth Server, simulated at the wire: its requests, and what it makes of each response and of none.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { openActivations } from '@push-server/domain'
import { readConfig } from '@push-server/runtime'
import { freePort, openTestStack, POWER_AUTH_CLIENT, waitFor, type Response } from '@push-server/testing'
import { APP, json, newToken } from './_gateway.ts'
import { isOk, refusedWith, watch } from './_watched-api.ts'

const STATUS = '/push/device/status/update'
const NOT_ACTIVE = 'Device registration failed because associated activation is not ACTIVE'
const REMOVED = 'Device registration failed because associated activation is REMOVED'
const CLAIM = { userId: 'u', activationStatus: 'ACTIVE' }
const UNKNOWN = 'Device registration failed because activation status is unknown'
const FAILED = 'Device registration failed'
/** Long enough for a response that arrives, on any machine; silence is waited for so long. */
const RESPONSE_TIMEOUT_MS = 4_000

const stack = await openTestStack({
  services: ['gateway'],
  powerAuth: true,
  environment: { POWERAUTH_RESPONSE_TIMEOUT: `${RESPONSE_TIMEOUT_MS}ms`, POWERAUTH_CONNECTIONS: '4' },
})
t.teardown(stack.close)
await stack.configure()
const { database, simulator } = stack
const { powerAuth } = simulator
const api = watch(stack.api.url)
const { call, get, post } = api

const single = (activationId: string, more: object = {}) =>
  post('/push/device/create', { appId: APP, platform: 'ios', token: newToken(), activationId, ...more })
const multi = (activationIds: string[], more: object = {}) =>
  post('/push/device/create/multi', { appId: APP, platform: 'ios', token: newToken(), activationIds, ...more })
const updateStatus = (activationId: string) => call('POST', STATUS, json({ activationId }))
const unconfigured = () => get('/admin/app/unconfigured/list')

const deviceOf = async (activationId: string) =>
  (
    await database.query('SELECT user_id AS "user", active, token FROM devices WHERE activation_id = $1', [
      activationId,
    ])
  )[0]

/** An activation that PowerAuth Server knows. */
function newActivation(more: Partial<Parameters<typeof powerAuth.addActivation>[0]> = {}): string {
  const activationId = randomUUID()
  powerAuth.addActivation({ activationId, userId: 'of-power-auth', applicationId: APP, ...more })
  return activationId
}

async function changesNothing(t: Test, work: () => Promise<unknown>) {
  const read = () => database.query('SELECT * FROM devices ORDER BY id')
  const before = await read()
  await work()
  t.same(await read(), before, 'nothing is changed')
}

t.test('it is queried once, and its response wins', async (t) => {
  for (const [status, active] of [
    ['ACTIVE', true],
    ['BLOCKED', false],
    ['CREATED', false],
    ['PENDING_COMMIT', false],
  ] as const) {
    const id = newActivation({ status })
    const before = powerAuth.requests.length
    isOk(t, await single(id, { userId: 'somebody else', activationStatus: 'REMOVED' }), status)
    t.match(await deviceOf(id), { user: 'of-power-auth', active })
    t.match(powerAuth.requests.slice(before), [
      { path: '/rest/v4/activation/status', requestObject: { activationId: id } },
    ])
  }
  const [kept] = await database.query('SELECT count(*)::int FROM activations')
  t.same(kept, { count: 0 }, 'nothing is kept beside it')
})

t.test('C-23 removed, unknown and of another application', async (t) => {
  await changesNothing(t, async () => {
    refusedWith(t, await single(newActivation({ status: 'REMOVED' })), NOT_ACTIVE)
    refusedWith(t, await single(randomUUID(), { userId: 'u' }), NOT_ACTIVE, 'unknown')
    refusedWith(t, await single(randomUUID(), { ...CLAIM, activationStatus: 'REMOVED' }), REMOVED)
    refusedWith(t, await single(randomUUID(), CLAIM), REMOVED, 'as versions 2.x say it, to their clients')
    refusedWith(t, await single(newActivation({ status: 'REMOVED' }), CLAIM), REMOVED)
    refusedWith(
      t,
      await single(newActivation({ applicationId: 'elsewhere' })),
      'Device registration failed because activation belongs to another application',
    )
    powerAuth.behave({ text: '{"status":"OK","responseObject":null}' })
    refusedWith(t, await single(newActivation()), NOT_ACTIVE, 'no response object')
    refusedWith(
      t,
      await single(newActivation(), CLAIM),
      'Device registration failed because associated activation was not found',
    )
    powerAuth.behave(undefined)
  })
  powerAuth.behave({ text: '{"status":"OK","responseObject":{"activationStatus":"ACTIVE","userId":"u"},"new":1}' })
  t.teardown(() => powerAuth.behave(undefined))
  isOk(t, await single(randomUUID()), 'one without an application belongs to any; members that are new do no harm')
})

t.test('the request’s id and the client’s name go along', async (t) => {
  const body = { requestObject: { appId: APP, platform: 'ios', token: newToken(), activationId: newActivation() } }
  isOk(t, await call('POST', '/push/device/create', json(body, { 'x-correlation-id': 'of-this-request' })), 'ok')
  const { clientToken, clientSecret } = POWER_AUTH_CLIENT
  t.match(powerAuth.requests.at(-1), {
    correlationId: 'of-this-request',
    authorization: `Basic ${Buffer.from(`${clientToken}:${clientSecret}`).toString('base64')}`,
  })
})

t.test('a request of a trace hands a span of its own on, and no other does', async (t) => {
  const trace = '0af7651916cd43dd8448eb211c80319c'
  const parent = 'b7ad6b7169203331'
  const handedOn = async (headers: Record<string, string>) => {
    const body = { requestObject: { appId: APP, platform: 'ios', token: newToken(), activationId: newActivation() } }
    isOk(t, await call('POST', '/push/device/create', json(body, headers)), 'ok')
    return powerAuth.requests.at(-1)?.traceparent
  }
  const given: Record<string, string>[] = [
    { traceparent: `00-${trace}-${parent}-01` },
    { b3: `${trace}-${parent}-1` },
    { 'x-b3-traceid': trace, 'x-b3-spanid': parent, 'x-b3-sampled': '1' },
  ]
  for (const headers of given) {
    const [version, traceId, spanId, flags] = (await handedOn(headers))?.split('-') ?? []
    t.same([version, traceId, flags], ['00', trace, '01'])
    t.match(spanId, /^[0-9a-f]{16}$/)
    t.not(spanId, parent)
  }
  t.equal(await handedOn({}), undefined)
  t.equal(await handedOn({ traceparent: `00-${'0'.repeat(32)}-${parent}-01` }), undefined, 'not valid')
})

t.test('multi: all are queried, each once, so many at a time', async (t) => {
  const ids = Array.from({ length: 20 }, (_, index) => newActivation({ userId: `user-${index}` }))
  const before = powerAuth.requests.length
  isOk(t, await multi([...ids, ...ids]), 'registered')
  t.same(
    powerAuth.requests
      .slice(before)
      .map(({ requestObject }) => (requestObject as { activationId: string }).activationId)
      .toSorted(),
    ids.toSorted(),
  )
  for (const [index, id] of ids.entries()) t.match(await deviceOf(id), { user: `user-${index}` })
  await changesNothing(t, async () => {
    refusedWith(t, await multi([...ids, newActivation({ status: 'REMOVED' })]), FAILED)
    powerAuth.behave({ status: 503, times: 1 })
    refusedWith(t, await multi(ids), FAILED)
  })
})

/** Everything that is no valid response, and what the operator reads about it. */
const FAILURES: [name: string, behaviour: Parameters<typeof powerAuth.behave>[0], reason: RegExp][] = [
  ['400', { status: 400, code: 'ERR0009', message: 'Activation not found' }, /HTTP 400 ERR0009: Activation not found/],
  ['404', { status: 404 }, /HTTP 404/],
  ['500', { status: 500 }, /HTTP 500/],
  ['503', { status: 503 }, /HTTP 503/],
  ['302', { status: 302 }, /HTTP 302/],
  ['no JSON', { text: '<html>' }, /without the envelope/],
  ['empty', { text: '' }, /without the envelope/],
  ['an array', { text: '[]' }, /without the envelope/],
  ['an error with 200', { text: '{"status":"ERROR","responseObject":{"code":"ERR0001"}}' }, /without the envelope/],
  ['no members', { text: '{"status":"OK","responseObject":{}}' }, /without/],
  ['a text', { text: '{"status":"OK","responseObject":"ACTIVE"}' }, /without/],
  [
    'more than a megabyte',
    { text: `{"status":"OK","responseObject":{"x":"${'x'.repeat(1024 * 1024)}"}}` },
    /max(imum)? ?size|exceeded/i,
  ],
  ['the connection is closed', { failure: 'drop' }, /other side closed|ECONNRESET|socket/i],
  ['the connection is closed', { failure: 'cancel' }, /other side closed|ECONNRESET|socket/i],
  ['silence', { failure: 'silence' }, /no response within 4000 ms/],
]

/** The client that the gateway has, with settings of its own, and what it reports to the operator. */
function openClient(t: Test, environment: Record<string, string> = {}) {
  const reported: { reason: string }[] = []
  const config = readConfig({ ...stack.environment, ...environment })
  const activations = openActivations(config, stack.context.store)
  t.teardown(() => activations.close())
  const caller = { id: 'of-a-test', log: { warn: (line: object) => void reported.push(line as { reason: string }) } }
  const ask = (activationId: string) => activations.find({ activationIds: [activationId], caller })
  return { activations, ask, reported, caller }
}

t.test('C-25 W-REG-2 no usable answer: each caller’s text, and nothing is changed', async (t) => {
  const known = newActivation()
  await single(known)
  t.teardown(() => powerAuth.behave(undefined))
  const calls: [text: string, call: () => Promise<Response>][] = [
    [UNKNOWN, () => single(known)],
    [FAILED, () => multi([known])],
    ['Update device status failed because activation status is unknown', () => updateStatus(known)],
    ['Unconfigured application list failed because application name could not be retrieved', unconfigured],
  ]
  for (const behaviour of [{ status: 503 }, { text: '<html>' }, { failure: 'drop' }, { failure: 'silence' }] as const)
    await changesNothing(t, async () => {
      powerAuth.behave(behaviour)
      const responses = calls.map(async ([text, work]) => [text, await work()] as const)
      for (const [text, response] of await Promise.all(responses))
        refusedWith(t, response, text, `${JSON.stringify(behaviour)}: ${text}`)
    })
  powerAuth.behave(undefined)
  isOk(t, await single(known), 'as if nothing had been')
})

t.test('no usable response: the operator learns why, without a secret', async (t) => {
  const { ask, reported } = openClient(t)
  t.teardown(() => powerAuth.behave(undefined))
  for (const [name, behaviour, reason] of FAILURES) {
    powerAuth.behave(behaviour)
    await t.rejects(ask('known'), { name: 'ActivationsUnavailable' }, name)
    t.match(reported.at(-1), { endpoint: '/v4/activation/status', ms: Number, reason }, name)
  }
  powerAuth.behave(undefined)
  const wrong = openClient(t, { POWERAUTH_CLIENT_SECRET: 'not-the-secret' })
  await t.rejects(wrong.ask('known'))
  t.match(wrong.reported, [{ reason: 'HTTP 401 ERR_AUTHENTICATION: Authentication failed' }])
  const away = openClient(t, { POWERAUTH_URL: `https://127.0.0.1:${await freePort()}/rest` })
  await t.rejects(away.ask('known'))
  t.match(away.reported, [{ reason: /ECONNREFUSED/ }])
  t.notMatch(JSON.stringify([...reported, ...wrong.reported, ...away.reported]), /secret/i)
})

t.test('certificates: only trusted ones, unless the operator insists; slashes at the end do no harm', async (t) => {
  const known = newActivation()
  const stranger = openClient(t, { POWERAUTH_CA_FILE: '' })
  await t.rejects(stranger.ask(known))
  t.match(stranger.reported, [{ reason: /certificate/ }])
  const settings: Record<string, string>[] = [
    { POWERAUTH_CA_FILE: '', POWERAUTH_ACCEPT_INVALID_SSL_CERTIFICATE: 'true' },
    { POWERAUTH_URL: `${powerAuth.url}/` },
  ]
  for (const environment of settings)
    t.match(await openClient(t, environment).ask(known), [{ userId: 'of-power-auth', applicationId: APP }])
})

t.test('settings that cannot work stop the start', async (t) => {
  for (const url of ['powerauth:8080/rest', 'ftp://host/rest', 'https://user:password@host/rest', 'https://host/?x=1'])
    t.throws(() => readConfig({ ...stack.environment, POWERAUTH_URL: url }), /POWERAUTH_URL: .* is not an address/, url)
  t.throws(() => openClient(t, { POWERAUTH_CA_FILE: '/nowhere.pem' }), /POWERAUTH_CA_FILE: ENOENT/)
})

t.test('a call that waits for its turn is bounded as well, and one that failed calls the others off', async (t) => {
  t.teardown(() => powerAuth.behave(undefined))
  const { activations, caller, reported } = openClient(t, { POWERAUTH_CONNECTIONS: '1' })
  powerAuth.behave({ failure: 'silence' })
  const before = powerAuth.requests.length
  const activationIds = Array.from({ length: 5 }, () => randomUUID())
  await t.rejects(activations.find({ activationIds, caller }), { name: 'ActivationsUnavailable' })
  t.equal(powerAuth.requests.length - before, 1, 'one connection, one call')
  t.equal(reported.length, 1, 'reported once')

  const patient = openClient(t, { POWERAUTH_CONNECTIONS: '1', POWERAUTH_RESPONSE_TIMEOUT: '60s' }).activations
  const refused = powerAuth.requests.length
  powerAuth.behave({ status: 503, times: 1 })
  await t.rejects(patient.find({ activationIds, caller }), { name: 'ActivationsUnavailable' })
  // It comes after the others on the only connection, if they still come.
  await patient.find({ activationIds: [randomUUID()], caller })
  t.equal(powerAuth.requests.length - refused, 2, 'the others were called off')
})

t.test('W-REG-3 no transaction is open while PowerAuth Server is queried', async (t) => {
  simulator.setLatency(300)
  t.teardown(() => simulator.setLatency(0))
  const before = powerAuth.requests.length
  const registered = single(newActivation())
  await waitFor('the question', () => powerAuth.requests.length > before)
  const open = await database.query(
    `SELECT state, query FROM pg_stat_activity
     WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`,
  )
  t.same(open, [])
  isOk(t, await registered, 'registered')
})

t.test('C-26 status: queried where the request has none, not queried where it has one', async (t) => {
  const id = newActivation()
  await single(id)
  powerAuth.addActivation({ activationId: id, userId: 'of-power-auth', applicationId: APP, status: 'BLOCKED' })
  isOk(t, await updateStatus(id), 'queried')
  t.match(await deviceOf(id), { active: false })
  const before = powerAuth.requests.length
  isOk(t, await call('PUT', STATUS, json({ activationId: id, activationStatus: 'ACTIVE' })), 'given')
  t.match(await deviceOf(id), { active: true })
  t.equal(powerAuth.requests.length, before, 'nothing is queried')
  isOk(t, await updateStatus(randomUUID()), 'one that nobody knows: queried, no device')
  t.equal(powerAuth.requests.length, before + 1)
})

t.test('unconfigured applications: in PowerAuth Server’s order, with nulls', async (t) => {
  for (const name of ['zebra', 'configured', 'ant']) powerAuth.addApplication(name)
  await post('/admin/app/create', { appId: 'configured' })
  const { status, body } = await unconfigured()
  t.equal(status, 200)
  const nulls = { ios: null, android: null, huawei: null, apns: null, fcm: null, hms: null }
  t.same(body, {
    status: 'OK',
    responseObject: {
      applicationList: ['elsewhere', 'zebra', 'ant'].map((appId) => ({ appId, ...nulls })),
    },
  })
})

t.test('health: without PowerAuth Server the gateway is ready, and says what is wrong', async (t) => {
  t.match((await get('/health/ready')).body, {
    status: 'ready',
    parts: { powerauth: { status: 'up', essential: false } },
  })
  powerAuth.behave({ status: 503 })
  t.teardown(() => powerAuth.behave(undefined))
  const { status, body } = await get('/health/ready')
  t.equal(status, 200)
  t.match(body, { status: 'ready', parts: { powerauth: { status: 'down', detail: /HTTP 503/ } } })
})

t.test('import: PowerAuth Server is not queried', async (t) => {
  const before = powerAuth.requests.length
  const activationId = randomUUID()
  const line = { userId: 'imported', activationId, platform: 'huawei', token: 'of-huawei' }
  const headers = { 'content-type': 'application/x-ndjson' }
  const response = await call('PUT', `/push/device/import?appId=${APP}`, { body: JSON.stringify(line), headers })
  t.match(response.body.responseObject, { imported: 1 })
  t.match(await deviceOf(activationId), { user: 'imported', active: true })
  t.equal(powerAuth.requests.length, before)
  const [kept] = await database.query('SELECT count(*)::int FROM activations')
  t.same(kept, { count: 0 }, 'nothing is kept beside it')
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))
