// Invalid requests: which field, what is wrong with it, and that nothing comes of them.
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import t from 'tap'
import { generateApnsKey } from '@push-server/testing'
import {
  APP,
  base64,
  BATCH,
  BODY_LIMIT,
  CREATE,
  credentials,
  device,
  message,
  openGateway,
  SEND,
  sending,
  UPDATE,
} from './_gateway.ts'
import { isOk, violates } from './_watched-api.ts'

const OBJECT = 'requestObject'

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, makeApplication, changesNothing } = gateway
const { call, post } = api

t.test('ERROR_REQUEST: field and hint of everything that has a wrong form', async (t) => {
  const cases: [path: string, object: unknown, field: string, hint: RegExp][] = [
    [SEND, 'text', OBJECT, /object/],
    [SEND, [], OBJECT, /object/],
    [SEND, 5, OBJECT, /object/],
    ['/admin/app/create', { appId: {} }, `${OBJECT}.appId`, /string/],
    ['/admin/app/create', { appId: [] }, `${OBJECT}.appId`, /string/],
    ['/admin/app/create', { appId: '' }, `${OBJECT}.appId`, /empty/],
    ['/admin/app/create', { appId: 'x'.repeat(256) }, `${OBJECT}.appId`, /at most 255/],
    ['/admin/app/detail', { appId: APP, includeIos: 'perhaps' }, `${OBJECT}.includeIos`, /boolean/],
    [CREATE, device({ platform: 'windows' }), `${OBJECT}.platform`, /one of ios, android, huawei, apns, fcm, hms/],
    [CREATE, device({ platform: {} }), `${OBJECT}.platform`, /string/],
    [CREATE, device({ environment: 'staging' }), `${OBJECT}.environment`, /one of development, production/],
    [CREATE, device({ activationStatus: 'active' }), `${OBJECT}.activationStatus`, /one of CREATED, .*REMOVED/],
    [CREATE, device({ activationId: 'x'.repeat(38) }), `${OBJECT}.activationId`, /at most 37/],
    [CREATE, device({ activationId: '' }), `${OBJECT}.activationId`, /blank/],
    [CREATE, device({ userId: 'x'.repeat(256) }), `${OBJECT}.userId`, /at most 255/],
    [CREATE, device({ userId: '' }), `${OBJECT}.userId`, /blank/],
    [CREATE, device({ platform: 'android', token: 'x'.repeat(1025) }), `${OBJECT}.token`, /at most 1024/],
    [CREATE, device({ token: ['aa'] }), `${OBJECT}.token`, /string/],
    [CREATE, device({ token: 'no hexadecimal' }), `${OBJECT}.token`, /hexadecimal/],
    [CREATE, device({ platform: 'APNS', token: 'xyz' }), `${OBJECT}.token`, /hexadecimal/],
    ['/push/device/remove', { appId: APP, token: 'x'.repeat(1025) }, `${OBJECT}.token`, /at most 1024/],
    [UPDATE, { appId: APP, ...credentials({ bundle: 'x'.repeat(256) }) }, `${OBJECT}.bundle`, /at most 255/],
    [UPDATE, { appId: APP, ...credentials({ bundle: 'with blank' }) }, `${OBJECT}.bundle`, /blank/],
    [
      UPDATE,
      { appId: APP, ...credentials({ environment: 'staging' }) },
      `${OBJECT}.environment`,
      /one of development, production/,
    ],
    [SEND, sending({}, { priority: 'LOW' }), `${OBJECT}.message.priority`, /one of NORMAL, HIGH/],
    [SEND, sending({}, { priority: 'high' }), `${OBJECT}.message.priority`, /one of NORMAL, HIGH/],
    [SEND, { ...sending({}), mode: 'synchronous' }, `${OBJECT}.mode`, /one of SYNCHRONOUS, ASYNCHRONOUS/],
    [SEND, { ...sending({}), mode: 'NO_RESPONSE' }, `${OBJECT}.mode`, /one of SYNCHRONOUS, ASYNCHRONOUS/],
    [SEND, { appId: APP, message: 'text' }, `${OBJECT}.message`, /object/],
    [SEND, { appId: APP, message: { userId: 'u', body: 'text' } }, `${OBJECT}.message.body`, /object/],
    [SEND, sending({}, { userId: 'x'.repeat(256) }), `${OBJECT}.message.userId`, /at most 255/],
    [SEND, sending({}, { userId: ['u'] }), `${OBJECT}.message.userId`, /string/],
    [SEND, sending({}, { activationId: 'x'.repeat(38) }), `${OBJECT}.message.activationId`, /at most 37/],
    [SEND, sending({}, { attributes: { silent: 'yes' } }), `${OBJECT}.message.attributes.silent`, /boolean/],
    [SEND, sending({}, { attributes: 'silent' }), `${OBJECT}.message.attributes`, /object/],
    [SEND, sending({ badge: 1.5 }), `${OBJECT}.message.body.badge`, /integer/],
    [SEND, sending({ badge: 'three' }), `${OBJECT}.message.body.badge`, /integer/],
    [SEND, sending({ badge: 2 ** 31 }), `${OBJECT}.message.body.badge`, /2147483647/],
    [SEND, sending({ title: { text: 'x' } }), `${OBJECT}.message.body.title`, /string/],
    [SEND, sending({ titleLocArgs: 'single' }), `${OBJECT}.message.body.titleLocArgs`, /array/],
    [SEND, sending({ titleLocArgs: ['a', {}] }), `${OBJECT}.message.body.titleLocArgs[1]`, /string/],
    [SEND, sending({ extras: [] }), `${OBJECT}.message.body.extras`, /object/],
    [SEND, sending({ validUntil: 'tomorrow' }), `${OBJECT}.message.body.validUntil`, /ISO 8601/],
    [SEND, sending({ validUntil: '2026-12-11T21:22:29' }), `${OBJECT}.message.body.validUntil`, /offset/],
    [SEND, sending({ validUntil: true }), `${OBJECT}.message.body.validUntil`, /string|number/],
    [SEND, sending({ body: 'x'.repeat(4_096) }), `${OBJECT}.message.body`, /ios has 4\d\d\d bytes, the limit is 4096/],
    [SEND, sending({ body: 'é'.repeat(2_048) }), `${OBJECT}.message.body`, /ios has 4\d\d\d bytes/],
    [
      SEND,
      sending({ collapseKey: 'x'.repeat(65) }),
      `${OBJECT}.message.body.collapseKey`,
      /ios has 65 bytes, the limit is 64/,
    ],
    [SEND, sending({ collapseKey: 'é'.repeat(33) }), `${OBJECT}.message.body.collapseKey`, /ios has 66 bytes/],
    [SEND, sending({ extras: { aps: {} } }), `${OBJECT}.message.body.extras`, /ios .*aps/],
    [BATCH, { appId: APP, batch: {} }, `${OBJECT}.batch`, /array/],
    [BATCH, { appId: APP, batch: [message(), 'text'] }, `${OBJECT}.batch[1]`, /object/],
    [
      BATCH,
      { appId: APP, batch: [message(), message({ body: { badge: [] } })] },
      `${OBJECT}.batch[1].body.badge`,
      /integer/,
    ],
    [
      BATCH,
      { appId: APP, batch: [message(), message({ body: { validUntil: 'x' } })] },
      `${OBJECT}.batch[1].body.validUntil`,
      /ISO/,
    ],
    [
      BATCH,
      { appId: APP, batch: [message(), message({ body: { extras: { aps: 1 } } })] },
      `${OBJECT}.batch[1].body.extras`,
      /aps/,
    ],
  ]
  await changesNothing(t, async () => {
    for (const [path, object, field, hint] of cases)
      violates(t, await post(path, object), [field, hint], `${path} ${field} ${JSON.stringify(object).slice(0, 120)}`)
  })
  isOk(t, await post(SEND, { ...sending({ collapseKey: 'x'.repeat(64) }), mode: 'ASYNCHRONOUS' }), 'at the limit')
  const bare = await makeApplication()
  isOk(
    t,
    await post(SEND, { ...sending({ extras: { aps: 1 } }), appId: bare }),
    'limits of platforms without credentials do not count',
  )
})

