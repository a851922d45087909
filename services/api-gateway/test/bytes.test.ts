// Bytes that become text: what is accepted arrives as it was given, and what cannot be read is refused, never replaced.
import { once } from 'node:events'
import { connect } from 'node:net'
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { APP, CREATE, device, newToken, openGateway, SEND, sending } from './_gateway.ts'
import type { Response } from '@push-server/testing'
import { isOk, violates } from './_watched-api.ts'

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, changesNothing } = gateway

/** A body of exactly these bytes. */
async function postBytes(path: string, bytes: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  const sent = { 'content-type': 'application/json', ...headers }
  const response = await fetch(api.url + path, { method: 'POST', headers: sent, body: new Uint8Array(bytes) })
  return { status: response.status, headers: response.headers, body: await response.json() }
}
const wrapped = (object: unknown) => Buffer.from(JSON.stringify({ requestObject: object }))
/** With a byte beyond ASCII in place of `?`, as a client of Latin-1 sends it. */
const latin1 = (object: unknown) => Buffer.from(wrapped(object).toString().replace('?', '\u00e9'), 'latin1')

const usersOf = async (activationId: string) =>
  database.query<{ user: string }>('SELECT user_id AS "user" FROM devices WHERE activation_id = $1', [activationId])

t.test('a body that is not UTF-8 is refused, so that two users do not become one', async (t) => {
  await changesNothing(t, async () => {
    violates(
      t,
      await postBytes(CREATE, latin1(device({ userId: 'Andr?', activationId: randomUUID(), token: newToken() }))),
      ['body', /UTF-8/],
      'a user id',
    )
    violates(t, await postBytes(SEND, latin1(sending({ title: 'Sch?n' }))), ['body', /UTF-8/], 'a title')
    const disconnect = wrapped(sending({ title: 'é' })).subarray(0, -5)
    violates(
      t,
      await postBytes(SEND, Buffer.concat([disconnect, Buffer.from([0xc3])])),
      ['body', /UTF-8/],
      'half a character',
    )
    const encoded = Buffer.from('{"requestObject":{"appId":"\xed\xa0\x80"}}', 'latin1')
    violates(t, await postBytes('/admin/app/create', encoded), ['body', /UTF-8/], 'half a pair in bytes')
    const utf16 = Buffer.from(`\ufeff${wrapped(sending({})).toString()}`, 'utf16le')
    violates(t, await postBytes(SEND, utf16), ['body', /UTF-8/], 'UTF-16')
  })
})

t.test('what is accepted arrives as it was given', async (t) => {
  const users = [
    'André',
    'Andre\u0301',
    '\ufeffAndré',
    'Andr\ufffd',
    '安德烈',
    '😀',
    ' a ',
    '%E9',
    'a+b',
    '\u0007',
    '"\\/',
  ]
  for (const userId of users)
    for (const [how, text] of [
      ['as bytes', JSON.stringify(userId)],
      ['escaped', JSON.stringify(userId).replaceAll(/[\u0080-\uffff]/g, escaped)],
    ] as const) {
      const activationId = randomUUID()
      const body = JSON.stringify({ requestObject: device({ activationId, token: newToken(), userId: '?' }) })
      isOk(t, await postBytes(CREATE, Buffer.from(body.replace('"?"', () => text))), `${userId} ${how}`)
      t.same(await usersOf(activationId), [{ user: userId }], `${JSON.stringify(userId)} ${how}`)
      const query = new URLSearchParams({ appId: APP, userId }).toString()
      const { body: list } = await api.get(`/push/device/list?${query}`)
      t.equal(list.responseObject.userId, userId, `${JSON.stringify(userId)} in a query`)
    }
  const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), wrapped({ ...sending({}), mode: 'ASYNCHRONOUS' })])
  isOk(t, await postBytes(SEND, marked), 'a byte order mark is no part of the text')
})

