// Who may call what: keys, scopes, applications, how failures are slowed down, and what is disclosed to whom.
import { spawn } from 'node:child_process'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { PUBLIC, SCOPES, type Scope } from '@push-server/contract'
import {
  checkStartup,
  createProbeAccess,
  openAccess,
  openActivations,
  openBackPressure,
  openMessageBatches,
  openWaiters,
  type Context,
} from '@push-server/domain'
import { readConfig, serveProbes } from '@push-server/runtime'
import { createApi, freePort, makeApiKey, openTestStack, waitFor, type Response } from '@push-server/testing'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { authentication } from '../src/plugins/authentication.ts'
import { apiGateway, buildApp } from '../src/index.ts'
import { device, json, message, newToken } from './_gateway.ts'
import { openRaw } from './_raw.ts'
import { isOk } from './_watched-api.ts'

const BOOTSTRAP = `admin.${randomBytes(32).toString('hex')}`
const LIST = '/admin/app/list'

const stack = await openTestStack({
  services: ['gateway'],
  environment: { API_KEY_BOOTSTRAP: BOOTSTRAP, TRUST_PROXY: 'loopback' },
})
t.teardown(() => stack.close())
const { context, database } = stack
/** Where there is no key. */
const open = await openTestStack({ services: ['gateway'] })
t.teardown(() => open.close())
const { apiKeys } = context.store
const { url } = stack.api

const waiters = await openWaiters(context.store, context.log)
t.teardown(() => waiters.close())
const activations = openActivations(context.config, context.store)
t.teardown(() => activations.close())
const pressure = await openBackPressure(context)
t.teardown(() => pressure.close())
const build = (parts: Context) =>
  buildApp(parts, { waiters, pressure, batches: openMessageBatches(context), activations })

let callers = 0
/** Each from a network of its own, so that no test is slowed down by the failures of another. */
const address = () => ({ 'x-forwarded-for': `2001:db8:0:${(++callers).toString(16)}::1` })
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
const clientOf = (headers: Record<string, string>) => createApi(url, { ...address(), ...headers })
const asBasic = (key: string) => basic(key.replace('.', ':'))

const makeKey = (scopes: readonly Scope[], appIds: readonly string[] = []) => makeApiKey(context, { scopes, appIds })

const refused = (t: Test, { status, body }: Response, [expected, code]: readonly [number, string], name: string) =>
  t.match([status, body], [expected, { status: 'ERROR', responseObject: { code, message: String } }], name)
const UNAUTHORIZED = [401, 'ERROR_UNAUTHORIZED'] as const
const FORBIDDEN = [403, 'ERROR_FORBIDDEN'] as const

t.test('a key, as bearer or as user and password, in any case of the scheme', async (t) => {
  const key = await makeKey(['admin'])
  for (const headers of [
    bearer(BOOTSTRAP),
    asBasic(BOOTSTRAP),
    bearer(key),
    asBasic(key),
    { authorization: `bearer  ${key}` },
    { authorization: `BASIC ${asBasic(key).authorization.slice(6)}` },
    // As clients send it that were given one text for every scheme.
    basic(key),
  ])
    isOk(t, await clientOf(headers).get(LIST), headers.authorization.slice(0, 12))
})

t.test('a caller without a key learns how to get one, and not why a key is not valid', async (t) => {
  const key = await makeKey(['admin'])
  const [id = '', secret = ''] = key.split('.')
  const revoked = await makeKey(['admin'])
  await apiKeys.revoke(revoked.split('.')[0] ?? '')
  const missing = await clientOf({}).get(LIST)
  refused(t, missing, UNAUTHORIZED, 'no key')
  t.equal(
    missing.headers.get('www-authenticate'),
    'Bearer realm="push-server", Basic realm="push-server", charset="UTF-8"',
  )
  const texts = new Set<string>()
  for (const authorization of [
    bearer(`${id}.${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`).authorization,
    bearer(`${id}.${secret}A`).authorization,
    bearer(`other.${secret}`).authorization,
    bearer(revoked).authorization,
    bearer(id).authorization,
    bearer(secret).authorization,
    bearer(`.${secret}`).authorization,
    bearer(`${id}.`).authorization,
    basic(`${id}:${secret.slice(1)}`).authorization,
    basic(`:${secret}`).authorization,
    basic(id).authorization,
    // A token of three parts is no key.
    basic(`${key}.${secret}`).authorization,
    basic(revoked).authorization,
    'Bearer',
    'Basic ?',
    'Basic',
    'Digest username="x"',
    `Bearer ${'x'.repeat(4000)}.${'y'.repeat(4000)}`,
    key,
  ]) {
    const response = await clientOf({ authorization }).get(LIST)
    refused(t, response, UNAUTHORIZED, authorization.slice(0, 30))
    t.ok(response.headers.get('www-authenticate'))
    texts.add(response.body.responseObject.message)
  }
  t.same([...texts], ['This API key is not valid'])
  const unread = await clientOf({}).call('POST', '/push/message/send', {
    body: '{',
    headers: { 'content-type': 'application/json' },
  })
  refused(t, unread, UNAUTHORIZED, 'before the body is read')
})

