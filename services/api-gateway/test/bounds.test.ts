// What one client can take of the gateway: requests under way, unfinished bodies, imports. Beyond it everybody else gets in.
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Scope } from '@push-server/contract'
import { openActivations, openBackPressure, openMessageBatches, openWaiters } from '@push-server/domain'
import { makeApiKey, openTestStack, waitFor, type TestStack } from '@push-server/testing'
import t, { type Test } from 'tap'
import { buildApp } from '../src/index.ts'
import { APP, json, SEND, sending } from './_gateway.ts'
import { startSlowRequest, type SlowRequestOptions } from './_uploads.ts'
import { isOk, watch } from './_watched-api.ts'

const IMPORT = `/push/device/import?appId=${APP}`
const NDJSON = { 'content-type': 'application/x-ndjson' }
const BOOTSTRAP = `admin.${randomBytes(32).toString('hex')}`
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
/** On a slow machine as well; where something never comes the test says so after that. */
const PATIENCE_MS = 60_000

const line = (userId = 'u') =>
  `${JSON.stringify({ userId, activationId: randomUUID(), platform: 'ios', token: randomBytes(32).toString('hex') })}\n`

/** More than are gathered before the import takes a connection. */
const manyLines = () => Array.from({ length: 6000 }, () => line()).join('')

async function openBounded(t: Test, environment: Record<string, string>): Promise<TestStack> {
  const stack = await openTestStack({
    services: ['gateway'],
    environment: { API_KEY_BOOTSTRAP: BOOTSTRAP, SYNC_TIMEOUT: '200ms', ...environment },
  })
  t.teardown(() => stack.close())
  await stack.configure(APP)
  return stack
}

const makeKey = ({ context }: TestStack, ...scopes: Scope[]) => makeApiKey(context, { scopes })

const connectionsOf = async ({ database }: TestStack) =>
  (
    await database.query(
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'push-server import' AND datname = current_database()",
    )
  ).length

const refusals = async (stack: TestStack, reason: string): Promise<number> => {
  const { body } = await watch(stack.api.url, bearer(BOOTSTRAP)).get('/metrics')
  return Number(new RegExp(`push_refusals_total\\{reason="${reason}"\\} (\\d+)`).exec(body)?.[1] ?? 0)
}

t.test('imports that drip: few at once, each ended, and others get in', async (t) => {
  const stack = await openBounded(t, {
    IMPORT_CONCURRENCY: '3',
    IMPORT_CONCURRENCY_PER_CALLER: '2',
    IMPORT_IDLE: '2s',
    IMPORT_MIN_RATE: '1000',
  })
  const keys = [await makeKey(stack, 'admin'), await makeKey(stack, 'admin')]
  const drip = (key: string) =>
    startSlowRequest(stack.api.url + IMPORT, {
      method: 'PUT',
      headers: { ...NDJSON, ...bearer(key) },
      drip: { text: line(), everyMs: 100 },
    })
  const uploads = keys.flatMap((key) => Array.from({ length: 25 }, () => drip(key)))
  t.teardown(() => uploads.forEach((upload) => upload.destroy()))
  let most = 0
  await waitFor(
    'each upload to get a response',
    async () => {
      most = Math.max(most, await connectionsOf(stack))
      return uploads.every((upload) => upload.response() ?? upload.error())
    },
    PATIENCE_MS,
  )
  t.ok(most <= 3, `${most} connections for imports`)
  t.same(
    uploads.flatMap((upload) => upload.error() ?? []),
    [],
    'nobody is disconnected',
  )
  const ended = uploads.filter((upload) => upload.response()?.status === 408)
  const refused = uploads.filter((upload) => upload.response()?.status === 503)
  t.ok(ended.length >= 3, `${ended.length} were under way`)
  t.equal(ended.length + refused.length, 50)
  for (const upload of ended)
    t.match(upload.response()?.body, {
      status: 'ERROR',
      responseObject: { code: 'ERROR_REQUEST', message: /IMPORT_MIN_RATE.*nothing was kept/ },
    })
  for (const upload of refused) {
    t.match(upload.response()?.body.responseObject, { code: 'ERROR_UNAVAILABLE', message: /IMPORT_CONCURRENCY/ })
    t.match(upload.response()?.headers['retry-after'], /^\d+$/)
  }
  await waitFor('their connections to be given back', async () => (await connectionsOf(stack)) === 0)
  const { status, body } = await stack.api.call('PUT', IMPORT, {
    body: line(),
    headers: { ...NDJSON, ...bearer(keys[0] ?? '') },
  })
  t.match([status, body], [200, { responseObject: { imported: 1 } }], 'the next one is taken')
  t.ok((await refusals(stack, 'import-slots')) >= refused.length)
  t.ok((await refusals(stack, 'import-slow')) >= 3)
})

