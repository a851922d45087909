// What the gateway does as a server of HTTP: paths, methods, headers, its description, and its responses when it fails.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { BACKENDS, createDatabase, openTestStack, waitFor } from '@push-server/testing'
import pg from 'pg'
import { APP, CREATE, device, json, openGateway, SEND, sending, UPDATE } from './_gateway.ts'
import { isOk, watch } from './_watched-api.ts'

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { stack, api, database } = gateway
const { call, get, post } = api

t.test('404 and 405', async (t) => {
  for (const path of [
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
  for (const [path, allow] of [
    [SEND, 'POST, OPTIONS'],
    ['/inbox/messages/read', 'POST, PUT, OPTIONS'],
  ] as const) {
    const { status, headers, body } = await call('OPTIONS', path)
    t.same([status, headers.get('allow'), body], [200, allow, ''], `OPTIONS ${path}`)
  }
  t.equal((await call('OPTIONS', '/nowhere')).status, 404)
})

t.test('a path that cannot be read', async (t) => {
  const { status, body } = await get('/push/%zz')
  t.match([status, body], [400, { status: 'ERROR', responseObject: { code: 'ERROR_REQUEST' } }])
})

t.test('X-Correlation-ID: the caller’s when it is one, otherwise a new one; on every response', async (t) => {
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

t.test('headers that keep responses from being stored, guessed or framed', async (t) => {
  for (const { headers } of [await get('/push/service/status'), await get('/nowhere'), await post(SEND, null)]) {
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('x-frame-options'), 'DENY')
    t.match(headers.get('cache-control'), /no-store/)
    t.equal(headers.get('server'), null)
    t.equal(headers.get('x-powered-by'), null)
  }
})

/** A page and everything it names come from here; what it names elsewhere, its policy keeps the browser from asking. */
async function standsAlone(t: Test, path: string): Promise<string> {
  const page = await fetch(api.url + path)
  const html = await page.text()
  t.match([page.status, page.headers.get('content-type')], [200, /^text\/html/], path)
  const policy = page.headers.get('content-security-policy') ?? ''
  t.notMatch(policy, /https?:|upgrade-insecure-requests|[a-z0-9]\.[a-z]/, 'its policy names nobody else')
  const elsewhere = html.match(/(?:https?:)?\/\/(?!www\.w3\.org)[a-z][^"'\s]*/gi) ?? []
  if (!policy.includes("default-src 'self'")) t.same(elsewhere, [], 'it requests nothing elsewhere')
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

t.test('the view of the queues comes from here with all it needs', async (t) => {
  const html = await standsAlone(t, '/admin/queues')
  t.match(html, /Push Server queues/)
})

t.test('PORT that is taken is named', async (t) => {
  await t.rejects(stack.start('gateway'), {
    name: 'ConfigError',
    message: /Port \d+ on 127\.0\.0\.1 is taken\. Set PORT/,
  })
})

/** Passes connections on until it is disconnected, and responses on them until it is mute. */
async function startProxy(t: Test, target: URL) {
  const sockets = new Set<Socket>()
  let isDisconnected = false
  let isMute = false
  const server = createServer((near) => {
    if (isDisconnected) return near.destroy()
    const far = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('data', (data) => void (one === near || !isMute ? other.write(data) : undefined))
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
    mute(yes: boolean) {
      isMute = yes
    },
    disconnect(yes: boolean) {
      isDisconnected = yes
      if (yes) for (const socket of sockets) socket.destroy()
    },
  }
}

t.test('PostgreSQL away: 503 to come again, the status all the same; back: as if nothing had been', async (t) => {
  const own = await createDatabase()
  const proxy = await startProxy(t, new URL(own.url))
  t.teardown(() => own.close())
  const away = await openTestStack({
    services: ['gateway'],
    environment: { DATABASE_URL: proxy.url, SYNC_TIMEOUT: '300ms' },
  })
  t.teardown(() => away.close())
  const client = watch(away.api.url)
  const { body: nothing } = await client.get('/admin/app/list')
  t.same(nothing, { status: 'OK', responseObject: { applicationList: [] } }, 'before there is anything')
  await client.post('/admin/app/create', { appId: APP })
  proxy.disconnect(true)
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
  proxy.disconnect(false)
  for (const [path, object] of requests) isOk(t, await client.post(path, object), `${path} again`)
  t.same(client.leaks, [])
})

t.test(
  'PostgreSQL breaks away after it has stored: 503, and under a key the caller may safely send it again',
  async (t) => {
    const own = await createDatabase()
    const proxy = await startProxy(t, new URL(own.url))
    t.teardown(() => own.close())
    const { api, ...stack } = await openTestStack({
      services: ['gateway'],
      environment: { DATABASE_URL: proxy.url, SYNC_TIMEOUT: '300ms' },
    })
    t.teardown(() => stack.close())
    await stack.configure(APP)
    await stack.register({ userId: 'u', token: 'aabb' })
    const send = () =>
      api.call('POST', SEND, json({ requestObject: sending({}) }, { 'idempotency-key': 'connection lost' }))

    const holder = new pg.Client({ connectionString: own.url })
    await holder.connect()
    t.teardown(() => holder.end())
    await holder.query('BEGIN; LOCK TABLE chunks IN EXCLUSIVE MODE')
    const response = send()
    await waitFor('the storing to wait', async () => {
      const waiting = await own.query(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      )
      return waiting.length === 1
    })
    proxy.mute(true)
    await holder.query('COMMIT')
    const [stored] = await waitFor('the commit', async () => {
      const rows = await own.query<{ id: string }>('SELECT id FROM messages')
      return rows.length === 1 && rows
    })
    proxy.disconnect(true)
    const { status, body } = await response
    t.match([status, body], [503, { responseObject: { code: 'ERROR_UNAVAILABLE' } }])

    proxy.mute(false)
    proxy.disconnect(false)
    const again = await send()
    isOk(t, again, 'again')
    t.match(again.body.responseObject, { messageIds: [stored?.id], result: { ios: { pending: 1, total: 1 } } })
    t.same(await own.query('SELECT count(*)::int AS stored FROM messages'), [{ stored: 1 }], 'once')
    const jobs = await own.query('SELECT 1 FROM bullmq.job')
    t.equal(jobs.length, 1, 'the job that the first one did not get to is there')
  },
)

const redis = BACKENDS.find(({ name }) => name === 'redis')
t.test('Redis away: accepted and stored all the same', { skip: redis?.skip ?? 'no such back end' }, async (t) => {
  const settings = redis?.environment() ?? {}
  const proxy = await startProxy(t, new URL(settings.REDIS_URL ?? ''))
  const { api: client, ...away } = await openTestStack({
    services: ['gateway'],
    environment: { ...settings, REDIS_URL: proxy.url, SYNC_TIMEOUT: '100ms', ENQUEUE_TIMEOUT: '100ms' },
  })
  t.teardown(() => away.close())
  await away.configure(APP)
  await away.register({ userId: 'u', token: 'aabb' })
  proxy.disconnect(true)
  const { status, body } = await client.post(SEND, sending({}))
  t.match([status, body.responseObject.result], [200, { ios: { pending: 1, total: 1 } }])
  t.same(await away.database.query('SELECT count(*)::int AS stored FROM chunks'), [{ stored: 1 }])
  t.equal((await client.get('/health/ready')).status, 200, 'degraded, and ready')
  proxy.disconnect(false)
})

t.test('C-93 the envelope of every kind of error', async (t) => {
  await database.query("ALTER TABLE inbox_messages ADD CONSTRAINT taken CHECK (subject <> 'taken')")
  t.teardown(() => database.query('ALTER TABLE inbox_messages DROP CONSTRAINT taken'))
  const wrapped = (object: unknown) => json({ requestObject: object })
  const inbox = { userId: 'u', type: 'text', subject: 'taken', summary: 's', body: 'b', applications: [APP] }
  const raw = (body: string, type = 'application/json') => ({ body, headers: { 'content-type': type } })
  type Request = { body?: string; headers?: Record<string, string> }
  const cases: [name: string, method: string, path: string, request: Request, status: number, code: string][] = [
    ['a rule of the business', 'POST', SEND, wrapped(null), 400, 'ERROR_GENERIC'],
    ['the form of a body', 'POST', '/admin/app/hms', wrapped({}), 400, 'ERROR_REQUEST'],
    ['malformed JSON', 'POST', SEND, raw('{'), 400, 'ERROR_REQUEST'],
    ['no such literal', 'POST', CREATE, wrapped(device({ platform: 'windows' })), 400, 'ERROR_REQUEST'],
    ['another type', 'POST', SEND, wrapped(sending({ badge: [] })), 400, 'ERROR_REQUEST'],
    ['no body', 'POST', SEND, {}, 400, 'ERROR_REQUEST'],
    ['a parameter missing', 'GET', `/inbox/messages/count?appId=${APP}`, {}, 400, 'ERROR_REQUEST'],
    ['a parameter too long', 'GET', `/inbox/messages/detail?id=${'x'.repeat(256)}`, {}, 400, 'ERROR_REQUEST'],
    ['another content type', 'POST', SEND, raw('{}', 'text/plain'), 415, 'ERROR_REQUEST'],
    ['an unknown application', 'GET', '/inbox/messages/count?userId=u&appId=nowhere', {}, 400, 'ERROR_APP_NOT_FOUND'],
    ['an unknown message', 'GET', '/inbox/messages/detail?id=nowhere', {}, 400, 'ERROR_MESSAGE_NOT_FOUND'],
    ['an unknown path', 'GET', '/nowhere', {}, 404, 'ERROR_NOT_FOUND'],
    ['a slash at the end', 'GET', '/admin/app/list/', {}, 404, 'ERROR_NOT_FOUND'],
    ['another method', 'DELETE', '/inbox/messages/read', {}, 405, 'ERROR_METHOD_NOT_ALLOWED'],
    ['a race', 'POST', '/inbox/messages', wrapped(inbox), 409, 'ERROR_DATA_INTEGRITY'],
    ['too much', 'POST', SEND, raw(JSON.stringify('x'.repeat(70_000))), 413, 'ERROR_TOO_LARGE'],
  ]
  for (const [name, method, path, request, status, code] of cases) {
    const response = await call(method, path, request)
    t.match(response, { status, body: { status: 'ERROR', responseObject: { code, message: /\S/ } } }, name)
    t.match(response.headers.get('content-type'), /^application\/json/, name)
    const { violations, ...rest } = response.body.responseObject
    t.same(Object.keys(rest), ['code', 'message'], `${name}: nothing else`)
    if (code !== 'ERROR_REQUEST' || status === 415) t.equal(violations, undefined, `${name}: no violations`)
    else
      t.ok(
        violations.every((each: object) => Object.keys(each).join() === 'fieldName,hint'),
        `${name}: violations`,
      )
  }
})

t.test('what null and scalars stand for', async (t) => {
  await post('/admin/app/create', { appId: 7 })
  isOk(t, await post('/admin/app/detail', { appId: 7, includeIos: null }), 'a number for a text, null for a flag')
  isOk(t, await get('/inbox/messages/count?userId=1&appId=7'), 'in a query all are texts')
  const attributes = { silent: null, personal: null }
  isOk(t, await post(SEND, { ...sending({}, { attributes }), mode: 'ASYNCHRONOUS' }), 'null attributes')
})

t.test('an internal error: a fixed text, nothing internal', async (t) => {
  await database.query('ALTER TABLE messages RENAME TO mislaid')
  t.teardown(() => database.query('ALTER TABLE mislaid RENAME TO messages'))
  const { status, body, headers } = await post(SEND, sending({}))
  t.same(
    [status, body],
    [500, { status: 'ERROR', responseObject: { code: 'ERROR_GENERIC', message: 'Internal server error' } }],
  )
  t.ok(headers.get('x-correlation-id'))
})

t.test('no response disclosed anything internal, and each had an id', async (t) => {
  t.same(api.leaks, [])
})
