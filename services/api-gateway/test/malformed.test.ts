// What the HTTP parser, the server or the framework refuses: bytes on a socket, and a response in the envelope for each.
import dns from 'node:dns'
import type { AddressInfo } from 'node:net'
import { createClientErrors, createLogger } from '@push-server/runtime'
import { freePort, waitFor } from '@push-server/testing'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { envelope } from '../src/plugins/envelope.ts'
import { HTTP_OPTIONS, httpServer } from '../src/plugins/http-server.ts'
import { requestId, requests, RESPONSE_HEADERS } from '../src/plugins/requests.ts'
import { apiGateway } from '../src/index.ts'
import { json, openGateway, SEND, sending } from './_gateway.ts'
import { startLogged } from './_logged-gateway.ts'
import { openRaw, type RawConnection, type RawResponse } from './_raw.ts'

const { stack } = await openGateway()
t.teardown(() => stack.close())

const { config, lines, logs, port, stop } = await startLogged(stack)
t.teardown(() => stop())

const HOST = `Host: 127.0.0.1:${port}\r\n`
const JSON_TYPE = 'Content-Type: application/json\r\n'
const get = (more = '', path = '/push/service/status') => `GET ${path} HTTP/1.1\r\n${HOST}${more}\r\n`
const chunked = (path: string, type = JSON_TYPE) =>
  `POST ${path} HTTP/1.1\r\n${HOST}${type}Transfer-Encoding: chunked\r\n\r\n`
const importing = '/push/device/import?appId=mobile-app'
const ndjson = 'Content-Type: application/x-ndjson\r\n'

async function open(t: Test): Promise<RawConnection> {
  const connection = await openRaw(port)
  t.teardown(() => connection.socket.destroy())
  return connection
}

const ID = /^[a-zA-Z0-9-]{8,1024}$/
function inEnvelope(t: Test, { status, headers, body }: RawResponse, expected: number, code = 'ERROR_REQUEST') {
  t.equal(status, expected)
  t.match(headers, {
    'content-type': /^application\/json/,
    'x-correlation-id': ID,
    'x-content-type-options': 'nosniff',
    'cache-control': /no-store/,
  })
  t.match(body, { status: 'ERROR', responseObject: { code, message: /\S/ } })
  t.notMatch(JSON.stringify(body), /FST_|HPE_|node_modules|\s at /)
}

async function isLoggedOnce(t: Test, { status, headers }: RawResponse) {
  const own = () => lines.filter(({ reqId }) => reqId !== undefined && reqId === headers['x-correlation-id'])
  await waitFor('its line of log', () => own().length > 0, 20_000)
  t.match(own(), [{ level: 30, status }], 'one line of log')
  t.equal(own().length, 1)
}

