// The log of devices, as a support desk reads it: each kind of event through the API, an import and a worker; and that no token is in it.
import { randomInt, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { makeApiKey, APP, createApi, openTestStack, waitFor, type Response, type TestStack } from '@push-server/testing'
import { SCOPES, type DeviceEvent } from '@push-server/contract'

const GONE = { status: 410, reason: 'Unregistered', timestamp: 4_000_000_000_000 }
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)

const stack = await openTestStack({ services: ['gateway', 'apns', 'scheduler'] })
t.teardown(() => stack.close())
await stack.configure()
const { api, database, simulator } = stack

const newToken = () => `${randomUUID()}${randomUUID()}`.replaceAll('-', '')
const ok = (t: Test, { status, body }: Response) => t.equal(status, 200, JSON.stringify(body))

const registration = (more: object) => ({ appId: APP, platform: 'ios', token: newToken(), ...more })
const register = (more: object) => api.post('/push/device/create', registration(more))
const setStatus = (activationId: string, activationStatus: string) =>
  api.call('POST', '/push/device/status/update', {
    body: JSON.stringify({ activationId, activationStatus }),
    headers: { 'content-type': 'application/json' },
  })
const send = (userId: string) =>
  api.post('/push/message/send', { appId: APP, mode: 'SYNCHRONOUS', message: { userId, body: { title: 'Hello' } } })
const importLines = (lines: readonly object[], appId = APP) =>
  api.call('PUT', `/push/device/import?appId=${appId}`, {
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  })

const historyOf = async (userId: string, { appId = APP, paging = '' } = {}): Promise<DeviceEvent[]> => {
  const { body } = await api.get(`/push/device/history?appId=${appId}&userId=${userId}${paging}`)
  return body.responseObject.events
}
/** Oldest first, each as its kind and its reason. */
const kindsOf = async (userId: string, appId = APP) =>
  (await historyOf(userId, { appId })).toReversed().map(({ event, reason }) => (reason ? `${event} ${reason}` : event))

t.test('the life of a device', async (t) => {
  const [userId, activationId, token] = [randomUUID(), randomUUID(), newToken()]
  ok(t, await register({ userId, activationId, token }))
  ok(t, await register({ userId, activationId, token }))
  t.same(await kindsOf(userId), ['registered'], 'a registration that changes nothing is no event')
  const second = newToken()
  ok(t, await register({ userId, activationId, token: second }))
  ok(t, await setStatus(activationId, 'BLOCKED'))
  ok(t, await setStatus(activationId, 'BLOCKED'))
  ok(t, await setStatus(activationId, 'ACTIVE'))
  ok(t, await register({ userId, activationId, token: second, environment: 'production' }))
  simulator.respondTo(second, GONE)
  t.match((await send(userId)).body.responseObject.result.ios, { failed: 1 })
  simulator.forgetResponses(second)
  ok(t, await register({ userId, activationId, token: second, environment: 'production' }))
  ok(t, await api.post('/push/device/remove', { appId: APP, token: second }))
  const expected = [
    'registered',
    'token-changed',
    'status-changed BLOCKED',
    'status-changed ACTIVE',
    'registered OtherEnvironment',
    'dropped Unregistered',
    'restored Registration',
    'removed Requested',
  ]
  t.same(await kindsOf(userId), expected)

  const [removed, ...earlier] = await historyOf(userId)
  t.match(removed, { userId, activationId, platform: 'ios', active: true, timestamp: /\+00:00$/ })
  t.same(
    earlier.toReversed().map(({ active }) => active),
    [true, true, false, true, true, true, true],
  )
  const times = (await historyOf(userId)).map(({ timestamp }) => timestamp)
  t.same(times, times.toSorted().toReversed(), 'newest first')
  const pages = await Promise.all([0, 1, 2].map((page) => historyOf(userId, { paging: `&page=${page}&size=3` })))
  t.same(pages.flat(), await historyOf(userId), 'page by page')
})

t.test('a phone that goes to another user, and to another activation, is in the history of both', async (t) => {
  const [anna, bob, token] = [randomUUID(), randomUUID(), newToken()]
  ok(t, await register({ userId: anna, activationId: `a${anna}`, token }))
  ok(t, await register({ userId: anna, activationId: `b${anna}`, token }))
  ok(t, await register({ userId: bob, activationId: `c${bob}`, token }))
  t.match(await historyOf(anna), [
    { event: 'taken-over', userId: bob, activationId: `c${bob}`, formerUserId: anna, formerActivationId: `b${anna}` },
    { event: 'taken-over', userId: anna, activationId: `b${anna}`, formerActivationId: `a${anna}` },
    { event: 'registered', userId: anna, activationId: `a${anna}` },
  ])
  t.match(await historyOf(bob), [{ event: 'taken-over', formerUserId: anna }])
  ok(t, await setStatus(`c${bob}`, 'BLOCKED'))
  t.equal((await historyOf(anna)).length, 3, 'what becomes of it then is nothing of hers')
})