const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`

t.test('texts that cannot be kept are refused by field', async (t) => {
  const body = (escape: string) =>
    Buffer.from(`{"requestObject":{"appId":"${APP}","message":{"userId":"a${escape}","body":{}}}}`)
  await changesNothing(t, async () => {
    for (const escape of ['\\ud800', '\\udc00', '\\udc00\\ud800', '\\u0000', '\\uD83D'])
      violates(t, await postBytes(SEND, body(escape)), ['requestObject.message.userId', /well-formed/], escape)
    violates(t, await postBytes(SEND, body('\0')), ['body', /JSON/], 'U+0000 in its own byte')
  })
  isOk(t, await postBytes(SEND, body('\\ud83d\\ude00')), 'a whole pair')
})

t.test('another charset and a Content-Encoding are refused with 415', async (t) => {
  const refused = (message: RegExp) => [415, { status: 'ERROR', responseObject: { code: 'ERROR_REQUEST', message } }]
  const json = wrapped({ ...sending({}), mode: 'ASYNCHRONOUS' })
  const line = Buffer.from(JSON.stringify({ userId: 'u', activationId: randomUUID(), platform: 'ios', token: 'aabb' }))
  for (const [path, type, body] of [
    [SEND, 'application/json', json],
    [`/push/device/import?appId=${APP}`, 'application/x-ndjson', line],
  ] as const) {
    for (const charset of ['iso-8859-1', '"windows-1250"', 'UTF-16', 'us-ascii']) {
      const { status, body: response } = await postBytes(path, body, { 'content-type': `${type}; charset=${charset}` })
      t.match([status, response], refused(/charset.*UTF-8/), `${type} ${charset}`)
    }
    for (const encoding of ['gzip', 'br', 'identity, deflate', 'nonsense']) {
      const { status, body: response } = await postBytes(path, body, {
        'content-type': type,
        'content-encoding': encoding,
      })
      t.match([status, response], refused(/Content-Encoding/), `${type} ${encoding}`)
    }
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8'])
      isOk(t, await postBytes(path, body, { 'content-type': `${type};charset=${charset}` }), `${type} ${charset}`)
    isOk(t, await postBytes(path, body, { 'content-type': type, 'content-encoding': 'Identity' }), `${type} as it is`)
  }
})

t.test('a query that cannot be decoded is refused by the name of its parameter', async (t) => {
  const list = `/push/device/list?appId=${APP}&userId=`
  for (const value of ['Andr%E9', 'Andr%', 'Andr%4', 'Andr%zz', '%C3', '%ED%A0%80', '%FF%FE', '%C0%80'])
    violates(t, await api.get(list + value), ['userId', /UTF-8, properly percent-encoded/], value)
  violates(t, await api.get(`${list}a&%E9=1`), ['query', /percent-encoded/], 'the name itself')
  violates(t, await api.get(`${list}a%00`), ['userId', /U\+0000/], 'U+0000')
  violates(
    t,
    await api.call('DELETE', `/push/device/remove?appId=${APP}&token=%E9`),
    ['token', /percent-encoded/],
    'DELETE',
  )
  violates(t, await api.get('/push/campaign/%E9/detail'), ['path', /percent-encoded/], 'a path')
  isOk(t, await api.get(`${list}Andr%C3%A9`), 'as UTF-8')
})

t.test('bytes beyond ASCII in the target of a request are refused', async (t) => {
  const { hostname, port } = new URL(api.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const head = `GET /push/device/list?appId=${APP}&userId=André HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`
  socket.write(head)
  let response = ''
  socket.setEncoding('utf8').on('data', (text: string) => (response += text))
  await once(socket, 'close')
  t.match(response, /^HTTP\/1\.1 400 /)
  t.notMatch(response, /"status":"OK"/)
})

t.test('lines that are not UTF-8 are bad lines by their number', async (t) => {
  const line = (userId: string) =>
    `${JSON.stringify({ userId, activationId: randomUUID(), platform: 'ios', token: newToken() })}\n`
  const body = Buffer.concat(
    [line('good'), line('Andr\u00e9'), line('good too')].map((text) => Buffer.from(text, 'latin1')),
  )
  const { status, body: response } = await postBytes(`/push/device/import?appId=${APP}&partial=true`, body, {
    'content-type': 'application/x-ndjson',
  })
  t.match([status, response.responseObject], [200, { imported: 2, failed: 1 }])
  t.same(response.responseObject.errors, [{ line: 2, fieldName: 'line', hint: 'must be UTF-8' }])
  t.same(
    await database.query(
      "SELECT 1 FROM devices WHERE user_id LIKE 'Andr%' AND user_id !~ '^(André|Andre\u0301|Andr\ufffd)$'",
    ),
    [],
  )
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))