const PUBLIC_PATHS =
  /^(\/|\/push\/service\/status|\/health\/\w+|\/actuator\/(info|health(\/\w+)?)|\/v3\/api-docs.*|\/swagger-ui.*)$/

t.test('every route has a scope: only a key with it comes in', async (t) => {
  const app = await build(context)
  t.teardown(() => app.close())
  await app.ready()
  const routes = Object.entries(app.scopes())
  t.ok(routes.length > 30, `${routes.length} routes`)
  const keys = new Map<Scope, string>()
  for (const scope of SCOPES) keys.set(scope, await makeKey([scope]))
  const others = new Map<Scope, string>()
  for (const scope of SCOPES) others.set(scope, await makeKey(SCOPES.filter((other) => other !== scope)))
  for (const [name, scope] of routes) {
    const [method = '', path = ''] = name.split(' ')
    const concrete = path
      .replace(/:\w+\(.*\)/, randomUUID())
      .replaceAll(/:\w+/g, '1')
      .replace('*', 'x')
    const statusWith = async (headers: Record<string, string>) =>
      (await fetch(url + concrete, { method, headers: { ...address(), ...headers } })).status
    if (scope === undefined || scope === PUBLIC) {
      t.match(path, PUBLIC_PATHS, `${name} is meant to be public`)
      t.notOk([401, 403].includes(await statusWith({})), `${name} without a key`)
      continue
    }
    t.notMatch(path, PUBLIC_PATHS, `${name} is not meant to be public`)
    t.equal(await statusWith({}), 401, `${name} without a key`)
    t.equal(await statusWith(bearer(others.get(scope) ?? '')), 403, `${name} with all scopes but ${scope}`)
    t.notOk([401, 403].includes(await statusWith(bearer(keys.get(scope) ?? ''))), `${name} with ${scope}`)
  }
})

t.test('a route without a scope keeps the gateway from starting', async (t) => {
  const app = Fastify()
  await app.register(authentication, { access: context.access })
  app.get('/forgotten', async () => 'open')
  await t.rejects(async () => app.ready(), { message: /Add config: \{ scope: … \} .*GET \/forgotten/ })
})

t.test('a path that does not exist is reported to everybody', async (t) => {
  const client = clientOf({})
  t.equal((await client.get('/nowhere')).status, 404)
  t.equal((await client.get('/push/message/send')).status, 405)
})

t.test('a key bound to applications names those alone', async (t) => {
  const [own, other, numeric] = [`own-${randomUUID()}`, `other-${randomUUID()}`, '4711']
  for (const appId of [own, other, numeric]) await context.store.applications.create(appId)
  const client = clientOf(bearer(await makeKey(SCOPES, [own, numeric])))
  const [create, remove, send, detail] = [
    '/push/device/create',
    '/push/device/remove',
    '/push/message/send',
    '/admin/app/detail',
  ]
  const registered = async (appId: string) =>
    (
      await database.query('SELECT 1 FROM devices JOIN applications a ON a.id = application_id WHERE a.app_id = $1', [
        appId,
      ])
    ).length
  const token = newToken()
  isOk(t, await client.post(create, device({ appId: own, token, activationId: randomUUID() })), 'its own')
  isOk(t, await client.post(create, device({ appId: 4711, token, activationId: randomUUID() })), 'as a number')
  isOk(t, await client.post(send, { appId: own, message: message() }), 'a message')
  isOk(t, await client.post(detail, { appId: own }), 'the details')

  refused(t, await client.post(create, device({ appId: other, activationId: randomUUID() })), FORBIDDEN, 'another')
  refused(t, await client.post(create, device({ appId: 'none' })), FORBIDDEN, 'one that does not exist')
  refused(t, await client.post(send, { appId: other, message: message() }), FORBIDDEN, 'a message to another')
  refused(t, await client.post('/admin/app/create', { appId: randomUUID() }), FORBIDDEN, 'a new one')
  refused(t, await client.call('DELETE', `${remove}?appId=${other}&token=${token}`), FORBIDDEN, 'another, in the query')
  refused(t, await client.get(LIST), FORBIDDEN, 'the list of all')
  refused(t, await client.get('/metrics'), FORBIDDEN, 'metrics are of all')
  t.equal((await client.get('/admin/queues')).status, 403, 'queues are of all')
  t.equal((await client.post(create, device({ appId: null }))).status, 400, 'none: the text that clients know')
  t.equal(await registered(other), 0, 'nothing was stored')
  isOk(t, await client.call('DELETE', `${remove}?appId=${own}&token=${token}`), 'its own, in the query')
  t.equal(await registered(own), 0)
})