t.test('ERROR_REQUEST: several errors at once, at most 20', async (t) => {
  const { body } = await post(SEND, sending({ badge: 'x', title: [], extras: 5 }, { priority: 'LOW' }))
  const fields = body.responseObject.violations.map(({ fieldName }: { fieldName: string }) => fieldName)
  t.same(
    fields.toSorted(),
    ['message.body.badge', 'message.body.extras', 'message.body.title', 'message.priority'].map(
      (field) => `${OBJECT}.${field}`,
    ),
  )
  const many = await post(SEND, sending({ titleLocArgs: Array.from({ length: 50 }, () => ({})) }))
  t.equal(many.body.responseObject.violations.length, 20)
})

/** A key of the reference server's own tests is like this. */
function withForeignPoint(pem: string): string {
  const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
  return `-----BEGIN PRIVATE KEY-----\n${der.toString('base64')}\n-----END PRIVATE KEY-----\n`
}

t.test('ERROR_REQUEST: APNs keys that cannot sign, without a word of them', async (t) => {
  const pem = (key: KeyObject, type: 'pkcs8' | 'sec1' = 'pkcs8') =>
    base64(key.export({ type, format: 'pem' }).toString())
  const curve = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey
  const locked = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
  const whole = credentials().privateKeyBase64
  const cases: [name: string, privateKeyBase64: string, hint: RegExp][] = [
    ['not base64', 'hunter2!', /base64/],
    ['base64 with line breaks', `${whole.slice(0, 64)}\n${whole.slice(64)}`, /base64/],
    ['padding in the middle', 'aGk=aGk=', /base64/],
    ['no PEM', base64('hunter2'), /PEM/],
    ['P-384', pem(curve('P-384')), /P-256/],
    ['secp256k1', pem(curve('secp256k1')), /P-256/],
    ['SEC1', pem(curve('P-256'), 'sec1'), /PKCS#8/],
    ['RSA', pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey), /elliptic/],
    ['Ed25519', pem(generateKeyPairSync('ed25519').privateKey), /elliptic/],
    ['encrypted', base64(locked), /PKCS#8/],
    ['truncated', base64(generateApnsKey().slice(0, 100)), /PEM|damaged/],
    [
      'a public part of no key',
      base64(withForeignPoint(generateApnsKey())),
      /public part does not belong to its private part/,
    ],
  ]
  const before = await database.query('SELECT version FROM credentials ORDER BY version')
  for (const [name, privateKeyBase64, hint] of cases) {
    const response = await post(UPDATE, { appId: APP, ...credentials({ privateKeyBase64 }) })
    violates(t, response, [`${OBJECT}.privateKeyBase64`, hint], name)
    const text = JSON.stringify(response.body)
    t.notOk(text.includes(privateKeyBase64) || /hunter2/.test(text), `${name} is not in the response`)
  }
  t.same(await database.query('SELECT version FROM credentials ORDER BY version'), before)
})

t.test('ERROR_REQUEST: texts that the database cannot keep', async (t) => {
  const cases: [path: string, object: object][] = [
    ['/admin/app/create', { appId: 'a\0b' }],
    ['/admin/app/detail', { appId: 'a\0b' }],
    [CREATE, device({ platform: 'android', token: 'a\0b', activationId: randomUUID() })],
    [CREATE, device({ activationId: 'a\0b' })],
    [CREATE, device({ activationId: randomUUID(), userId: 'a\0b' })],
    ['/push/device/remove', { appId: APP, token: 'a\0b' }],
    [SEND, sending({}, { userId: 'a\0b' })],
    [SEND, sending({ title: 'a\0b' })],
    [SEND, sending({ extras: { deep: ['a\0b'] } })],
    [SEND, sending({ extras: { 'a\0b': 1 } })],
    [SEND, sending({ title: 'half a pair: \ud83d' })],
  ]
  await changesNothing(t, async () => {
    for (const [path, object] of cases) {
      const { status, body } = await post(path, object)
      t.match([status, body], [400, { responseObject: { code: 'ERROR_REQUEST' } }], `${path} ${JSON.stringify(object)}`)
    }
  })
  isOk(t, await post(SEND, sending({ title: 'a whole pair: 😀' })), 'anything else goes through')
})

t.test('bodies that are no requests', async (t) => {
  const raw = (body: string, type: string | undefined = 'application/json') =>
    call('POST', SEND, { body, headers: type === undefined ? {} : { 'content-type': type } })
  for (const body of ['{"requestObject":', '{]', 'nonsense', '{"requestObject":{}}}', "{'a':1}"])
    violates(t, await raw(body), ['body', /JSON/], `malformed: ${body}`)
  for (const body of ['null', '[]', '"text"', '5', 'true', ''])
    violates(t, await raw(body), ['body', /object/], `no object: ${body}`)
  violates(t, await call('POST', SEND), ['body', /object/], 'neither body nor content type')
  violates(t, await raw('{"__proto__":{"a":1}}'), ['__proto__', /prototype/], 'a prototype')

  const valid = JSON.stringify({ requestObject: sending({}) })
  for (const type of [
    'text/plain',
    'text/xml',
    'application/x-www-form-urlencoded',
    'application/octet-stream',
    'nonsense',
  ]) {
    const { status, body } = await raw(valid, type)
    t.match(
      [status, body],
      [415, { status: 'ERROR', responseObject: { code: 'ERROR_REQUEST', message: /application\/json/ } }],
      type,
    )
  }
  isOk(t, await raw(valid, 'application/json; charset=utf-8'), 'with a charset')
  isOk(t, await raw(valid, 'Application/JSON'), 'in any case')
})

t.test('bodies: up to the limit and over it', async (t) => {
  const filled = (bytes: number) => {
    const empty = JSON.stringify({ requestObject: { ...sending({}), padding: '' } })
    return empty.replace('"padding":""', `"padding":"${'x'.repeat(bytes - empty.length)}"`)
  }
  const send = (bytes: number) =>
    call('POST', SEND, { body: filled(bytes), headers: { 'content-type': 'application/json' } })
  isOk(t, await send(BODY_LIMIT), 'at the limit')
  const { status, body } = await send(BODY_LIMIT + 1)
  t.match(
    [status, body],
    [413, { status: 'ERROR', responseObject: { code: 'ERROR_TOO_LARGE', message: /65536 bytes/ } }],
  )
})

t.test('a body full of errors is refused in no time', async (t) => {
  const titleLocArgs = Array.from({ length: 20_000 }, () => [])
  const times: number[] = []
  // The fastest of several shows it, whatever else the machine is busy with.
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    const { status, body } = await post(SEND, sending({ titleLocArgs }))
    times.push(performance.now() - start)
    t.equal(status, 400)
    t.equal(body.responseObject.violations.length, 20)
  }
  t.ok(Math.min(...times) < 1_000, `${times.map(Math.round).join(', ')} ms`)
})

t.test('no response disclosed anything internal, and each had an id', async (t) => {
  t.same(api.leaks, [])
})
