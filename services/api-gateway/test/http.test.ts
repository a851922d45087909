// What the gateway does as a server of HTTP: paths, methods, headers, its description, and what it answers when it cannot.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { createDatabase, openHouse } from '@push-server/testing'
import { APP, BATCH, CREATE, device, json, openGateway, REMOVALS, SEND, sending, UPDATE } from './_gateway.ts'
import { isOk, watch } from './_watched-api.ts'

const gateway = await openGateway()
t.teardown(() => gateway.house.close())
const { house, api, database } = gateway
const { call, get, post } = api

t.test('404 and 405', async (t) => {
  for (const path of [
    '/',
    '/push',
    '/push/message',
    '/push/service/status/',
    '/push//service/status',
    '/Push/service/status',
    '/%00',
  ]) {
    const { status, body } = await get(path)
    t.match(
      [status, body],
      [404, { status: 'ERROR', responseObject: { code: 'ERROR_NOT_FOUND', message: String } }],
      path,
    )
  }
  const wrong: [method: string, path: string, allow: string[]][] = [
    ['GET', SEND, ['POST']],
    ['PUT', SEND, ['POST']],
    ['PATCH', SEND, ['POST']],
    ['OPTIONS', SEND, ['POST']],
    ['POST', '/push/service/status', ['GET']],
    ['GET', UPDATE, ['POST', 'PUT']],
    ['PUT', '/push/device/remove?appId=a&token=b', ['DELETE', 'POST']],
    ['DELETE', CREATE, ['POST']],
  ]
  for (const [method, path, allow] of wrong) {
    const { status, headers, body } = await call(method, path)
    t.match(
      [status, body],
      [405, { status: 'ERROR', responseObject: { code: 'ERROR_METHOD_NOT_ALLOWED' } }],
      `${method} ${path}`,
    )
    t.same(headers.get('allow')?.split(', ').toSorted(), allow)
  }
  t.equal((await call('HEAD', '/push/service/status')).status, 200, 'HEAD as GET')
})

t.test('a path that cannot be read', async (t) => {
  const { status, body } = await get('/push/%zz')
  t.match([status, body], [400, { status: 'ERROR', responseObject: { code: 'ERROR_REQUEST' } }])
})

t.test('X-Correlation-ID: the caller’s when it is one, otherwise a new one; on every answer', async (t) => {
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  const idOf = async (path: string, given?: string, method = 'GET') =>
    (
      await call(method, path, {
        ...(method === 'POST' && { body: '{' }),
        headers: { 'content-type': 'application/json', ...(given && { 'x-correlation-id': given }) },
      })
    ).headers.get('x-correlation-id')
  // The client sends headers with a body only, so these are requests that fail in every way.
  for (const path of [SEND, '/push/service/status', '/nowhere']) {
    for (const given of ['12345678', 'a-correlation-ID-of-the-caller', 'x'.repeat(1024)])
      t.equal(await idOf(path, given, 'POST'), given, path)
    for (const given of ['1234567', 'with blank', 'under_score', 'x'.repeat(1025), '<script>'])
      t.match(await idOf(path, given, 'POST'), uuid, `${path} ${given.slice(0, 20)}`)
  }
  const [first, second] = [await idOf('/push/service/status'), await idOf('/push/service/status')]
  t.match(first, uuid)
  t.not(first, second)
  const ok = await call(
    'POST',
    '/admin/app/detail',
    json({ requestObject: { appId: APP } }, { 'x-correlation-id': 'of-this-request' }),
  )
  t.same([ok.status, ok.headers.get('x-correlation-id')], [200, 'of-this-request'])
})

t.test('headers that keep answers from being kept, guessed or framed', async (t) => {
  for (const { headers } of [await get('/push/service/status'), await get('/nowhere'), await post(SEND, null)]) {
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('x-frame-options'), 'DENY')
    t.match(headers.get('cache-control'), /no-store/)
    t.equal(headers.get('server'), null)
    t.equal(headers.get('x-powered-by'), null)
  }
})