t.test('a key bound to applications cancels, lists and resends their messages alone', async (t) => {
  const [own, other] = [`own-${randomUUID()}`, `other-${randomUUID()}`]
  for (const appId of [own, other]) await context.store.applications.create(appId)
  const all = clientOf(bearer(await makeKey(['message'])))
  const bound = clientOf(bearer(await makeKey(['message'], [own])))
  const [mine, foreign] = await Promise.all(
    [own, other].map(async (appId): Promise<string> => {
      const { body } = await all.post('/push/message/send', { appId, mode: 'ASYNCHRONOUS', message: message() })
      return body.responseObject.messageIds[0]
    }),
  )
  for (const list of ['waiting', 'failed']) {
    isOk(t, await bound.get(`/push/message/${list}?appId=${own}`), `what is ${list} of its own`)
    refused(t, await bound.get(`/push/message/${list}?appId=${other}`), FORBIDDEN, `what is ${list} of another`)
  }
  isOk(t, await bound.call('DELETE', `/push/message/${mine}`), 'cancelling its own')
  t.equal(
    (await bound.call('POST', `/push/message/${mine}/resend`)).status,
    400,
    'resending its own: nobody to send to',
  )
  for (const id of [foreign, randomUUID()]) {
    refused(t, await bound.call('DELETE', `/push/message/${id}`), FORBIDDEN, 'cancelling another’s')
    refused(t, await bound.call('POST', `/push/message/${id}/resend`), FORBIDDEN, 'resending another’s')
  }
})

t.test('a key bound to applications is refused whatever stands for an id of what it may not see', async (t) => {
  const own = `own-${randomUUID()}`
  await context.store.applications.create(own)
  const bound = clientOf(bearer(await makeKey(SCOPES, [own])))
  for (const id of ['none', '4711', 'x'.repeat(40), randomUUID()]) {
    refused(t, await bound.get(`/inbox/messages/detail?id=${id}`), FORBIDDEN, `an inbox message ${id}`)
    refused(t, await bound.call('PUT', `/inbox/messages/read?id=${id}`), FORBIDDEN, `reading the inbox message ${id}`)
    refused(t, await bound.call('DELETE', `/inbox/messages/${id}`), FORBIDDEN, `deleting the inbox message ${id}`)
    const status = await bound.get(`/push/message/${id}`)
    t.ok([403, 404].includes(status.status), `a message ${id}`)
    const campaign = await bound.get(`/push/campaign/${id}/detail`)
    t.ok([400, 403, 404].includes(campaign.status), `a campaign ${id}`)
  }
})

