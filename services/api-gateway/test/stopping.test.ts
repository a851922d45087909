// A gateway that stops, while clients of every kind have requests under way: it ends within STOP_TIMEOUT and two seconds.
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { openTestStack, spawnService, waitFor } from '@push-server/testing'
import t, { type Test } from 'tap'
import { APP, SEND, sending } from './_gateway.ts'
import { startSlowRequest } from './_uploads.ts'

t.setTimeout(120_000)
const STOP_TIMEOUT_MS = 2_000
const JSON_TYPE = { 'content-type': 'application/json' }

async function openStack(t: Test, more: Record<string, string> = {}) {
  const stack = await openTestStack({
    services: [],
    environment: { STOP_TIMEOUT: `${STOP_TIMEOUT_MS}ms`, SYNC_TIMEOUT: '60s', REQUEST_TIMEOUT: '60s', ...more },
  })
  t.teardown(() => stack.close())
  await stack.configure(APP)
  await stack.register({ userId: 'u', token: 'aabb' })
  const gateway = spawnService('api-gateway', stack.environment)
  t.teardown(() => gateway.kill())
  await waitFor('the gateway to be ready', () =>
    fetch(`${stack.api.url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return { ...stack, gateway }
}

/** A client that sends one request after the other over connections that it keeps. */
function startBusyClient(url: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const over = new AbortController()
  let count = 0
  async function loop(): Promise<void> {
    while (!over.signal.aborted) {
      const request = httpRequest(`${url}/push/service/status`, { agent })
      request.end()
      try {
        const [response] = (await once(request, 'response')) as [IncomingMessage]
        response.resume()
        await once(response, 'end')
        count++
      } catch {
        // The connection was closed between two requests.
        return
      }
    }
  }
  const loops = Array.from({ length: connections }, () => loop())
  return {
    count: () => count,
    async end() {
      over.abort()
      await Promise.all(loops)
      agent.destroy()
    },
  }
}

async function stopped(gateway: { stop(): Promise<number | null> }) {
  const start = performance.now()
  const code = await gateway.stop()
  return { code, ms: performance.now() - start }
}

t.test('busy connections that are kept: the gateway does not wait until they are idle for long', async (t) => {
  const { api, gateway } = await openStack(t)
  const client = startBusyClient(api.url, 20)
  await waitFor('requests', () => client.count() > 200)
  const { code, ms } = await stopped(gateway)
  t.equal(code, 0)
  t.ok(ms < STOP_TIMEOUT_MS + 2_000, `${ms} ms`)
  await client.end()
})

t.test('a request that was under way at the signal: its connection is closed with the response', async (t) => {
  const { api, gateway, database } = await openStack(t, { STOP_TIMEOUT: '30s', SYNC_TIMEOUT: '3s' })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const request = httpRequest(api.url + SEND, { method: 'POST', agent, headers: JSON_TYPE })
  request.end(JSON.stringify({ requestObject: { ...sending({ title: 'T' }), mode: 'SYNCHRONOUS' } }))
  const responded = once(request, 'response')
  await waitFor('the message', async () => (await database.query('SELECT 1 FROM messages')).length === 1)
  const { code, ms } = await stopped(gateway)
  const [response] = (await responded) as [IncomingMessage]
  t.equal(code, 0)
  t.equal(response.headers.connection, 'close')
  t.ok(ms < 15_000, `${ms} ms: neither STOP_TIMEOUT nor the time that a connection may be idle was waited for`)
})

const CLIENTS = {
  'a body that is still arriving': {
    path: SEND,
    options: { headers: JSON_TYPE, begin: '{"requestObject":', drip: { text: ' ', everyMs: 50 } },
    status: 503,
  },
  'a body that is refused': {
    path: '/nowhere',
    options: { headers: JSON_TYPE, drip: { text: ' ', everyMs: 50 } },
    status: 404,
  },
  'a body of a type that nothing takes': {
    path: SEND,
    options: { headers: { 'content-type': 'text/plain' }, drip: { text: ' ', everyMs: 50 } },
    status: 415,
  },
  'a message that is waited for': {
    path: SEND,
    options: {
      headers: JSON_TYPE,
      begin: JSON.stringify({ requestObject: { ...sending({ title: 'T' }), mode: 'SYNCHRONOUS' } }),
    },
    status: 200,
  },
}

for (const [name, { path, options, status }] of Object.entries(CLIENTS))
  t.test(`${name}: it has its response, and the gateway has ended`, async (t) => {
    const { api, gateway, database } = await openStack(t)
    const client = startSlowRequest(api.url + path, options)
    t.teardown(() => client.destroy())
    if (status === 200) client.end()
    if (status === 404 || status === 415) await waitFor('the refusal', () => client.response())
    else if (status === 200)
      await waitFor('the message', async () => (await database.query('SELECT 1 FROM messages')).length === 1)
    else await waitFor('the request', async () => /under_way\S* [1-9]/.test((await api.get('/metrics')).body))
    const { code, ms } = await stopped(gateway)
    t.equal(code, 0)
    t.ok(ms < STOP_TIMEOUT_MS + 2_000, `${ms} ms`)
    await waitFor('a response', () => client.response() ?? client.error())
    t.equal(client.response()?.status, status, String(client.error()))
    if (status === 200 || status === 503) t.equal(client.response()?.headers.connection, 'close')
  })
