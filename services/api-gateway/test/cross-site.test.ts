// Which pages may make a browser call what, and under which names the server may be called: all routes, by every method.
import { randomBytes } from 'node:crypto'
import type { Scope } from '@push-server/contract'
import { openActivations, openBackPressure, openMessageBatches, openWaiters, type Context } from '@push-server/domain'
import { makeApiKey, openTestStack } from '@push-server/testing'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { buildApp } from '../src/index.ts'

const BOOTSTRAP = `admin.${randomBytes(32).toString('hex')}`
const BEARER = `Bearer ${BOOTSTRAP}`
const BASIC = `Basic ${Buffer.from(BOOTSTRAP.replace('.', ':')).toString('base64')}`

/** With keys required, and without. */
const locked = await openTestStack({ services: ['gateway'], environment: { API_KEY_BOOTSTRAP: BOOTSTRAP } })
t.teardown(() => locked.close())
const open = await openTestStack({ services: [] })
t.teardown(() => open.close())

async function build(
  t: Pick<Test, 'teardown'>,
  { context }: { context: Context },
  settings: Partial<Context['config']> = {},
) {
  const config = { ...context.config, ...settings }
  const waiters = await openWaiters(context.store, context.log)
  const pressure = await openBackPressure(context)
  const activations = openActivations(config, context.store)
  const app = await buildApp(
    { ...context, config },
    { waiters, pressure, batches: openMessageBatches(context), activations },
  )
  t.teardown(async () => {
    await app.close()
    for (const part of [activations, pressure, waiters]) await part.close()
  })
  await app.ready()
  return app
}

const keys = await build(t, locked)
const nobody = await build(t, open, { allowedHosts: ['push.internal', '192.168.1.7'] })

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
const WRITING: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE']
const HOST = 'push.example.com'

/** What a browser says of the page, and whether it is one of ours. */
const PAGES: readonly [headers: Record<string, string>, isOurs: boolean][] = [
  [{}, true],
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ 'sec-fetch-site': 'Same-Origin' }, false],
  [{ 'sec-fetch-site': 'same-origin, cross-site' }, false],
  [{ origin: `https://${HOST}` }, true],
  [{ origin: `http://${HOST}` }, true],
  [{ origin: `HTTPS://${HOST.toUpperCase()}:443` }, true],
  [{ origin: `https://${HOST}:8443` }, false],
  [{ origin: `https://sibling.${HOST}` }, false],
  [{ origin: `https://${HOST}.elsewhere.example` }, false],
  [{ origin: `https://${HOST}@elsewhere.example` }, false],
  [{ origin: 'https://elsewhere.example' }, false],
  [{ origin: `chrome-extension://${HOST}` }, false],
  [{ origin: 'null' }, false],
  [{ origin: '' }, false],
  [{ origin: `https://${HOST}`, 'sec-fetch-site': 'same-site' }, false],
  [{ origin: 'https://elsewhere.example', 'sec-fetch-site': 'same-origin' }, false],
]

const FEW_PAGES = PAGES.filter(([{ origin, 'sec-fetch-site': site }]) =>
  origin === undefined ? site === undefined || site === 'same-site' : origin === 'https://elsewhere.example' && !site,
)

const call = (app: FastifyInstance, line: string, headers: Record<string, string> = {}) => {
  const [method = 'GET', url = '/'] = line.split(' ')
  return app.inject({ method: method as 'GET', url, headers: { host: HOST, ...headers } })
}
const NO_MESSAGE = '00000000-0000-4000-8000-000000000000'

const isRefusedPage = (response: LightMyRequestResponse) =>
  response.statusCode === 403 && response.body.includes('PUBLIC_ORIGINS')