t.test('a key bound to applications sees and touches their campaigns alone', async (t) => {
  const [own, second, other] = [`own-${randomUUID()}`, `second-${randomUUID()}`, `other-${randomUUID()}`]
  for (const appId of [own, second, other]) await context.store.applications.create(appId)
  const all = clientOf(bearer(await makeKey(['campaign'])))
  const bound = clientOf(bearer(await makeKey(['campaign'], [own, second])))
  const create = async (appId: string): Promise<string> => {
    const { body } = await all.post('/push/campaign/create', { appId, message: { title: 'Market closed' } })
    return body.responseObject.id
  }
  const made: string[] = []
  for (const appId of [own, other, second, own, other]) made.push(await create(appId))
  const [first = '', foreign = '', ...rest] = made
  const mine = [first, ...rest.slice(0, 2)]
  const listed = async (client: ReturnType<typeof clientOf>, query = '') => {
    const { body } = await client.get(`/push/campaign/list${query}`)
    return (body.responseObject as { id: string }[]).map(({ id }) => id)
  }
  t.same(await listed(bound), mine)
  t.same(await listed(bound, '?page=0&size=2'), mine.slice(0, 2), 'pages are of those')
  t.same(await listed(bound, '?page=1&size=2'), mine.slice(2))
  t.same(await listed(bound, '?sent=true'), [])
  t.same((await listed(all)).slice(-5), made, 'a key without applications sees everybody’s')
  const idle = `idle-${randomUUID()}`
  await context.store.applications.create(idle)
  t.same(await listed(clientOf(bearer(await makeKey(['campaign'], [idle])))), [])

  isOk(t, await bound.get(`/push/campaign/${first}/detail`), 'its own')
  const texts = new Set<string>()
  for (const id of [foreign, '999999999'])
    for (const response of [
      await bound.get(`/push/campaign/${id}/detail`),
      await bound.get(`/push/campaign/${id}/audience`),
      await bound.post(`/push/campaign/send/live/${id}`, {}),
      await bound.post(`/push/campaign/send/test/${id}`, { userId: 'u' }),
      await bound.post(`/push/campaign/${id}/schedule`, { sendAt: '2099-01-01T00:00:00Z' }),
      await bound.post(`/push/campaign/${id}/cancel`, {}),
      await bound.call('DELETE', `/push/campaign/${id}/delete`),
    ]) {
      refused(t, response, FORBIDDEN, id)
      texts.add(response.body.responseObject.message)
    }
  t.equal(texts.size, 1, 'whether there is such a campaign is not disclosed')
  refused(t, await bound.post('/push/campaign/create', { appId: other, message: {} }), FORBIDDEN, 'one for another')
})

t.test('who fails too often is slowed down; valid keys pass from the same address', async (t) => {
  const from = address()
  const bad = createApi(url, { ...from, ...bearer(`nobody.${'x'.repeat(43)}`) })
  const [first, ...others] = await Promise.all(Array.from({ length: 20 }, () => bad.get(LIST)))
  for (const response of [first, ...others]) t.equal(response?.status, 401)
  const late = await bad.get(LIST)
  refused(t, late, [429, 'ERROR_TOO_MANY_REQUESTS'], 'the 21st')
  const seconds = Number(late.headers.get('retry-after'))
  t.ok(seconds > 0 && seconds <= 60, `to come again after ${seconds} s`)
  refused(t, await createApi(url, from).get(LIST), [429, 'ERROR_TOO_MANY_REQUESTS'], 'without a key')
  isOk(t, await createApi(url, { ...from, ...bearer(BOOTSTRAP) }).get(LIST), 'a valid key')
  isOk(t, await createApi(url, from).get('/push/service/status'), 'what is public')
  const fresh = await makeKey(['admin'])
  isOk(t, await createApi(url, { ...from, ...bearer(fresh) }).get(LIST), 'a valid key that was never seen')
  refused(t, await clientOf({}).get(LIST), UNAUTHORIZED, 'another address')
})

t.test('without TRUST_PROXY no X-Forwarded-For is believed', async (t) => {
  const app = await build({ ...context, config: readConfig({}) })
  t.teardown(() => app.close())
  const statuses: number[] = []
  for (let count = 0; count < 21; count++)
    statuses.push((await app.inject({ url: LIST, headers: address() })).statusCode)
  t.same(statuses, [...Array.from({ length: 20 }, () => 401), 429])
})