t.test('a key that imports as much as it may leaves room to the others', async (t) => {
  const stack = await openBounded(t, { IMPORT_CONCURRENCY: '2', IMPORT_CONCURRENCY_PER_CALLER: '1' })
  const [greedy, other] = [await makeKey(stack, 'admin'), await makeKey(stack, 'admin')]
  const importWith = (key: string) =>
    stack.api.call('PUT', IMPORT, { body: line(), headers: { ...NDJSON, ...bearer(key) } })
  const open = startSlowRequest(stack.api.url + IMPORT, {
    method: 'PUT',
    headers: { ...NDJSON, ...bearer(greedy) },
    begin: manyLines(),
  })
  t.teardown(() => open.destroy())
  await waitFor('the import to begin', async () => (await connectionsOf(stack)) === 1, PATIENCE_MS)
  t.match(await importWith(greedy), {
    status: 503,
    body: { responseObject: { code: 'ERROR_UNAVAILABLE', message: /IMPORT_CONCURRENCY_PER_CALLER/ } },
  })
  t.equal((await importWith(other)).status, 200)
  open.end()
  await waitFor('its end', () => open.response())
  t.match(open.response(), { status: 200, body: { responseObject: { imported: 6000 } } })
  t.equal((await importWith(greedy)).status, 200, 'it has given its place back')
})

t.test('an import whose sender says nothing, or goes away, gives its place back', async (t) => {
  const stack = await openBounded(t, { IMPORT_CONCURRENCY: '1', IMPORT_IDLE: '1s' })
  const begin = (begin?: string) =>
    startSlowRequest(stack.api.url + IMPORT, { method: 'PUT', headers: { ...NDJSON, ...bearer(BOOTSTRAP) }, begin })
  const complete = async () =>
    (await stack.api.call('PUT', IMPORT, { body: line(), headers: { ...NDJSON, ...bearer(BOOTSTRAP) } })).status

  const silent = begin()
  t.teardown(() => silent.destroy())
  await waitFor('an end', () => silent.response(), PATIENCE_MS)
  t.match(silent.response(), {
    status: 408,
    body: { responseObject: { code: 'ERROR_REQUEST', message: /IMPORT_IDLE.*nothing was kept/ } },
  })
  t.equal(await complete(), 200)

  const leaving = begin(manyLines())
  await waitFor('the import to begin', async () => (await connectionsOf(stack)) === 1, PATIENCE_MS)
  t.equal(await complete(), 503)
  leaving.destroy()
  await waitFor('its place to be free', async () => (await complete()) === 200, PATIENCE_MS)
})

t.test('an import of too many lines is refused whole', async (t) => {
  const stack = await openBounded(t, { IMPORT_LINES: '3' })
  const importOf = (lines: number, path = IMPORT) =>
    stack.api.call('PUT', path, {
      body: Array.from({ length: lines }, () => line()).join('\n'),
      headers: { ...NDJSON, ...bearer(BOOTSTRAP) },
    })
  t.match(await importOf(4), {
    status: 413,
    body: { responseObject: { code: 'ERROR_TOO_LARGE', message: /3 lines.*IMPORT_LINES/ } },
  })
  t.same(await stack.database.query('SELECT 1 FROM devices'), [])
  t.match(await importOf(3), { status: 200, body: { responseObject: { imported: 3 } } }, 'blank lines do not count')
})

t.test('an import has an overall deadline, however fast it is', async (t) => {
  const stack = await openBounded(t, { IMPORT_TIMEOUT: '1s' })
  const upload = startSlowRequest(stack.api.url + IMPORT, {
    method: 'PUT',
    headers: { ...NDJSON, ...bearer(BOOTSTRAP) },
    begin: manyLines(),
    drip: { text: '\n', everyMs: 20 },
  })
  t.teardown(() => upload.destroy())
  await waitFor('its end', () => upload.response(), PATIENCE_MS)
  t.match(upload.response(), { status: 408, body: { responseObject: { message: /IMPORT_TIMEOUT/ } } })
})

