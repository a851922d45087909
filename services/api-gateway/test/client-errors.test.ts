// Errors that are their clients' own: one line of log each, below the level of a warning and without a stack, and a response that names
// what is wrong.
import { randomUUID } from 'node:crypto'

import { createApi, generateUpdates, waitFor } from '@push-server/testing'
import t from 'tap'
import { APP, CREATE, credentials, device, json, newToken, openGateway, SEND, sending } from './_gateway.ts'
import { startLogged, type Line } from './_logged-gateway.ts'
import { openRaw } from './_raw.ts'

t.setTimeout(120_000)
const { stack } = await openGateway()
t.teardown(() => stack.close())

const { lines, port, stop } = await startLogged(stack)
t.teardown(() => stop())
const api = createApi(`http://127.0.0.1:${port}`)

const linesOf = (id: string) => lines.filter(({ reqId }) => reqId === id)
const isLoud = ({ level, err }: Line) => level >= 40 || err !== undefined

const line = () =>
  `${JSON.stringify({ activationId: randomUUID(), userId: 'u', platform: 'ios', token: newToken() })}\n`
const IMPORT = `/push/device/import?appId=${APP}`
const BODIES = {
  'a body of JSON': { path: SEND, type: 'application/json', body: '{"requestObject":' },
  'an import that has just begun': { path: IMPORT, type: 'application/x-ndjson', body: line() },
  'an import that is under way': {
    path: IMPORT,
    type: 'application/x-ndjson',
    body: Array.from({ length: 12_000 }, line).join(''),
  },
}
const LENGTHS = {
  'Content-Length': (body: string) => [`Content-Length: ${Buffer.byteLength(body) + 100}`, body],
  'Transfer-Encoding': (body: string) => [
    'Transfer-Encoding: chunked',
    `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`,
  ],
} as const

for (const [name, { path, type, body }] of Object.entries(BODIES))
  for (const [length, framed] of Object.entries(LENGTHS))
    for (const manner of ['end', 'reset'] as const)
      t.test(`a client breaks off ${name} (${length}, ${manner})`, async (t) => {
        const id = randomUUID()
        const connection = await openRaw(port)
        const [header, content] = framed(body)
        const head = `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: ${type}\r\nX-Correlation-ID: ${id}\r\n${header}\r\n\r\n`
        await new Promise((resolve) => connection.socket.write(head + content, resolve))
        await waitFor('the request to be under way', async () =>
          /^push_requests_under_way\S* [1-9]/m.test((await api.get('/metrics')).body),
        )
        if (manner === 'reset') connection.socket.resetAndDestroy()
        else connection.socket.end()
        await waitFor('its line of log', () => linesOf(id).length > 0)
        await waitFor('its end', async () => /^push_requests_under_way\S* 0$/m.test((await api.get('/metrics')).body))
        t.same(linesOf(id).filter(isLoud), [], JSON.stringify(linesOf(id)))
        t.equal(linesOf(id).length, 1, 'one line')
        connection.socket.destroy()
      })

t.test('what is refused with 409 on purpose is no warning', async (t) => {
  const key = randomUUID()
  const ids = [randomUUID(), randomUUID()]
  for (const [index, title] of ['one', 'another'].entries()) {
    const headers = { 'idempotency-key': key, 'x-correlation-id': ids[index] ?? '' }
    const { status } = await api.call('POST', SEND, json({ requestObject: sending({ title }) }, headers))
    t.equal(status, index === 0 ? 200 : 409)
  }
  const [, id = ''] = ids
  await waitFor('its line of log', () => linesOf(id).length > 0)
  t.same(linesOf(id).filter(isLoud), [])
})

t.test('each error of JSON says what it is, and where', async (t) => {
  const sent = (body: string) => api.call('POST', CREATE, { body, headers: { 'content-type': 'application/json' } })
  const whole = JSON.stringify({ requestObject: device({}) })
  const withMember = (text: string) => whole.replace('{"requestObject":{', `{"requestObject":{${text},`)
  for (const [body, fieldName, hint] of [
    ['{"requestObject":{"a":1,}}', 'body', /^must be valid JSON/],
    ['{"requestObject":', 'body', /^must be valid JSON, and ends too early$/],
    ['{"requestObject":"a', 'body', /^must be valid JSON, and ends too early$/],
    [withMember('"__proto__":{"a":1}'), 'requestObject.__proto__', /^must not be a member of a request/],
    [
      withMember('"constructor":{"prototype":{"a":1}}'),
      'requestObject.constructor.prototype',
      /^must not be a member of a request/,
    ],
    [withMember('"a":[{"\\u005f_proto__":1}]'), 'requestObject.a[0].__proto__', /^must not be a member of a request/],
  ] as const) {
    const { status, body: received } = await sent(body)
    t.equal(status, 400, body)
    t.match(received.responseObject.violations, [{ fieldName, hint }], body)
  }
})

const BAD: Readonly<Record<string, string>> = { 'a line break': 'K\nEY', 'U+007F': 'KEY\u007f', 'a tab': '\tKEY' }

t.test('an error of credentials names the member that has it, on every platform', async (t) => {
  const [fcm, hms] = [generateUpdates.android(), generateUpdates.huawei()]
  const requests: Readonly<Record<string, object>> = {
    '/admin/app/apns': credentials({ appId: APP }),
    '/admin/app/ios/update': credentials({ appId: APP }),
    '/admin/app/fcm': { appId: APP, ...fcm },
    '/admin/app/android/update': { appId: APP, ...fcm },
    '/admin/app/hms': { appId: APP, ...hms },
    '/admin/app/huawei/update': { appId: APP, ...hms },
  }
  for (const [path, request] of Object.entries(requests))
    for (const member of Object.keys(request).filter((name) => !['appId', 'environment'].includes(name)))
      for (const [what, value] of Object.entries(BAD)) {
        const { status, body } = await api.post(path, { ...request, [member]: value })
        t.equal(status, 400, `${path} ${member}: ${what}`)
        t.match(
          body.responseObject.violations,
          [{ fieldName: `requestObject.${member}` }],
          `${path} ${member}: ${what}`,
        )
        t.notOk(JSON.stringify(body).includes(JSON.stringify(value).slice(1, -1)), 'the value is not repeated')
      }
})