// Status, and what is sent. The connection ends after each of them.
const BROKEN: readonly [name: string, status: number, bytes: string | Buffer][] = [
  ['bytes that are no HTTP', 400, 'hello\r\n\r\n'],
  ['TLS', 400, Buffer.from('16030100a1010000', 'hex')],
  ['an unknown method', 400, `FROBNICATE / HTTP/1.1\r\n${HOST}\r\n`],
  ['an unknown version', 400, `GET / HTTP/9.9\r\n${HOST}\r\n`],
  ['the preface of HTTP/2', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['no Host', 400, 'GET /push/service/status HTTP/1.1\r\n\r\n'],
  ['two Hosts', 400, `GET /push/service/status HTTP/1.1\r\n${HOST}Host: example.com\r\n\r\n`],
  ['a Host that is none', 400, 'GET /push/service/status HTTP/1.1\r\nHost: a/b@c\r\n\r\n'],
  ['NUL in a header', 400, get('X-Header: a\0b\r\n')],
  ['NUL in the path', 400, get('', '/push/\0')],
  ['a header without a name', 400, get(': x\r\n')],
  ['Content-Length twice', 400, get('Content-Length: 1\r\nContent-Length: 2\r\n')],
  ['Content-Length and chunks', 400, get('Content-Length: 1\r\nTransfer-Encoding: chunked\r\n')],
  ['headers too large', 431, get(`X-Header: ${'x'.repeat(20_000)}\r\n`)],
  ['a path too long for a line', 431, get('', `/${'x'.repeat(20_000)}`)],
  ['too many headers', 431, get('a:\r\n'.repeat(3000))],
  ['a bad chunk', 400, `${chunked(SEND)}5\r\n{"req\r\nnot hexadecimal\r\n`],
  ['a bad chunk of an import', 400, `${chunked(importing, ndjson)}2\r\n{}\r\nnot hexadecimal\r\n`],
  ['CONNECT', 405, `CONNECT example.com:443 HTTP/1.1\r\n${HOST}\r\n`],
]

for (const [name, status, bytes] of BROKEN)
  t.test(`refused and closed: ${name}`, async (t) => {
    const connection = await open(t)
    connection.send(bytes)
    const response = await connection.next()
    inEnvelope(t, response, status, status === 405 ? 'ERROR_METHOD_NOT_ALLOWED' : 'ERROR_REQUEST')
    t.equal(response.headers.connection, 'close')
    await connection.ended()
    await isLoggedOnce(t, response)
  })

// These are requests in order, so the connection takes the next one.
const REFUSED: readonly [name: string, status: number, code: string, bytes: string][] = [
  ['Expect of what nobody does', 417, 'ERROR_REQUEST', get('Expect: 200-ok\r\n')],
  ['a path parameter that is too long', 400, 'ERROR_REQUEST', get('', `/push/message/${'x'.repeat(101)}/status`)],
  ['the same with a line break', 400, 'ERROR_REQUEST', get('', `/push/message/${'%0A'.repeat(101)}/status`)],
  ['a path that is not percent-encoded', 400, 'ERROR_REQUEST', get('', '/push/%zz')],
]
for (const [name, status, code, bytes] of REFUSED)
  t.test(`refused, and the connection goes on: ${name}`, async (t) => {
    const connection = await open(t)
    connection.send(bytes)
    const response = await connection.next()
    inEnvelope(t, response, status, code)
    await isLoggedOnce(t, response)
    connection.send(get())
    t.equal((await connection.next()).status, 200)
  })

// Ten bytes are announced and none is sent: who waits for them does not respond.
const EARLY: readonly [name: string, status: number, code: string, line: string, more?: string][] = [
  ['an unknown path', 404, 'ERROR_NOT_FOUND', 'POST /nowhere'],
  ['a method that the path does not take', 405, 'ERROR_METHOD_NOT_ALLOWED', 'PUT /push/message/send'],
  ['a method that no path takes', 405, 'ERROR_METHOD_NOT_ALLOWED', 'PROPFIND /push/message/send'],
  ['a page of another site', 403, 'ERROR_FORBIDDEN', `POST ${SEND}`, 'Origin: https://elsewhere.example\r\n'],
  ['a Host that is not ours', 421, 'ERROR_REQUEST', `POST ${SEND}`],
]
for (const [name, status, code, line, more = ''] of EARLY)
  t.test(`refused before the body is read: ${name}`, async (t) => {
    const connection = await open(t)
    const host = status === 421 ? 'Host: rebound.example\r\n' : HOST
    connection.send(`${line} HTTP/1.1\r\n${host}${JSON_TYPE}Content-Length: 10\r\n${more}\r\n`)
    const response = await connection.next()
    inEnvelope(t, response, status, code)
    connection.send(`${'x'.repeat(10)}${get()}`)
    t.equal((await connection.next()).status, 200, 'the connection goes on behind the body')
  })

t.test('a host name opens one server, whatever number of addresses it has', async (t) => {
  // As on a machine whose localhost has both families; the framework asks here.
  const addresses: dns.LookupAddress[] = [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ]
  const { lookup } = dns
  type Found = (error: Error | null, addresses: dns.LookupAddress[]) => void
  t.intercept(dns, 'lookup', {
    value: (host: string, options: dns.LookupAllOptions, found: Found) =>
      host === 'localhost' ? found(null, addresses) : lookup(host, options, found),
  })
  const named = { ...stack.context.config, host: 'localhost', port: await freePort() }
  const stopNamed = await apiGateway({ ...stack.context, config: named, log: createLogger(named, 'gateway', logs) })
  t.teardown(() => stopNamed())
  let servers = 0
  for (const family of ['127.0.0.1', '::1']) {
    const connection = await openRaw(named.port, family).catch(() => undefined)
    if (!connection) continue
    servers++
    t.teardown(() => connection.socket.destroy())
    connection.send('hello\r\n\r\n')
    inEnvelope(t, await connection.next(), 400)
  }
  t.equal(servers, 1)
})

t.test('the body of a refused request is not asked for', async (t) => {
  const large = `${JSON_TYPE}Content-Length: 1000\r\nExpect: 100-continue\r\n`
  const refused = await open(t)
  refused.send(`POST /nowhere HTTP/1.1\r\n${HOST}${large}\r\n`)
  inEnvelope(t, await refused.next(), 404, 'ERROR_NOT_FOUND')
  const taken = await open(t)
  taken.send(`POST ${SEND} HTTP/1.1\r\n${HOST}${large}\r\n`)
  t.equal((await taken.next()).status, 100, 'that of another is')
  taken.send(' '.repeat(1000))
  inEnvelope(t, await taken.next(), 400)
})

t.test('malformed JSON does not matter where there is nothing to read it', async (t) => {
  for (const [line, status, code] of [
    ['POST /nowhere', 404, 'ERROR_NOT_FOUND'],
    ['PUT /push/message/send', 405, 'ERROR_METHOD_NOT_ALLOWED'],
    ['POST /push/message/send', 400, 'ERROR_REQUEST'],
  ] as const) {
    const connection = await open(t)
    connection.send(`${line} HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: 1\r\n\r\n{`)
    inEnvelope(t, await connection.next(), status, code)
  }
})

t.test('bytes that are no HTTP behind a request: it gets its own response first', async (t) => {
  const connection = await open(t)
  const { body } = json({ requestObject: sending({}) })
  connection.send(
    `POST ${SEND} HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${body.length}\r\n\r\n${body}hello\r\n\r\n`,
  )
  const first = await connection.next()
  t.match([first.status, first.body], [200, { status: 'OK' }])
  const second = await connection.next()
  inEnvelope(t, second, 400)
  t.not(first.headers['x-correlation-id'], second.headers['x-correlation-id'])
  await connection.ended()
})

t.test('a connection that is reset has no line of log', async (t) => {
  const before = lines.length
  const connection = await open(t)
  connection.send(`POST ${SEND} HTTP/1.1\r\nHost: `)
  connection.socket.resetAndDestroy()
  const next = await open(t)
  next.send(get())
  t.equal((await next.next()).status, 200)
  await waitFor('the line of the next', () => lines.length > before, 20_000)
  t.equal(lines.length, before + 1)
})

t.test('what does not arrive in time gets 408: head or body, read or not', async (t) => {
  const clientErrors = createClientErrors(createLogger(config, 'slow', logs), RESPONSE_HEADERS)
  const times = { connectionsCheckingInterval: 20, headersTimeout: 100, requestTimeout: 200 }
  const app = Fastify({
    http: { ...HTTP_OPTIONS, ...times },
    requestTimeout: times.requestTimeout,
    clientErrorHandler: clientErrors.refuse,
    genReqId: ({ headers }) => requestId(headers),
  })
  await app.register(envelope)
  await app.register(requests)
  await app.register(httpServer, { clientErrors, config })
  app.post('/', async () => 'read')
  t.teardown(() => app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port: slowPort } = app.server.address() as AddressInfo
  for (const [name, bytes] of [
    ['a head', 'POST / HTTP/1.1\r\nHost: localhost\r\n'],
    ['a body', `POST / HTTP/1.1\r\nHost: localhost\r\n${JSON_TYPE}Content-Length: 10\r\n\r\n{`],
  ] as const) {
    const connection = await openRaw(slowPort)
    t.teardown(() => connection.socket.destroy())
    connection.send(bytes)
    const response = await connection.next()
    inEnvelope(t, response, 408)
    t.equal(response.headers.connection, 'close', name)
    await connection.ended()
  }
})

t.test('the gateway lives on, and nothing was logged as an error of ours', async (t) => {
  const connection = await open(t)
  connection.send(get())
  t.equal((await connection.next()).status, 200)
  t.same(
    lines.filter(({ level }) => level >= 40),
    [],
  )
})