t.test('a gateway that stops ends imports, and tells their senders', async (t) => {
  const stack = await openBounded(t, {})
  const upload = startSlowRequest(stack.api.url + IMPORT, {
    method: 'PUT',
    headers: { ...NDJSON, ...bearer(BOOTSTRAP) },
    begin: manyLines(),
    drip: { text: line(), everyMs: 20 },
  })
  t.teardown(() => upload.destroy())
  await waitFor('the import to begin', async () => (await connectionsOf(stack)) === 1, PATIENCE_MS)
  await stack.close()
  await waitFor('its response', () => upload.response() ?? upload.error(), PATIENCE_MS)
  t.match(upload.response() ?? upload.error(), {
    status: 503,
    body: { responseObject: { code: 'ERROR_UNAVAILABLE', message: /stopping: send the import again/ } },
  })
})

t.test('bodies that never come whole are ended', async (t) => {
  const stack = await openBounded(t, { REQUEST_TIMEOUT: '1s' })
  const begin = (more: SlowRequestOptions) => startSlowRequest(stack.api.url + SEND, more)
  const known = { 'content-type': 'application/json', ...bearer(BOOTSTRAP) }
  const unfinished = [
    ...Array.from({ length: 30 }, () => begin({ headers: known, begin: '{"requestObject":' })),
    begin({ headers: known }),
    begin({ headers: known, drip: { text: ' ', everyMs: 50 } }),
  ]
  // Refused before its body is read: it does not stay open either.
  const stranger = begin({ headers: { 'content-type': 'application/json' }, drip: { text: ' ', everyMs: 50 } })
  t.teardown(() => [...unfinished, stranger].forEach((one) => one.destroy()))
  await waitFor('each to end', () => [...unfinished, stranger].every((one) => one.isClosed()), PATIENCE_MS)
  for (const one of unfinished)
    t.match(one.response() ?? one.error(), {
      status: 408,
      body: { status: 'ERROR', responseObject: { code: 'ERROR_REQUEST', message: /REQUEST_TIMEOUT/ } },
    })
  t.match(stranger.response(), { status: 401 })
  t.equal(await refusals(stack, 'request-timeout'), unfinished.length)
})

t.test('more SYNCHRONOUS requests at once than may be under way: each gets a response', async (t) => {
  const stack = await openBounded(t, { REQUEST_LIMIT: '20', SYNC_TIMEOUT: '3s' })
  await stack.register({ userId: 'u', token: 'aa' })
  const send = () =>
    stack.api.call('POST', SEND, json({ requestObject: sending({ title: 'Hello' }) }, bearer(BOOTSTRAP)))
  isOk(t, await send(), 'one alone')
  const requests = Array.from({ length: 200 }, () => send())
  await waitFor('some to be refused', async () => (await refusals(stack, 'requests')) > 0, PATIENCE_MS)
  t.equal((await stack.api.get('/health/ready')).status, 200, 'probes are exempt')
  t.equal((await stack.api.get('/health/live')).status, 200)
  const responses = await Promise.all(requests)
  const taken = responses.filter(({ status }) => status === 200)
  const refused = responses.filter(({ status }) => status === 503)
  t.equal(taken.length + refused.length, 200, 'each got one')
  t.ok(taken.length >= 20 && refused.length > 0, `${taken.length} taken`)
  for (const { headers, body } of refused) {
    t.match(body.responseObject, { code: 'ERROR_UNAVAILABLE', message: /REQUEST_LIMIT/ })
    t.match(headers.get('retry-after'), /^\d+$/)
  }
  const stored = await stack.database.query('SELECT 1 FROM messages')
  t.equal(stored.length, taken.length + 1, 'nothing of the refused ones is stored')
  isOk(t, await send(), 'and there is room again')
})