t.test('no page of another site writes: all routes, all methods', async (t) => {
  const app = keys
  const scopes = app.scopes()
  const urls = [...new Set(Object.keys(scopes).map((route) => route.split(' ')[1] ?? ''))]
  t.ok(urls.length > 60, `${urls.length} paths`)
  t.ok(
    Object.keys(scopes).filter((route) => /^(PUT|PATCH|POST) \/admin\/queues/.test(route)).length > 15,
    'the queue UI too',
  )
  const wrong: string[] = []
  let writing = 0
  const read = async (method: string, url: string): Promise<void> => {
    // A parameter with an expression is the id of a message.
    const path = url
      .replaceAll(/:\w+\([^)]*\)/g, NO_MESSAGE)
      .replaceAll(/:\w+/g, '1')
      .replace('*', 'x')
    const isWriting = WRITING.includes(method) && `${method} ${url}` in scopes
    if (isWriting) writing++
    // One route shows what all pages get, and each route a page of each kind. Who passes has no key, and so does nothing.
    for (const [headers, isOurs] of `${method} ${url}` === 'POST /push/message/send' ? PAGES : FEW_PAGES) {
      const response = await call(app, `${method} ${path}`, headers)
      if (isRefusedPage(response) !== (isWriting && !isOurs))
        wrong.push(`${method} ${url} ${JSON.stringify(headers)}: ${response.statusCode}`)
    }
  }
  for (const url of [...urls, '/nowhere']) for (const method of METHODS) await read(method, url)
  t.same(wrong, [])
  t.ok(writing > 60, `${writing} writing routes`)
})

t.test('no GET writes', async (t) => {
  const app = keys
  const writing = /read$|read-all|remove|delete|update|create|send|resume|pause|clean|retry|promote|obliterate|purge/
  const suspects = Object.keys(app.scopes()).filter((route) => /^(GET|HEAD) /.test(route) && writing.test(route))
  t.same(suspects, [])
})

t.test('PUBLIC_ORIGINS replaces the request’s own host', async (t) => {
  const app = await build(t, locked, { publicOrigins: ['https://console.example.com', 'http://localhost:3000'] })
  for (const [origin, isOurs] of [
    ['https://console.example.com', true],
    ['http://localhost:3000', true],
    ['http://localhost', false],
    ['http://console.example.com', false],
    [`https://${HOST}`, false],
  ] as const)
    t.equal(isRefusedPage(await call(app, 'POST /push/message/send', { origin })), !isOurs, origin)
})

t.test('X-Forwarded-Host counts from trusted proxies alone', async (t) => {
  const page = { host: '10.0.0.5:8080', origin: `https://${HOST}`, 'x-forwarded-host': HOST }
  const isRefusedBy = async (app: FastifyInstance) => isRefusedPage(await call(app, 'POST /push/message/send', page))
  t.equal(await isRefusedBy(await build(t, locked, { trustProxy: ['loopback'] })), false, 'from a proxy of ours')
  t.equal(await isRefusedBy(await build(t, locked, { trustProxy: ['10.0.0.0/8'] })), true, 'from somebody else')
  t.equal(await isRefusedBy(keys), true, 'without a proxy')
})

t.test('Basic with an Origin opens the queue UI alone', async (t) => {
  const app = keys
  const own = { origin: `http://${HOST}`, authorization: BASIC }
  const isBasicRefused = (response: LightMyRequestResponse) =>
    response.statusCode === 403 && response.body.includes('as Bearer')
  for (const route of Object.keys(app.scopes())) {
    const scope = app.scopes()[route]
    if (scope === 'queue-ui' || /:|\*|^OPTIONS/.test(route)) continue
    const refused = isBasicRefused(await call(app, route, own))
    if (route.startsWith('HEAD')) continue
    t.equal(refused, true, route)
  }
  const remove = 'POST /admin/app/remove'
  const bearer = await call(app, remove, { origin: `http://${HOST}`, authorization: BEARER })
  t.equal(bearer.statusCode, 400, 'Bearer from the console comes as far as the rules of the business')
  t.equal((await call(app, remove, { authorization: BASIC })).statusCode, 400, 'Basic from a program too')
})

t.test('the queue UI is reached from its own page, and from no other', async (t) => {
  const board = '/admin/queues/api/queues'
  // The queues can only be viewed, which Bull Board sees to itself: pausing all of them pauses none.
  for (const [line, status] of [
    [`PUT ${board}/pause`, 200],
    [`PUT ${board}/resume`, 200],
    [`PUT ${board}/ios-direct/retry/failed`, 405],
    [`PUT ${board}/ios-direct/clean/completed`, 405],
    [`POST ${board}/ios-direct/add`, 405],
  ] as const) {
    const from = (origin: string) => call(keys, line, { origin, 'sec-fetch-site': 'same-origin', authorization: BASIC })
    t.ok(isRefusedPage(await from(`https://sibling.${HOST}`)), `${line} from a sibling`)
    const response = await from(`https://${HOST}`)
    t.equal(response.statusCode, status, `${line} from its own page`)
    t.notMatch(response.body, /ERROR_METHOD_NOT_ALLOWED/, 'says Bull Board')
  }
})

