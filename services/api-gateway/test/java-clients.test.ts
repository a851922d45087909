// What clients in Java send in a format of their own: truth values and numbers as texts, repeated parameters, explicit nulls.
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { openTestStack } from '@push-server/testing'
import { APP, openGateway, SEND } from './_gateway.ts'

const { api, stack, database } = await openGateway()
t.teardown(() => stack.close())

/** With half a second, in the seconds before it and in full. */
const SOON = Math.floor(Date.now() / 1000) + 3_600
const SOON_TEXT = new Date(SOON * 1000 + 500).toISOString()

/** Whoever calls this one logs in. */
const KEY = `java.${randomBytes(32).toString('hex')}`
const BASIC = { authorization: `Basic ${Buffer.from(KEY.replace('.', ':')).toString('base64')}` }
const secured = await openTestStack({
  services: ['gateway'],
  powerAuth: true,
  environment: { API_KEY_BOOTSTRAP: KEY, SYNC_TIMEOUT: '200ms' },
})
t.teardown(() => secured.close())
await secured.configure(APP)
secured.simulator.powerAuth.addActivation({ activationId: 'registered', userId: 'u', applicationId: APP })

const validUntilOf = async (id: string) => {
  const [row] = await database.query<{ seconds: number | null }>(
    'SELECT extract(epoch FROM valid_until)::float8 AS seconds FROM messages WHERE id = $1',
    [id],
  )
  return row?.seconds ?? null
}
const send = (message: object) =>
  api.post(SEND, { appId: APP, mode: 'ASYNCHRONOUS', message: { userId: 'u', ...message } })

t.test('truth values as texts', async (t) => {
  const attributes = { silent: 'true', personal: 'false' }
  const { status, body } = await send({ body: { title: 'Hello' }, attributes })
  t.equal(status, 200)
  const [row] = await database.query<object>('SELECT silent, personal FROM messages WHERE id = $1', [
    body.responseObject.messageIds[0],
  ])
  t.same(row, { silent: true, personal: false })
  const detail = await api.post('/admin/app/detail', { appId: APP, includeApns: 'true', includeIos: 'false' })
  t.ok(detail.body.responseObject.apnsBundle)
  for (const silent of ['TRUE', 'yes', '1', ''])
    t.equal((await send({ body: { title: 'Hello' }, attributes: { silent } })).status, 400, silent)
})

t.test('validUntil in every format of theirs', async (t) => {
  const times: [given: unknown, seconds: number | null][] = [
    ['', null],
    [null, null],
    [String(SOON), SOON],
    [`${SOON}.500000000`, SOON + 0.5],
    [SOON + 0.25, SOON + 0.25],
    [new Date(SOON * 1000).toISOString(), SOON],
  ]
  for (const [validUntil, seconds] of times) {
    const { status, body } = await send({ body: { title: 'Hello', validUntil } })
    t.equal(status, 200, String(validUntil))
    t.equal(await validUntilOf(body.responseObject.messageIds[0]), seconds, String(validUntil))
  }
  for (const validUntil of ['100000000000', '-5', '1e9', ' 5', 'soon'])
    t.match((await send({ body: { title: 'Hello', validUntil } })).body.responseObject.violations, [
      { fieldName: 'requestObject.message.body.validUntil' },
    ])
  t.equal((await send({ body: { title: 'Hello', badge: 3.7 } })).status, 400, 'what would be cut off is refused')
})

t.test('empty ids get the text that a Java client parses, in every form', async (t) => {
  const device = { appId: '', platform: 'ios', token: 'aa'.repeat(32), activationId: 'a', userId: 'u' }
  const refusals: [method: string, path: string, object: unknown, code: string, message: string][] = [
    ['POST', '/push/device/create', device, 'ERROR_GENERIC', 'Application with given ID does not exist'],
    [
      'POST',
      '/push/device/create/multi',
      { ...device, activationIds: ['a'] },
      'ERROR_GENERIC',
      'Application with given ID does not exist',
    ],
    [
      'POST',
      SEND,
      { appId: '', message: { userId: 'u', body: { title: 'x' } } },
      'ERROR_GENERIC',
      'AppCredentials not found: ',
    ],
    [
      'POST',
      '/push/campaign/create',
      { appId: '', message: { title: 'x' } },
      'ERROR_GENERIC',
      'Application with a provided PowerAuth app ID does not exist: ',
    ],
    [
      'DELETE',
      '/admin/app/apns?appId=',
      undefined,
      'ERROR_GENERIC',
      'Application credentials with entered ID:  does not exist',
    ],
    ['GET', '/inbox/messages/detail?id=', undefined, 'ERROR_MESSAGE_NOT_FOUND', 'Unable to fetch message: .'],
    ['GET', '/push/campaign/-1/detail', undefined, 'ERROR_GENERIC', 'Campaign with entered ID does not exist'],
    ['POST', '/push/campaign/send/live/-1', {}, 'ERROR_GENERIC', 'Campaign with entered ID does not exist'],
  ]
  for (const form of ['1.9', '1.10', 'all'])
    for (const [method, path, object, code, message] of refusals) {
      const response = await fetch(`${stack.api.url}${path}`, {
        method,
        headers: {
          'x-push-compatibility': form,
          ...(object !== undefined && { 'content-type': 'application/json' }),
        },
        ...(object !== undefined && { body: JSON.stringify({ requestObject: object }) }),
      })
      t.equal(response.status, 400)
      t.same(await response.json(), { status: 'ERROR', responseObject: { code, message } }, `${form}: ${path}`)
    }
})