t.test('connections beyond the limit: idle ones make room, and where none is idle there is a response', async (t) => {
  const stack = await openBounded(t, { CONNECTION_LIMIT: '3' })
  const { hostname, port } = new URL(stack.api.url)
  const open = async () => {
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  const get = async (path: string) => {
    const socket = await open()
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${BOOTSTRAP}\r\n\r\n`)
    const [first] = (await once(socket, 'data')) as [Buffer]
    return { socket, text: first.toString() }
  }
  const idle = [await get('/health/live'), await get('/health/live'), await get('/health/live')]
  const isClosed = (socket: Socket) => socket.closed
  for (const { socket } of idle) socket.resume()
  t.match((await get('/admin/app/list')).text, /^HTTP\/1\.1 (200|503)/)
  await waitFor('the idle ones to be closed', () => idle.every(({ socket }) => isClosed(socket)), PATIENCE_MS)
  t.match((await get('/admin/app/list')).text, /^HTTP\/1\.1 200/)

  // These have not sent anything yet, so they are not idle.
  const fresh = [await open(), await open(), await open(), await open()]
  const refused = await get('/admin/app/list')
  t.match(refused.text, /^HTTP\/1\.1 503[^]*connection: close[^]*CONNECTION_LIMIT \(3\)/i)
  await waitFor('its end', () => isClosed(refused.socket.resume()), PATIENCE_MS)
  t.match((await get('/health/live')).text, /^HTTP\/1\.1 200/, 'probes are exempt')
  for (const socket of fresh) socket.destroy()
  await waitFor('room', async () => (await get('/admin/app/list')).text.startsWith('HTTP/1.1 200'), PATIENCE_MS)
})

t.test('a client that goes away gives its place back', async (t) => {
  const stack = await openBounded(t, { REQUEST_LIMIT: '1', SYNC_TIMEOUT: '2s' })
  await stack.register({ userId: 'u', token: 'aa' })
  const list = async () => (await stack.api.call('GET', '/admin/app/list', { headers: {} })).status
  const client = watch(stack.api.url, bearer(BOOTSTRAP))
  const reading = startSlowRequest(stack.api.url + SEND, {
    headers: { 'content-type': 'application/json', ...bearer(BOOTSTRAP) },
  })
  await waitFor('it to be under way', async () => (await client.get('/admin/app/list')).status === 503, PATIENCE_MS)
  reading.destroy()
  await waitFor('room again', async () => (await client.get('/admin/app/list')).status === 200, PATIENCE_MS)

  const waiting = startSlowRequest(stack.api.url + SEND, {
    headers: { 'content-type': 'application/json', ...bearer(BOOTSTRAP) },
  })
  waiting.end(JSON.stringify({ requestObject: sending({ title: 'Hello' }) }))
  await waitFor('it to be stored', async () => (await stack.database.query('SELECT 1 FROM messages')).length === 1)
  waiting.destroy()
  await waitFor(
    'room once it has waited',
    async () => (await client.get('/admin/app/list')).status === 200,
    PATIENCE_MS,
  )
  t.equal(await list(), 401)
})

t.test('SYNC_TIMEOUT counts from the arrival of the request', async (t) => {
  const stack = await openTestStack({ services: [], environment: { SYNC_TIMEOUT: '30s' } })
  t.teardown(() => stack.close())
  await stack.configure(APP)
  await stack.register({ userId: 'u', token: 'aa' })
  const { context } = stack
  const waiters = await openWaiters(context.store, context.log)
  t.teardown(() => waiters.close())
  const pressure = await openBackPressure(context)
  t.teardown(() => pressure.close())
  const waits: number[] = []
  const app = await buildApp(context, {
    waiters: { ...waiters, wait: async (_parts, ms) => (waits.push(ms), undefined) },
    batches: openMessageBatches(context),
    pressure,
    activations: openActivations(context.config, context.store),
  })
  t.teardown(() => app.close())
  const url = await app.listen({ port: 0 })
  const slow = startSlowRequest(url + SEND, { headers: { 'content-type': 'application/json' }, begin: ' ' })
  await sleep(1500)
  slow.end(JSON.stringify({ requestObject: sending({ title: 'Hello' }) }))
  await waitFor('the response', () => slow.response() ?? slow.error())
  t.match(slow.response(), { status: 200 })
  t.equal(waits.length, 1)
  t.ok((waits[0] ?? Infinity) < 29_000, `waits for ${waits[0]} ms of 30 000, having arrived 1500 ms before`)
})