t.test(
  'DNS rebinding: while nobody is asked for a key, only names of this machine and ALLOWED_HOSTS are taken',
  async (t) => {
    const app = nobody
    const taken = [
      'localhost',
      'LOCALHOST:8080',
      'localhost.',
      'localhost.:8080',
      '127.0.0.1',
      '127.0.0.2:8080',
      '[::1]',
      '[::1]:8080',
      '[0:0:0:0:0:0:0:1]',
      '[::ffff:127.0.0.1]',
      'push.internal',
      'Push.Internal.:8080',
      '192.168.1.7:8080',
    ]
    const refused = [
      'rebound.example',
      'localhost.rebound.example',
      '127.0.0.1.rebound.example',
      'x.localhost',
      '192.168.1.8',
      '[::2]',
      '[::ffff:10.0.0.1]',
      'sub.push.internal',
      '0.0.0.0',
    ]
    const list = 'GET /admin/app/list'
    for (const host of taken) t.equal((await call(app, list, { host })).statusCode, 200, host)
    for (const host of refused) {
      const response = await call(app, list, { host })
      t.equal(response.statusCode, 421, host)
      t.match(response.json(), {
        status: 'ERROR',
        responseObject: { code: 'ERROR_REQUEST', message: /ALLOWED_HOSTS/ },
      })
    }
    const spoofed = await call(app, list, { host: 'rebound.example', 'x-forwarded-host': 'localhost' })
    t.equal(spoofed.statusCode, 421, 'a page can send any header but Host')
    for (const route of Object.keys(app.scopes())) {
      if (/:|\*|^OPTIONS/.test(route)) continue
      const isProbe = /\/(health\/(live|ready)|actuator\/(info|health(\/\w+)?))$/.test(route)
      const { statusCode } = await call(app, route, { host: 'rebound.example' })
      t.equal(statusCode, isProbe ? 200 : 421, route)
    }
  },
)

t.test('DNS rebinding: other names are accepted where keys are required, and beyond loopback', async (t) => {
  const headers = { host: 'push.example.com', authorization: BEARER }
  t.equal((await call(keys, 'GET /admin/app/list', headers)).statusCode, 200, 'keys')
  const elsewhere = await build(t, open, { host: '0.0.0.0', auth: 'none' })
  t.equal((await call(elsewhere, 'GET /admin/app/list')).statusCode, 200, 'beyond loopback')
})

t.test('the details of /health/ready are for keys with the scope metrics, and for names of this machine', async (t) => {
  const parts = (response: LightMyRequestResponse) => {
    t.equal(response.statusCode, 200)
    return Object.values(response.json<{ parts: Record<string, object> }>().parts)
  }
  const hasDetails = async (app: FastifyInstance, headers: Record<string, string>) => {
    const found = parts(await call(app, 'GET /health/ready', headers))
    t.ok(found.length >= 2 && found.every((part) => 'status' in part && 'essential' in part), 'states for all')
    return found.some((part) => 'detail' in part)
  }
  for (const { context } of [locked, open])
    context.health.add({ name: 'tenants', essential: false, check: async () => ({ open: ['bank-a'] }) })
  t.equal(await hasDetails(keys, { authorization: BEARER }), true, 'a key')
  t.equal(await hasDetails(keys, {}), false, 'no key')
  t.equal(await hasDetails(keys, { authorization: 'Bearer wrong' }), false, 'a wrong one')
  t.equal(await hasDetails(keys, { authorization: `Bearer ${await makeKey(['message'])}` }), false, 'another scope')
  t.equal(await hasDetails(keys, { authorization: `Bearer ${await makeKey(['metrics'])}` }), true, 'the scope')
  await locked.context.store.applications.create('bank-a')
  const bound = `Bearer ${await makeKey(['metrics'], ['bank-a'])}`
  t.equal(await hasDetails(keys, { authorization: bound }), false, 'a key that is bound to an application')
  t.equal(await hasDetails(nobody, { host: 'localhost' }), true, 'no key is required')
  t.equal(await hasDetails(nobody, { host: 'rebound.example' }), false, 'a page that has led its name here')
  const calm = await build(t, locked)
  for (let probes = 0; probes < 30; probes++) await hasDetails(calm, {})
  t.equal((await call(calm, 'GET /admin/app/list')).statusCode, 401, 'probes without a key are no failures')
})

function makeKey(scopes: readonly Scope[], appIds: readonly string[] = []) {
  return makeApiKey(locked.context, { scopes, appIds })
}