t.test('an activation that comes with another user and token; a dropped phone that another registers', async (t) => {
  const [anna, bob, activationId] = [randomUUID(), randomUUID(), randomUUID()]
  ok(t, await register({ userId: anna, activationId }))
  ok(t, await register({ userId: bob, activationId, activationStatus: 'BLOCKED' }))
  t.same(await kindsOf(bob), ['taken-over', 'token-changed', 'status-changed Registration'])
  const token = newToken()
  ok(t, await register({ userId: anna, activationId: `x${anna}`, token }))
  simulator.respondTo(token, GONE)
  await send(anna)
  simulator.forgetResponses(token)
  ok(t, await register({ userId: bob, activationId: `x${bob}`, token }))
  t.same(await kindsOf(bob), ['taken-over', 'token-changed', 'status-changed Registration', 'registered'])
  t.same(
    await kindsOf(anna),
    ['registered', 'taken-over', 'registered', 'dropped Unregistered'],
    'the dropped one stays',
  )
})

t.test('others on the token make way; another application has a history of its own', async (t) => {
  const [anna, bob, carl, token] = [randomUUID(), randomUUID(), randomUUID(), newToken()]
  const multi = (userId: string, activationIds: string[]) =>
    api.post('/push/device/create/multi', registration({ userId, activationIds, token }))
  ok(t, await multi(anna, [`a${anna}`, `b${anna}`]))
  ok(t, await multi(bob, [`a${bob}`, `b${bob}`]))
  t.same(await kindsOf(anna), ['registered', 'registered', 'removed TokenTakenOver', 'removed TokenTakenOver'])
  t.same(await kindsOf(bob), ['registered', 'registered'])

  const other = `app-${randomUUID()}`
  ok(t, await api.post('/admin/app/create', { appId: other }))
  await database.query('UPDATE activations SET application_id = NULL, application_row = NULL')
  ok(t, await register({ userId: carl, activationId: `a${bob}`, appId: other }))
  t.same(await kindsOf(bob), ['registered', 'registered', 'removed OtherApplication'])
  t.same(await kindsOf(carl, other), ['registered'])
  const [moved] = await historyOf(carl, { appId: other })
  t.same([moved?.userId, moved?.formerUserId], [carl, undefined], 'which knows nothing of the former user')
})

t.test('an import of 1000 devices of which 10 changed writes 10 events', async (t) => {
  const prefix = randomUUID().slice(0, 8)
  const lines = Array.from({ length: 1000 }, (_, index) => ({
    userId: `${prefix}-${index}`,
    activationId: `${prefix}-a${index}`,
    platform: 'ios',
    token: newToken(),
  }))
  const events = async () =>
    database.query<{ reason: string; former: string | null }>(
      "SELECT reason, former_user_id AS former FROM device_events WHERE event = 'imported' AND user_id LIKE $1 ORDER BY id",
      [`${prefix}%`],
    )
  t.match((await importLines(lines)).body.responseObject, { imported: 1000, updated: 0 })
  t.equal((await events()).length, 1000)
  const changed = lines.map((line, index) => {
    if (index % 100 !== 0) return line
    return index === 0 ? { ...line, userId: `${prefix}-heir` } : { ...line, token: newToken() }
  })
  t.match((await importLines(changed)).body.responseObject, { imported: 0, updated: 10, kept: 990 })
  const later = (await events()).slice(1000)
  t.same(
    later.map(({ reason }) => reason),
    Array.from({ length: 10 }, () => 'Changed'),
  )
  t.equal(later.filter(({ former }) => former === `${prefix}-0`).length, 1, 'the user before is named')
  t.same(await kindsOf(`${prefix}-0`), ['imported Added', 'imported Changed'])
})

t.test('what a circuit breaker undoes, and what a proof of the credentials drops', async (t) => {
  const other = await openTestStack({ environment: { RETENTION_INTERVAL: '200ms', DROPPED_DEVICE_AGE: '1ms' } })
  t.teardown(() => other.close())
  await other.configure()
  const bad = { status: 400, reason: 'BadDeviceToken' }
  const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')
  const push = (userId: string) =>
    other.api.post('/push/message/send', { appId: APP, message: { userId, body: { title: 'Hello' } } })
  const kinds = async (userId: string) => {
    const { body } = await other.api.get(`/push/device/history?appId=${APP}&userId=${userId}`)
    const events: DeviceEvent[] = body.responseObject.events
    return events.toReversed().map(({ event, reason }) => `${event} ${reason ?? ''}`)
  }
  for (const userId of ['doubted', 'good']) await other.register({ userId, token: token(userId), activationId: userId })
  other.simulator.respondTo(token('doubted'), bad)
  await push('doubted')
  t.same(await kinds('doubted'), ['registered '])
  await push('good')
  const ended = ['registered ', 'dropped BadDeviceToken', 'removed DroppedDeviceAge']
  await waitFor('the drop and the removal', async () => (await kinds('doubted')).length === ended.length)
  t.same(await kinds('doubted'), ended)
})