t.test('HOST that others can reach requires a key, or AUTH=none', async (t) => {
  const given = (environment: Record<string, string>) => ({ ...open.context, config: readConfig(environment) })
  await t.rejects(async () => apiGateway(given({ HOST: '0.0.0.0', PORT: '0' })), {
    name: 'ConfigError',
    message: /^HOST: 0\.0\.0\.0 .*API_KEY_BOOTSTRAP.*npm run api-key.*AUTH=none/,
  })
  const start = (environment: Record<string, string>) => checkStartup(given(environment))
  for (const HOST of ['0.0.0.0', '::', '10.1.2.3', 'push.example.com', '128.0.0.1', '127.0.0.1.example.com']) {
    await t.rejects(start({ HOST }), { name: 'ConfigError', message: new RegExp(`^HOST: ${HOST} `) }, HOST)
    for (const AUTH of ['none', 'keys']) await t.resolves(start({ HOST, AUTH }), `${HOST} with AUTH=${AUTH}`)
  }
  for (const HOST of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) await t.resolves(start({ HOST }), HOST)
  for (const text of ['', 'hunter2', 'admin.hunter2', `a b.${'x'.repeat(43)}`, 'x'.repeat(90)]) {
    const API_KEY_BOOTSTRAP = text || '.'
    const error = await start({ API_KEY_BOOTSTRAP }).catch((failure: Error) => failure)
    t.match(error, { name: 'ConfigError', message: /^API_KEY_BOOTSTRAP: the value given is not <id>\.<secret>/ })
    t.notMatch(error?.message, /hunter/, 'and is not shown')
  }
})

t.test('on loopback without a key everything is open, until there is one', async (t) => {
  for (const path of [LIST, '/metrics', '/admin/queues']) t.equal((await open.api.get(path)).status, 200, path)

  let clock = 0
  const access = openAccess({ ...open.context, now: () => clock })
  const admit = (authorization?: string) => access.admit({ authorization, scope: 'admin' })
  t.equal(await admit(), undefined)
  const bootstrapWith = (id: string) =>
    checkStartup({ ...open.context, config: readConfig({ HOST: '::', API_KEY_BOOTSTRAP: `${id}.${'x'.repeat(43)}` }) })
  await Promise.all(['a', 'b', 'a', 'c'].map(bootstrapWith))
  const [made, ...more] = await open.context.store.apiKeys.list()
  t.same([made?.name, more], ['bootstrap', []], 'of gateways that start at once, one makes a key')
  const key = `${made?.id}.${'x'.repeat(43)}`
  clock += 9_999
  t.equal(await admit(), undefined, 'noticed within ten seconds')
  clock += 1
  await t.rejects(admit(), { code: 'ERROR_UNAUTHORIZED' })
  t.match(await admit(bearer(key).authorization), { name: 'bootstrap' })
  await open.context.store.apiKeys.revoke(key.split('.')[0] ?? '')
  clock += 9_999
  t.match(await admit(bearer(key).authorization), { name: 'bootstrap' }, 'believed for ten seconds')
  clock += 1
  await t.rejects(admit(bearer(key).authorization), { code: 'ERROR_UNAUTHORIZED' })
  await t.rejects(openAccess(open.context).admit({ authorization: undefined, scope: 'admin' }), {
    code: 'ERROR_UNAUTHORIZED',
  })
  t.equal(await access.isOn(), true, 'revoking the last key opens nothing')
  const none = openAccess({ ...open.context, config: { auth: 'none' } })
  t.equal(await none.admit({ authorization: undefined, scope: 'admin' }), undefined, 'AUTH=none')
})