t.test('OpenAPI', async (t) => {
  const { status, body: api } = await get('/v3/api-docs')
  t.equal(status, 200)
  t.match(api.openapi, /^3\.1\./)
  const described = Object.entries<Record<string, unknown>>(api.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const routes = [
    'GET /push/service/status',
    'GET /admin/app/list',
    'POST /admin/app/create',
    'POST /admin/app/detail',
    ...['PUT', 'POST'].map((method) => `${method} ${UPDATE}`),
    ...['DELETE', 'POST'].map((method) => `${method} /admin/app/ios/remove`),
    ...REMOVALS.map(({ method, path }) => `${method} ${path}`),
    `POST ${CREATE}`,
    `POST ${CREATE}/multi`,
    ...['PUT', 'POST'].flatMap((method) => [`${method} /push/device/status/update`, `${method} /push/device/import`]),
    'GET /push/device/list',
    'GET /admin/app/unconfigured/list',
    `POST ${SEND}`,
    `POST ${BATCH}`,
  ]
  for (const route of routes) t.ok(described.includes(route), route)
  for (const [path, item] of Object.entries<Record<string, { summary: string; tags: string[]; responses: object }>>(
    api.paths,
  ))
    for (const [method, { summary, tags, responses }] of Object.entries(item)) {
      const name = `${method} ${path}`
      t.ok(summary && tags.length === 1, `${name} says what it does`)
      t.ok(
        '200' in responses && Object.keys(responses).some((code) => code.startsWith('4')),
        `${name} says what it answers`,
      )
    }
  const { requestBody } = api.paths[CREATE].post
  t.equal(requestBody.required, true)
  const { requestObject } = requestBody.content['application/json'].schema.properties
  t.same(
    requestObject.required.toSorted(),
    ['activationId', 'appId', 'platform', 'token'],
    'required members are marked',
  )
  const ids = Object.values<Record<string, { operationId?: string }>>(api.paths).flatMap((item) =>
    Object.values(item).flatMap(({ operationId }) => operationId ?? []),
  )
  t.equal(new Set(ids).size, ids.length, 'no operation id stands twice')
})

/** A page and everything it names come from here; what it names elsewhere, its policy keeps the browser from asking. */
async function standsAlone(t: Test, path: string): Promise<string> {
  const page = await fetch(api.url + path)
  const html = await page.text()
  t.match([page.status, page.headers.get('content-type')], [200, /^text\/html/], path)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.notMatch(policy, /https?:|upgrade-insecure-requests|[a-z0-9]\.[a-z]/, 'its policy names nobody else')
  const elsewhere = html.match(/(?:https?:)?\/\/(?!www\.w3\.org)[a-z][^"'\s]*/gi) ?? []
  if (!policy.includes("default-src 'self'")) t.same(elsewhere, [], 'it asks nobody else')
  const base = new URL(/<base href="([^"]+)"/.exec(html)?.[1] ?? '.', page.url)
  const assets = [...html.matchAll(/(?:src|href)="([^"#]+\.(?:js|css|png|svg|ico)[^"]*)"/g)].map(
    ([, name]) => new URL(name ?? '', base),
  )
  t.ok(assets.length >= 2, `${path} names its scripts and styles`)
  for (const url of assets) {
    t.equal(url.origin, api.url)
    const { status, headers } = await fetch(url)
    t.equal(status, 200, url.pathname)
    t.notMatch(headers.get('content-type'), /html/, 'and is what it says')
  }
  return html
}

t.test('the API console comes from here with all it needs', async (t) => {
  const html = await standsAlone(t, '/swagger-ui.html')
  t.match(html, /swagger-ui/)
  t.notMatch(html, /https?:\/\/(?!www\.w3\.org)/)
  const initializer = await (await fetch(`${api.url}/swagger-ui/static/swagger-initializer.js`)).text()
  t.match(initializer, /validatorUrl:\s*(null|"none")/, 'nobody elsewhere validates')
})

t.test('the look into the queues comes from here with all it needs', async (t) => {
  const html = await standsAlone(t, '/admin/queues')
  t.match(html, /Push Server queues/)
})

t.test('PORT that is taken is named', async (t) => {
  await t.rejects(house.start('gateway'), {
    name: 'ConfigError',
    message: /Port \d+ on 127\.0\.0\.1 is taken\. Set PORT/,
  })
})

t.test('HOST that others can reach wants AUTH=none', async (t) => {
  await t.rejects(openHouse({ services: [], environment: { HOST: '0.0.0.0' } }), {
    name: 'ConfigError',
    message: /HOST: 0\.0\.0\.0 .*AUTH=none/,
  })
})

/** Passes connections on until it is cut. */
async function startProxy(t: Test, target: URL) {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => sockets.delete(one) && other.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = new URL(target)
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: url.href,
    cut(yes: boolean) {
      isCut = yes
      if (yes) for (const socket of sockets) socket.destroy()
    },
  }
}

t.test('PostgreSQL away: 503 to come again, the status all the same; back: as if nothing had been', async (t) => {
  const own = await createDatabase()
  const proxy = await startProxy(t, new URL(own.url))
  t.teardown(() => own.close())
  const away = await openHouse({ services: ['gateway'], environment: { DATABASE_URL: proxy.url } })
  t.teardown(() => away.close())
  const client = watch(away.api.url)
  const { body: nothing } = await client.get('/admin/app/list')
  t.same(nothing, { status: 'OK', responseObject: { applicationList: [] } }, 'before there is anything')
  await client.post('/admin/app/create', { appId: APP })
  proxy.cut(true)
  const requests: [path: string, object: object][] = [
    ['/admin/app/create', { appId: 'other' }],
    ['/admin/app/detail', { appId: APP }],
    [CREATE, device({})],
    ['/push/device/remove', { appId: APP, token: 'aa' }],
    [SEND, sending({})],
  ]
  for (const [path, object] of requests) {
    const { status, headers, body } = await client.post(path, object)
    t.match(
      [status, body],
      [503, { status: 'ERROR', responseObject: { code: 'ERROR_UNAVAILABLE', message: String } }],
      path,
    )
    t.match(headers.get('retry-after'), /^\d+$/)
  }
  isOk(t, await client.get('/push/service/status'), 'the status')
  proxy.cut(false)
  for (const [path, object] of requests) isOk(t, await client.post(path, object), `${path} again`)
  t.same(client.leaks, [])
})

t.test('a fault of ours: a fixed text, nothing of the inside', async (t) => {
  await database.query('ALTER TABLE messages RENAME TO mislaid')
  t.teardown(() => database.query('ALTER TABLE mislaid RENAME TO messages'))
  const { status, body, headers } = await post(SEND, sending({}))
  t.same(
    [status, body],
    [500, { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message: 'Internal server error' } }],
  )
  t.ok(headers.get('x-correlation-id'))
})

t.test('no answer told anything of our inside, and each had an id', async (t) => {
  t.same(api.leaks, [])
})