t.test('a circuit breaker takes drops back', async (t) => {
  const other = await openTestStack()
  t.teardown(() => other.close())
  await other.configure()
  await other.register({ userId: 'good', token: 'cc'.repeat(32), activationId: 'good' })
  await other.api.post('/push/message/send', { appId: APP, message: { userId: 'good', body: { title: 'Hello' } } })
  const users = Array.from({ length: 30 }, (_, index) => `user-${index}`)
  for (const [index, userId] of users.entries())
    await other.register({ userId, token: `aa${index}`.padEnd(64, '0'), activationId: userId })
  other.simulator.respondTo('aa', { status: 400, reason: 'BadDeviceToken' })
  for (const userId of users)
    await other.api.post('/push/message/send', { appId: APP, message: { userId, body: { title: 'Hello' } } })
  const countOf = async (event: string) =>
    (await other.database.query('SELECT 1 FROM device_events WHERE event = $1', [event])).length
  const dropped = await countOf('dropped')
  t.ok(dropped > 0, `${dropped} were dropped`)
  await waitFor('all to be restored', async () => (await countOf('restored')) === dropped)
  t.match(await other.database.query("SELECT DISTINCT reason FROM device_events WHERE event = 'restored'"), [
    { reason: 'CircuitBreaker' },
  ])
})

t.test('a key reads the history of its applications alone', async (t) => {
  const keyed = await openTestStack({ services: ['gateway'] })
  t.teardown(() => keyed.close())
  await keyed.configure()
  const clientOf = async (scopes: Parameters<typeof makeApiKey>[1]) =>
    createApi(keyed.api.url, { authorization: `Bearer ${await makeApiKey(keyed.context, scopes)}` })
  const statusOf = async (client: TestStack['api'], appId: string) =>
    (await client.get(`/push/device/history?appId=${appId}&userId=u`)).status
  const bound = await clientOf({ scopes: ['device'], appIds: [APP] })
  t.same([await statusOf(bound, APP), await statusOf(bound, 'other')], [200, 403])
  const without = await clientOf({ scopes: SCOPES.filter((scope) => scope !== 'device') })
  t.equal(await statusOf(without, APP), 403)
  const unknown = await (await clientOf({ scopes: ['device'] })).get('/push/device/history?appId=nowhere&userId=u')
  t.match([unknown.status, unknown.body.responseObject.message], [400, 'Application with given ID does not exist'])
})

t.test('whatever happens, no text of a token is in the log of devices', async (t) => {
  const people = ['p1', 'p2', 'p3']
  const activations = people.map((name) => `activation-${name}`)
  const tokens = Array.from({ length: 4 }, newToken)
  const someone = fc.constantFrom(...people)
  const activation = fc.constantFrom(...activations)
  const token = fc
    .tuple(fc.constantFrom(...tokens), fc.boolean())
    .map(([text, upper]) => (upper ? text.toUpperCase() : text))
  const acts = fc.oneof(
    fc.record({ userId: someone, activationId: activation, token }).map((given) => () => register(given)),
    fc
      .record({ userId: someone, activationIds: fc.uniqueArray(activation, { minLength: 1 }), token })
      .map((given) => () => api.post('/push/device/create/multi', registration(given))),
    fc.tuple(activation, fc.constantFrom('ACTIVE', 'BLOCKED')).map(
      ([id, status]) =>
        () =>
          setStatus(id, status),
    ),
    token.map((text) => () => api.post('/push/device/remove', { appId: APP, token: text })),
    fc
      .record({ userId: someone, activationId: activation, token })
      .map((given) => () => importLines([{ ...given, platform: 'ios' }])),
    fc.tuple(someone, fc.constantFrom(...tokens)).map(([userId, text]) => async () => {
      simulator.respondTo(text, GONE)
      const sent = await send(userId)
      simulator.forgetResponses(text)
      return sent
    }),
  )
  const property = fc.asyncProperty(fc.array(acts, { minLength: 5, maxLength: 20 }), async (all) => {
    for (const act of all) await act()
    const rows = await database.query<{ text: string }>('SELECT lower(e::text) AS text FROM device_events e')
    const found = rows.filter(({ text }) => tokens.some((one) => text.includes(one)))
    if (found.length > 0) throw new Error(`${found.length} events have a token: ${found[0]?.text}`)
  })
  await t.resolves(fc.assert(property, { seed, numRuns: 10, interruptAfterTimeLimit: 20_000 }))
  const kinds = await database.query<{ event: string }>('SELECT DISTINCT event FROM device_events ORDER BY 1')
  t.same(
    kinds.map(({ event }) => event),
    ['dropped', 'imported', 'registered', 'removed', 'restored', 'status-changed', 'taken-over', 'token-changed'],
    'every kind is among them',
  )
})