t.test('a parameter that is repeated is a list', async (t) => {
  await api.post('/admin/app/create', { appId: 'second' })
  const inbox = { userId: 'u', subject: 'A subject', summary: 'A summary', body: 'A body', type: 'text' }
  for (const appId of [APP, 'second']) await api.post('/inbox/messages', { ...inbox, applications: [appId] })
  const listed = await api.get(`/inbox/messages/list?userId=u&applications=${APP}&applications=second`)
  t.equal(listed.status, 200)
  t.equal(listed.body.responseObject.length, 2)
})

/** Requests as releases of the Java client put them on the wire, byte for byte but for ids and times. */
const NOTHING = { titleLocKey: null, titleLocArgs: null, body: null, bodyLocKey: null, bodyLocArgs: null, icon: null }
const NOTHING_MORE = { badge: null, sound: null, category: null, collapseKey: null }
const bodyWith = (validUntil: string) =>
  `{"title":"x",${inside(NOTHING)},${inside(NOTHING_MORE)},"validUntil":${validUntil},"extras":null}`
const inside = (members: object) => JSON.stringify(members).slice(1, -1)

interface Wire {
  client: string
  base: string
  headers: Record<string, string>
  platform: string
  /** Of a device that is registered, beside what every version sends. */
  device: string
  /** SOON, as this version writes it. */
  time: string
  /** What responses name the platforms. */
  flags: string
  settings: string
}

const WIRES: readonly Wire[] = [
  {
    client: '1.7.0',
    base: '',
    headers: { 'x-push-compatibility': '1.9' },
    platform: 'ios',
    device: '',
    time: `${SOON}.500000000`,
    flags: '"includeIos":true,"includeAndroid":false,"includeHuawei":false',
    settings: 'iosBundle',
  },
  {
    client: '1.10.0',
    base: '/powerauth-push-server',
    headers: {},
    platform: 'apns',
    device: ',"environment":null,"activationStatus":null,"userId":null',
    time: `${SOON}.500000000`,
    flags: '"includeApns":true,"includeFcm":false,"includeHms":false',
    settings: 'apnsBundle',
  },
  {
    client: '2.2.0',
    base: '/powerauth-push-server',
    headers: {},
    platform: 'apns',
    device: ',"environment":"production","activationStatus":"ACTIVE","userId":"u"',
    time: JSON.stringify(SOON_TEXT),
    flags: '"includeApns":true,"includeFcm":false,"includeHms":false',
    settings: 'apnsBundle',
  },
]

for (const { client, base, headers, platform, device, time, flags, settings } of WIRES)
  t.test(`requests of the Java client ${client}, logged in by HTTP Basic`, async (t) => {
    const call = async (method: string, path: string, body?: string) => {
      const response = await fetch(secured.api.url + base + path, {
        method,
        headers: {
          ...BASIC,
          ...headers,
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          traceparent: '00-00000000000000000000000000000000-0000000000000000-00',
        },
        body: body ?? null,
      })
      const { status, headers: received } = response
      return { status, headers: received, body: JSON.parse(await response.text()) }
    }
    const post = (path: string, requestObject: string) => call('POST', path, `{"requestObject":${requestObject}}`)
    const ok = { status: 200, body: { status: 'OK' } }

    const registered = `{"appId":"${APP}","token":"${'dd'.repeat(32)}","platform":"${platform}","activationId":"registered"${device}}`
    t.match(await post('/push/device/create', registered), ok)
    t.match(
      await call('POST', '/push/device/status/update', '{"activationId":"registered","activationStatus":null}'),
      ok,
    )

    const message = `{"userId":"u","activationId":null,"priority":"HIGH","attributes":{"silent":false,"personal":false},"body":${bodyWith(time)}}`
    const sent = await post('/push/message/send', `{"appId":"${APP}","mode":"SYNCHRONOUS","message":${message}}`)
    t.match(sent, ok)
    const [id] = sent.headers.get('x-message-ids')?.split(',') ?? []
    const rows = await secured.database.query(
      'SELECT extract(epoch FROM valid_until)::float8 AS seconds, priority, silent, personal, body FROM messages WHERE id = $1',
      [id],
    )
    const understood = { priority: 'HIGH', silent: false, personal: false, body: { title: 'x' } }
    t.match(rows, [{ seconds: SOON + 0.5, ...understood }], 'understood')
    t.match(await post('/push/message/batch/send', `{"appId":"${APP}","mode":"ASYNCHRONOUS","batch":[${message}]}`), ok)

    const created = await post('/push/campaign/create', `{"appId":"${APP}","message":${bodyWith(time)}}`)
    const campaign = created.body.responseObject.id
    const detail = await call('GET', `/push/campaign/${campaign}/detail`)
    const kept = { title: 'x', validUntil: SOON_TEXT }
    t.same(
      detail.body.responseObject,
      { id: campaign, appId: APP, sent: false, message: kept },
      'what is null stays out',
    )
    t.match(await call('PUT', `/push/campaign/${campaign}/user/add`, '{"requestObject":["u"]}'), ok)
    t.match(await call('POST', `/push/campaign/send/live/${campaign}`, ''), ok, 'JSON, and no bytes of it')
    const other = await post('/push/campaign/create', `{"appId":"${APP}","message":${bodyWith('null')}}`)
    t.match(await call('POST', `/push/campaign/${other.body.responseObject.id}/delete`, ''), ok)

    const shown = await post('/admin/app/detail', `{"appId":"${APP}",${flags}}`)
    t.ok(shown.body.responseObject[settings], settings)
    t.match(await call('GET', `/inbox/messages/list?page=0&size=100&userId=u&applications=${APP}&onlyUnread=true`), ok)
  })