t.test('keys are read once in ten seconds, each once at a time, and believed while the database is away', async (t) => {
  const key = await makeKey(['metrics'])
  const [id = ''] = key.split('.')
  let [clock, reads, isUnavailable] = [0, 0, false]
  const store = {
    isUnavailable: context.store.isUnavailable,
    clock: context.store.clock,
    apiKeys: {
      ...apiKeys,
      async find(expected: string) {
        reads += 1
        // One that nobody made, without asking for it a thousand times.
        if (!isUnavailable && /^[ns]\d/.test(expected)) return undefined
        if (isUnavailable) throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
        return apiKeys.find(expected)
      },
    },
  }
  const access = openAccess({ store, config: { auth: 'keys' }, log: context.log, now: () => clock })
  const admit = (authorization = bearer(key).authorization, isSuspect = false) =>
    access.admit({ authorization, scope: 'metrics', isSuspect: async () => isSuspect })
  await Promise.all(Array.from({ length: 50 }, () => admit()))
  t.equal(reads, 1, 'fifty at once')
  const before = await database.query<{ last_used_at: Date }>('SELECT last_used_at FROM api_keys WHERE id = $1', [id])
  t.ok(before[0]?.last_used_at, 'its use is noted')
  clock = 10_000
  await admit()
  t.equal(reads, 2, 'again after ten seconds')
  t.same(
    await database.query('SELECT last_used_at FROM api_keys WHERE id = $1', [id]),
    before,
    'and noted once an hour',
  )

  const unknown = `nobody.${'x'.repeat(43)}`
  await t.rejects(admit(bearer(unknown).authorization), { code: 'ERROR_UNAUTHORIZED' })
  await t.rejects(admit(bearer(unknown).authorization), { code: 'ERROR_UNAUTHORIZED' })
  t.equal(reads, 3, 'what is unknown is remembered too')
  for (let count = 0; count < 1100; count++) await t.rejects(admit(bearer(`n${count}.${'x'.repeat(43)}`).authorization))
  t.equal(reads, 1103)
  await admit()
  t.equal(reads, 1103, 'nobody pushes out a key in use')
  await t.rejects(admit(bearer(unknown).authorization), { code: 'ERROR_UNAUTHORIZED' })
  t.equal(reads, 1104, 'the oldest of the unknown made room')
  const suspect = (count: number) => admit(bearer(`s${count}.${'x'.repeat(43)}`).authorization, true)
  await Promise.allSettled(Array.from({ length: 50 }, (_, count) => suspect(count)))
  t.equal(reads, 1106, 'for suspects two at a time are looked up')
  await t.rejects(suspect(3), { code: 'ERROR_UNAUTHORIZED' })
  t.equal(reads, 1107, 'and then others')

  isUnavailable = true
  clock += 3_599_999
  await admit()
  await t.rejects(admit(bearer('never-seen.'.padEnd(60, 'x')).authorization), { code: 'ECONNREFUSED' })
  clock += 1
  await t.rejects(admit(), { code: 'ECONNREFUSED' }, 'for an hour')
})

t.test('no pages of other sites', async (t) => {
  const client = clientOf({ ...asBasic(BOOTSTRAP), 'sec-fetch-site': 'cross-site' })
  refused(t, await client.call('POST', '/push/message/send'), FORBIDDEN, 'a POST that a browser makes unasked')
  isOk(t, await client.get(LIST), 'looking changes nothing')
  const own = clientOf({ ...asBasic(BOOTSTRAP), 'sec-fetch-site': 'same-origin' })
  isOk(t, await own.post('/admin/app/create', { appId: randomUUID() }), 'the console')
})

t.test('processes without an API ask for a key at /metrics and for details, and show states to all', async (t) => {
  const { log } = context
  const server = await serveProbes(context, { host: '127.0.0.1', port: 0, access: createProbeAccess(context), log })
  t.teardown(() => server.close())
  const get = (path: string, headers: Record<string, string> = {}) =>
    createApi(`http://127.0.0.1:${server.port}`, headers).get(path)
  const missing = await get('/metrics')
  refused(t, missing, UNAUTHORIZED, '/metrics without a key')
  t.match(missing.headers.get('www-authenticate'), /Bearer .*Basic /)
  refused(t, await get('/metrics', bearer(await makeKey(['admin']))), FORBIDDEN, 'with another scope')
  t.match((await get('/metrics', bearer(await makeKey(['metrics'])))).body, /push_deliveries_total/)
  await context.store.applications.create('bank-a')
  const bound = await get('/metrics', bearer(await makeKey(['metrics'], ['bank-a'])))
  refused(t, bound, FORBIDDEN, 'with a key that is bound to an application')
  const prometheus = '/actuator/prometheus'
  refused(t, await get(prometheus), UNAUTHORIZED, 'under the name of the reference server, too')
  refused(t, await get(prometheus, bearer(await makeKey(['admin']))), FORBIDDEN, 'with another scope')
  t.match((await get(prometheus, bearer(await makeKey(['metrics'])))).body, /push_deliveries_total/)
  for (const path of ['/health/live', '/health/ready']) t.equal((await get(path)).status, 200, path)
  for (const path of ['', '/liveness', '/readiness']) {
    const { status, body } = await get(`/actuator/health${path}`)
    t.same([status, body], [200, { status: 'UP' }], path)
  }
  t.match(await get('/actuator/info'), { status: 200, body: { build: { version: /^\d+\.\d+\.\d+/ } } })
  for (const path of ['/actuator', '/actuator/metrics', '/actuator/env', '/actuator/health/db'])
    t.equal((await get(path)).status, 404, path)
  context.health.add({ name: 'providers', essential: false, check: async () => ({ open: ['bank-a'] }) })
  t.match((await get('/health/ready')).body.parts.providers, { status: 'up', essential: false })
  t.equal((await get('/health/ready')).body.parts.providers.detail, undefined, 'states alone')
  const detailed = await get('/health/ready', bearer(await makeKey(['metrics'])))
  t.same(detailed.body.parts.providers.detail, { open: ['bank-a'] }, 'details for a key with the scope')
  const components = await get('/actuator/health', bearer(await makeKey(['metrics'])))
  t.match(components.body, { components: { providers: { status: 'UP', details: { open: ['bank-a'] } } } })
  t.same((await get('/actuator/health', bearer(await makeKey(['admin'])))).body, { status: 'UP' }, 'another scope')

  const withoutKeys = { access: createProbeAccess(open.context), log, host: '127.0.0.1', port: 0 }
  const own = await serveProbes(context, withoutKeys)
  t.teardown(() => own.close())
  const under = async (host: string, path: string) => {
    const connection = await openRaw(own.port)
    t.teardown(() => connection.socket.destroy())
    connection.send(`GET ${path} HTTP/1.0\r\nHost: ${host}\r\n\r\n`)
    return connection.rest()
  }
  t.match(await under('localhost', '/metrics'), /push_deliveries_total/)
  t.match(await under('localhost', '/health/ready'), /bank-a/)
  t.match(await under('rebound.example', '/metrics'), /^HTTP\/1.1 421 [^]*ALLOWED_HOSTS/)
  const states = await under('rebound.example', '/health/ready')
  t.match(states, /^HTTP\/1.1 200 [^]*"providers"/)
  t.notMatch(states, /bank-a/)
})

