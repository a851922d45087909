// The load server, by the clients that benchmarks measure: each request gets one response, over HTTP/2 and HTTP/1.1.
import { once } from 'node:events'
import { request } from 'node:https'
import { openHttp2, type Http2Request, type Http2Result } from '@push-server/http2'
import t, { type Test } from 'tap'
import { startLoadServer, type LoadServerOptions } from '../src/index.ts'

async function start(test: Test, options: LoadServerOptions = {}) {
  const server = await startLoadServer(options)
  test.teardown(() => server.stop())
  return server
}

const apns: Http2Request = { path: '/3/device/aabb', headers: { authorization: 'bearer one' }, body: '{"aps":{}}' }
const fcm: Http2Request = { ...apns, path: '/v1/projects/bench/messages:send' }

t.test('every push gets one response, after its latency', async (t) => {
  const server = await start(t, { latencyMs: { min: 20, max: 40 }, maxStreams: 50 })
  for (const transport of ['lean', 'node'] as const) {
    const client = openHttp2({ origin: `https://localhost:${server.port}`, ca: server.ca, connections: 2, transport })
    const send = (request: Http2Request) => new Promise<Http2Result>((settle) => client.request(request, settle))
    const before = { at: performance.now(), requests: server.requests() }
    const results = await Promise.all(Array.from({ length: 300 }, (_, place) => send(place % 2 ? apns : fcm)))
    t.ok(performance.now() - before.at >= 60, 'three rounds of a hundred streams')
    t.equal(server.requests() - before.requests, 300)
    t.equal(client.capacity, 100)
    t.match(results[1], { status: 200, headers: { 'apns-id': /^[0-9a-f-]{36}$/ }, body: '' }, transport)
    t.match(results[0], { status: 200, body: /"name": "projects/ }, transport)
    t.ok(results.every(({ kind }) => kind === 'response'))
    await client.close()
  }
})

t.test('long headers and bodies', async (t) => {
  const server = await start(t)
  const client = openHttp2({ origin: `https://localhost:${server.port}`, ca: server.ca })
  const long = { ...apns, headers: { long: 'x'.repeat(40_000) }, body: Buffer.alloc(10_000_000) }
  t.match(await new Promise((settle) => client.request(long, settle)), { kind: 'response', status: 200 })
  await client.close()
})

t.test('HTTP/1.1, as HMS is spoken to', async (t) => {
  const server = await start(t, { names: ['push.example'] })
  const ask = async (path: string) => {
    const options = { port: server.port, ca: server.ca, servername: 'push.example', path, method: 'POST' }
    const sent = request('https://127.0.0.1', { ...options, headers: { host: 'push.example' } }).end('{}')
    const [response] = await once(sent, 'response')
    return Buffer.concat(await response.toArray()).toString()
  }
  t.match(await ask('/v1/1/messages:send'), /"code":"80000000"/)
  t.match(await ask('/oauth2/v3/token'), /"access_token"/)
  t.equal(server.requests(), 1, 'tokens are no pushes')
})

t.test('a latency that is too long for it', async (t) => {
  await t.rejects(startLoadServer({ latencyMs: 2_000 }), /a latency of 2000 ms/)
})

t.test('what each token got is counted, from 0 as often as it is requested', async (t) => {
  const server = await start(t, { countsTokens: true })
  const client = openHttp2({ origin: `https://localhost:${server.port}`, ca: server.ca })
  const send = (path: string) => new Promise((settle) => client.request({ ...apns, path }, settle))
  t.equal(server.lastPushAt(), 0)
  const before = Date.now()
  for (const token of ['aa', 'bb', 'aa']) await send(`/3/device/${token}`)
  t.same(
    [...server.pushesByToken()],
    [
      ['aa', 2],
      ['bb', 1],
    ],
  )
  t.ok(server.lastPushAt() >= before - 1)
  server.forget()
  server.setLatency({ min: 30, max: 30 })
  const sentAt = performance.now()
  await send('/3/device/cc')
  t.ok(performance.now() - sentAt >= 28, 'the latency is the new one')
  t.same([server.pushes(), server.distinctTokens(), [...server.pushesByToken()]], [1, 1, [['cc', 1]]])
  await client.close()
})