t.test('OpenAPI says which key each operation requires', async (t) => {
  const { body: api } = await clientOf({}).get('/v3/api-docs')
  t.match(api.components.securitySchemes, { bearer: { type: 'http', scheme: 'bearer' }, basic: { scheme: 'basic' } })
  t.same(api.paths['/push/service/status'].get.security, [])
  t.same(api.paths['/push/message/send'].post.security, [{ basic: ['message'] }, { bearer: ['message'] }])
  for (const [path, item] of Object.entries<Record<string, { security: unknown[] }>>(api.paths))
    for (const { security } of Object.values(item)) t.equal(security.length, PUBLIC_PATHS.test(path) ? 0 : 2, path)
})

t.test('neither logs nor the database hold a key', async (t) => {
  const made = await makeKey(['admin'])
  const wrong = `wrong.${randomBytes(32).toString('base64url')}`
  const port = await freePort()
  const env = { ...stack.environment, PORT: String(port), LOG_LEVEL: 'trace', API_KEY_BOOTSTRAP: BOOTSTRAP }
  const launcher = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [launcher], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  t.teardown(() => child.kill('SIGKILL'))
  await waitFor('the gateway listens', () => output.includes('listening'))
  for (const key of [BOOTSTRAP, made, wrong])
    for (const headers of [bearer(key), asBasic(key)]) {
      const client = createApi(`http://127.0.0.1:${port}`, headers)
      await client.get(LIST)
      await client.get('/%zz')
      await client.call('POST', '/push/message/send', json({}))
    }
  await database.query('ALTER TABLE applications RENAME TO mislaid')
  t.teardown(() => database.query('ALTER TABLE IF EXISTS mislaid RENAME TO applications'))
  t.equal(
    (await createApi(`http://127.0.0.1:${port}`, bearer(made)).get(LIST)).status,
    500,
    'an internal error, logged in full',
  )
  await database.query('ALTER TABLE mislaid RENAME TO applications')
  child.kill('SIGTERM')
  await ended
  t.match(output, /request failed/)
  t.match(output, new RegExp(`"key":"${made.split('.')[0]}"`), 'whose key it was')
  const rows = JSON.stringify(await database.query('SELECT api_keys::text AS row FROM api_keys'))
  for (const key of [BOOTSTRAP, made, wrong]) {
    const [, secret = ''] = key.split('.')
    for (const encoded of [secret, asBasic(key).authorization.slice(6), createHash('sha256').update(key).digest('hex')])
      t.notOk(output.includes(encoded), 'not in the logs')
    t.notOk(rows.includes(secret), 'not in the database')
  }
})
