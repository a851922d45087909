// Devices over HTTP with the local registry of activations: several activations of one device, their status, lists, imports.
// Named after the conformance items where one fits.
import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { ImportedDevice } from '@push-server/contract'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import { openTestStack, waitFor } from '@push-server/testing'
import { ndjson, readNdjson } from '../src/ndjson/ndjson.ts'
import { APP, census, json, newToken } from './_gateway.ts'
import { isOk, refusedWith, violates, watch } from './_watched-api.ts'

const MULTI = '/push/device/create/multi'
const STATUS = '/push/device/status/update'
const IMPORT = '/push/device/import'
const IMPORT_LIMIT = 4_000_000
const FAILED = 'Device registration failed'
const NOT_ACTIVE = 'Device registration failed because associated activation is not ACTIVE'
const SHARED =
  'Multiple device registrations found for push token. Use the /push/device/create/multi endpoint for this scenario.'

const stack = await openTestStack({ services: ['gateway'], environment: { IMPORT_LIMIT: String(IMPORT_LIMIT) } })
t.teardown(stack.close)
await stack.configure()
const { database } = stack
const api = watch(stack.api.url)
const { call, get, post } = api

interface Row {
  id: string
  activation: string
  user: string
  token: string
  active: boolean
  environment: string | null
  app: string
}

const rowsOf = (activationIds: string[], token = '') =>
  database.query<Row>(
    `SELECT d.id, activation_id AS activation, user_id AS "user", token, active, environment, a.app_id AS app
     FROM devices d JOIN applications a ON a.id = d.application_id
     WHERE activation_id = ANY($1) OR token = $2 ORDER BY activation_id`,
    [activationIds, token],
  )

/** Activations in the order of their names, so that rows come in it too. */
const newActivations = (count: number) => Array.from({ length: count }, () => randomUUID()).toSorted()
const multi = (activationIds: unknown, more: object = {}) =>
  post(MULTI, { appId: APP, platform: 'ios', token: newToken(), userId: 'owner', activationIds, ...more })
const single = (activationId: string, more: object = {}) =>
  post('/push/device/create', {
    appId: APP,
    platform: 'ios',
    token: newToken(),
    userId: 'owner',
    activationId,
    ...more,
  })

async function changesNothing(t: Test, work: () => Promise<unknown>) {
  const read = async () => [
    await census(database),
    await database.query('SELECT * FROM devices ORDER BY id'),
    await database.query('SELECT activation_id, user_id, status FROM activations ORDER BY 1'),
  ]
  const before = await read()
  await work()
  t.same(await read(), before, 'nothing is changed')
}

t.test('C-15 flag off beats bad body', async (t) => {
  const other = await openTestStack({
    services: ['gateway'],
    environment: { REGISTRATION_MULTIPLE_ACTIVATIONS_ENABLED: 'false' },
  })
  t.teardown(other.close)
  const text = 'Registration of multiple associated activations per device is not enabled.'
  for (const body of ['{"requestObject":null}', '{}', 'null', '{"requestObject":{"appId":"nowhere"}}', 'no JSON']) {
    const response = await watch(other.api.url).call('POST', MULTI, {
      body,
      headers: { 'content-type': 'application/json' },
    })
    refusedWith(t, response, text, body)
  }
})

t.test('C-16 multi: refusals in their order, null and empty lists apart', async (t) => {
  const nowhere = { appId: 'nowhere', activationIds: ['x'] }
  const steps: [object: unknown, message: string][] = [
    [null, 'Request object must not be empty'],
    [{}, 'App ID must not be null.'],
    [{ appId: null, activationIds: null }, 'App ID must not be null.'],
    [{ appId: 'nowhere', activationIds: null }, 'Activation ID list must not be null.'],
    [{ appId: 'nowhere' }, 'Activation ID list must not empty.'],
    [{ appId: 'nowhere', activationIds: [] }, 'Activation ID list must not empty.'],
    [nowhere, 'Platform must not be null.'],
    [
      { ...nowhere, platform: 'fcm', environment: 'production' },
      'Environment specified for a platform that does not support environment setting.',
    ],
    [
      { ...nowhere, platform: 'Huawei', environment: 'production' },
      'Environment specified for a platform that does not support environment setting.',
    ],
    [{ ...nowhere, platform: 'ios', environment: 'production' }, 'Push token must not be null or empty.'],
    [{ ...nowhere, platform: 'apns', environment: null, token: '' }, 'Push token must not be null or empty.'],
    [{ ...nowhere, platform: 'ios', token: 'no hex' }, 'Application with given ID does not exist'],
    [{ ...nowhere, appId: APP, platform: 'ios', token: 'aabb' }, FAILED],
  ]
  await changesNothing(t, async () => {
    for (const [object, message] of steps)
      refusedWith(t, await post(MULTI, object), message, `${JSON.stringify(object)}: ${message}`)
    refusedWith(t, await call('POST', MULTI, json({})), 'Request object must not be empty')
    for (const [object, field, hint] of [
      [{ activationIds: 'x' }, 'requestObject.activationIds', /array/],
      [{ activationIds: [''] }, 'requestObject.activationIds[0]', /blank/],
      [{ activationIds: ['x', 'y'.repeat(38)] }, 'requestObject.activationIds[1]', /at most 37/],
      [{ activationIds: ['x', null] }, 'requestObject.activationIds[1]', /string/],
      [{ token: 'no hex' }, 'requestObject.token', /hexadecimal/],
      [{ platform: 'windows' }, 'requestObject.platform', /one of/],
    ] as const)
      violates(t, await multi(['x'], object), [field, hint], JSON.stringify(object))
  })
})

t.test('C-17 multi: one activation named twice makes one row', async (t) => {
  const [a = '', b = ''] = newActivations(2)
  isOk(t, await multi([a, b, a, a], { environment: 'Production' }), 'registered')
  t.match(await rowsOf([a, b]), [
    { activation: a, user: 'owner', active: true, environment: 'production', app: APP },
    { activation: b, user: 'owner' },
  ])
})

t.test('C-18 multi: the same again, or with a new token, keeps the rows', async (t) => {
  const ids = newActivations(3)
  const [first, second] = [newToken(), newToken()]
  await multi(ids, { token: first })
  const before = await rowsOf(ids)
  t.equal(before.length, 3)
  isOk(t, await multi(ids.toReversed(), { token: first }), 'again, in another order')
  t.same(await rowsOf(ids), before)
  isOk(t, await multi(ids, { token: second, userId: undefined }), 'with a new token')
  t.same(
    await rowsOf(ids),
    before.map((row) => ({ ...row, token: second })),
  )
  t.same(await rowsOf([], first), [], 'the old token has none')
})

t.test('C-19 multi: others on the token make way, and known ones stay', async (t) => {
  const token = newToken()
  const [a = '', b = '', c = '', d = '', e = ''] = newActivations(5)
  await multi([a, b], { token })
  const [rowA, rowB] = await rowsOf([a, b])
  isOk(t, await multi([c, d], { token }), 'two replaced')
  const replaced = await rowsOf([], token)
  t.same(
    replaced.map((row) => row.activation),
    [c, d],
  )
  t.notOk(
    replaced.some(({ id }) => id === rowA?.id || id === rowB?.id),
    'in rows of their own',
  )
  for (const order of [[e, d], [d, c], [e, c].toReversed()]) {
    const before = await rowsOf(order)
    isOk(t, await multi(order, { token }), 'one replaced')
    const after = await rowsOf([], token)
    t.same(
      after.map((row) => row.activation),
      order.toSorted(),
    )
    for (const { id, activation } of before)
      t.equal(after.find((row) => row.activation === activation)?.id, id, 'a known one keeps its row')
  }
})

t.test('C-20 multi: the only other row on the token is re-bound; rows of other applications stay', async (t) => {
  const token = newToken()
  const [a = '', b = '', c = ''] = newActivations(3)
  const elsewhere = `app-${randomUUID()}`
  await post('/admin/app/create', { appId: elsewhere })
  await single(a, { token })
  await single(b, { token, appId: elsewhere })
  const [row] = await rowsOf([a])
  isOk(t, await multi([c], { token }), 're-bound')
  t.match(await rowsOf([a, b, c]), [
    { activation: b, app: elsewhere },
    { activation: c, id: row?.id, app: APP },
  ])
})

t.test('C-21 a token of several activations is not for single registrations, but for its own', async (t) => {
  const token = newToken()
  const [a = '', b = '', c = ''] = newActivations(3)
  await multi([a, b], { token })
  await changesNothing(t, async () => refusedWith(t, await single(c, { token }), SHARED))
  isOk(t, await single(b, { token }), 'one of its own')
  t.equal((await rowsOf([], token)).length, 2)
})

t.test('C-22 multi: one that cannot be registered leaves all as it was', async (t) => {
  const elsewhere = `app-${randomUUID()}`
  await post('/admin/app/create', { appId: elsewhere })
  const [a = '', b = '', removed = '', foreign = ''] = newActivations(4)
  await single(a)
  await single(removed)
  await single(foreign, { appId: elsewhere })
  await call('POST', STATUS, json({ activationId: removed, activationStatus: 'REMOVED' }))
  await changesNothing(t, async () => {
    refusedWith(t, await multi([a, removed, b]), FAILED)
    refusedWith(t, await multi([a, b, foreign]), FAILED)
    refusedWith(t, await multi([a, b], { activationStatus: 'REMOVED' }), FAILED)
    refusedWith(t, await multi([a, randomUUID()], { userId: undefined }), FAILED, 'one that nobody knows')
    refusedWith(t, await single(removed), NOT_ACTIVE)
  })
})

t.test('C-14 five at once, single and multi: all OK, one row for each activation', async (t) => {
  const ids = newActivations(4)
  const [token, other] = [newToken(), newToken()]
  const [lone = ''] = newActivations(1)
  const responses = await Promise.all([
    ...Array.from({ length: 5 }, (_, index) => multi(index % 2 ? ids : ids.toReversed(), { token })),
    ...Array.from({ length: 5 }, () => single(lone, { token: other })),
  ])
  t.same(
    responses.map(({ status }) => status),
    responses.map(() => 200),
  )
  t.same(
    (await rowsOf([], token)).map((row) => row.activation),
    ids,
  )
  t.equal((await rowsOf([lone])).length, 1)
})

t.test('multi: a hundred activations in one request, and no more', async (t) => {
  const ids = newActivations(100)
  isOk(t, await multi(ids), 'registered')
  t.equal((await rowsOf(ids)).length, 100)
  violates(t, await multi([...ids, randomUUID()]), ['requestObject.activationIds', /at most 100/])
  const [known] = await database.query('SELECT count(*)::int FROM activations WHERE activation_id = ANY($1)', [ids])
  t.same(known, { count: 100 })
})

t.test('W-REG-1 an activation that belongs to no application moves with its registration', async (t) => {
  const [a = ''] = newActivations(1)
  const elsewhere = `app-${randomUUID()}`
  await post('/admin/app/create', { appId: elsewhere })
  await single(a)
  await database.query('UPDATE activations SET application_id = NULL WHERE activation_id = $1', [a])
  isOk(t, await single(a, { appId: elsewhere, userId: undefined }), 'registered')
  t.match(await rowsOf([a]), [{ app: elsewhere, user: 'owner' }])
})

t.test('C-26 status: bare body, both methods, whatever a callback brings along', async (t) => {
  const [a = '', unknown = ''] = newActivations(2)
  await single(a)
  const report = (body: object, method = 'POST') => call(method, STATUS, json(body))
  const isActive = async () => (await rowsOf([a]))[0]?.active
  for (const [activationStatus, active] of [
    ['BLOCKED', false],
    ['ACTIVE', true],
    ['PENDING_COMMIT', false],
    ['CREATED', false],
    ['ACTIVE', true],
  ] as const) {
    const callback = { type: 'ACTIVATION', activationId: a, activationStatus, deviceInfo: 'iPhone15,2', extras: null }
    const response = await report(callback, active ? 'PUT' : 'POST')
    t.same([response.status, response.body], [200, { status: 'OK' }], activationStatus)
    t.equal(await isActive(), active, activationStatus)
  }
  await database.query('UPDATE devices SET active = false WHERE activation_id = $1', [a])
  isOk(t, await report({ activationId: a }), 'without a status the registry has it')
  t.equal(await isActive(), true)
  isOk(t, await report({ activationId: a, activationStatus: 'BLOCKED' }), 'blocked')
  isOk(t, await single(a), 'registered again')
  t.equal(await isActive(), false, 'the registry has learnt the status')
  await database.query('UPDATE devices SET active = true WHERE activation_id = $1', [a])
  await database.query('DELETE FROM activations WHERE activation_id = $1', [a])
  isOk(t, await report({ activationId: a, activationStatus: null }), 'one that nobody knows is as good as removed')
  t.equal(await isActive(), false)
  isOk(t, await report({ activationId: unknown, activationStatus: 'ACTIVE' }), 'no device')

  await changesNothing(t, async () => {
    for (const body of [{}, { activationId: null }, { requestObject: { activationId: a, activationStatus: 'ACTIVE' } }])
      refusedWith(t, await report(body), 'Activation ID must not be null.')
    violates(t, await report({ activationId: a, activationStatus: 'active' }), ['activationStatus', /one of CREATED/])
    violates(t, await report({ activationId: '' }), ['activationId', /blank/])
    const headers = { 'content-type': 'application/json' }
    violates(t, await call('POST', STATUS, { body: 'null', headers }), ['body', /object/])
  })
})

t.test('list: the user’s devices, registered last first, tokens shortened, dropped ones marked', async (t) => {
  const userId = `user-${randomUUID()}`
  const [a = '', b = '', c = ''] = newActivations(3)
  const token = newToken()
  await single(a, { userId, token, environment: 'development' })
  await single(b, { userId, platform: 'fcm', token: 'of-android:1', activationStatus: 'BLOCKED' })
  await single(c, { userId })
  await database.query(
    `UPDATE devices SET registered_at = now() - array_position($1, activation_id::text) * interval '1 hour'
     WHERE activation_id = ANY($1)`,
    [[b, a, c]],
  )
  await database.query("UPDATE devices SET dropped_at = now(), drop_reason = 'Unregistered' WHERE activation_id = $1", [
    c,
  ])
  const list = (more = '') => get(`/push/device/list?appId=${APP}&userId=${userId}${more}`)
  const { status, body } = await list()
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/
  t.equal(status, 200)
  t.match(body, {
    status: 'OK',
    page: 0,
    size: 100,
    responseObject: {
      appId: APP,
      userId,
      devices: [
        { activationId: b, platform: 'android', token: 'of-and…', active: false, timestampLastRegistered: at },
        { activationId: a, platform: 'ios', environment: 'development', token: `${token.slice(0, 6)}…`, active: true },
        { activationId: c, timestampDropped: at, dropReason: 'Unregistered' },
      ],
    },
  })
  t.same(Object.keys(body), ['status', 'page', 'size', 'responseObject'])
  t.same(Object.keys(body.responseObject.devices[0]).toSorted(), [
    'activationId',
    'active',
    'platform',
    'timestampLastRegistered',
    'token',
  ])
  const idsOf = async (more: string) =>
    (await list(more)).body.responseObject.devices.map(({ activationId }: { activationId: string }) => activationId)
  t.same(await idsOf('&size=2'), [b, a])
  t.same(await idsOf('&page=1&size=2'), [c])
  t.same(await idsOf('&page=7'), [])
  t.same((await get(`/push/device/list?appId=${APP}&userId=nobody`)).body.responseObject.devices, [])

  refusedWith(t, await get('/push/device/list?appId=nowhere&userId=u'), 'Application with given ID does not exist')
  violates(t, await get(`/push/device/list?appId=${APP}`), ['userId', /null/])
  t.match((await list('&size=2001&page=2')).body, { page: 2, size: 2000 })
  t.match((await list('&size=0&page=first')).body, { page: 0, size: 100 })
})

t.test('the kind of a token: stored, listed, changed with the phone; of one platform alone', async (t) => {
  const FID = 'cWzL1yRkQ0mN0a9JcH7v2E'
  const userId = `user-${randomUUID()}`
  const [a = '', b = '', c = ''] = newActivations(3)
  const kindsOf = async (activationIds: string[]) =>
    (
      await database.query<{ token: string; kind: string | null }>(
        'SELECT token, token_kind AS kind FROM devices WHERE activation_id = ANY($1) ORDER BY registered_at, activation_id',
        [activationIds],
      )
    ).map(({ token, kind }) => `${token} ${kind}`)

  await single(a, { userId, platform: 'android', token: `${FID}:APA91b` })
  t.same(await kindsOf([a]), [`${FID}:APA91b null`])
  await single(a, { userId, platform: 'android', token: FID, tokenKind: 'fid' })
  t.same(await kindsOf([a]), [`${FID} fid`], 'the phone has switched: one row')
  await single(b, { userId, platform: 'huawei', token: 'of-harmony', huaweiApi: 2 })
  await single(b, { userId, platform: 'huawei', token: 'of-harmony-5', huaweiApi: 3 })
  t.same(await kindsOf([b]), ['of-harmony-5 v3'], 'upgraded: one row')
  const devices = (await get(`/push/device/list?appId=${APP}&userId=${userId}`)).body.responseObject.devices
  t.match(devices, [{ huaweiApi: 3 }, { tokenKind: 'fid' }])
  t.notOk('tokenKind' in devices[0] || 'huaweiApi' in devices[1])

  await single(b, { userId, platform: 'huawei', token: 'of-harmony' })
  await single(a, { userId, platform: 'android', token: FID, tokenKind: 'token' })
  t.same(
    (await kindsOf([a, b])).toSorted(),
    [`${FID} null`, 'of-harmony null'].toSorted(),
    'and back, by their defaults',
  )
  await multi([a, c], { userId, platform: 'android', token: FID, tokenKind: 'fid' })
  t.same(await kindsOf([a, c]), [`${FID} fid`, `${FID} fid`], 'of several activations')

  for (const token of [`${FID}:APA91b`, FID.slice(1), `${FID}x`, 'cWzL1yRkQ0mN0a9JcH7v2.'])
    violates(
      t,
      await post('/push/device/create', {
        appId: APP,
        activationId: a,
        userId,
        platform: 'android',
        token,
        tokenKind: 'fid',
      }),
      ['requestObject.token', /22 characters/],
      token,
    )
  for (const more of [{ tokenKind: 'apns' }, { huaweiApi: 4 }])
    t.match(
      (
        await post('/push/device/create', {
          appId: APP,
          activationId: a,
          userId,
          platform: 'android',
          token: FID,
          ...more,
        })
      ).status,
      400,
    )
  t.same(await kindsOf([c]), [`${FID} fid`], 'what is refused changes nothing')

  const foreign = await post('/push/device/create', {
    appId: APP,
    activationId: c,
    userId,
    platform: 'ios',
    token: newToken(),
    tokenKind: 'fid',
    huaweiApi: 3,
  })
  t.equal(foreign.status, 200)
  t.equal(foreign.headers.get('x-push-warnings'), 'requestObject.tokenKind, requestObject.huaweiApi')
  t.match(await kindsOf([c]), [/ null$/])
})

t.test('unconfigured applications: none without PowerAuth Server', async (t) => {
  const { body } = await get('/admin/app/unconfigured/list')
  t.same(body, { status: 'OK', responseObject: { applicationList: [] } })
})

const send = (body: string, { query = '', type = 'application/x-ndjson', method = 'PUT' } = {}) =>
  call(method, `${IMPORT}?appId=${APP}${query}`, { body, headers: { 'content-type': type } })
const line = (activationId: string, more: object = {}) => ({
  userId: 'imported',
  activationId,
  platform: 'ios',
  token: newToken(),
  ...more,
})
const fileOf = (...lines: unknown[]) =>
  lines.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n')
const NOTHING = { imported: 0, updated: 0, kept: 0, failed: 0, errors: [] }

t.test('import: every content type and method, blank lines, a mark and ends of any kind', async (t) => {
  const [a = '', b = '', c = ''] = newActivations(3)
  const file = `\uFEFF${JSON.stringify(line(a, { platform: 'APNS', environment: 'Development' }))}\r\n\r\n   \n${fileOf(
    line(b, { platform: 'android', token: 'of-android', active: false }),
    line(c, { active: null, environment: null, more: 'members' }),
  )}`
  const response = await send(file)
  t.same(response.body, { status: 'OK', responseObject: { ...NOTHING, imported: 3 } })
  t.match(await rowsOf([a, b, c]), [
    { activation: a, user: 'imported', active: true, environment: 'development', app: APP },
    { activation: b, active: false, token: 'of-android' },
    { activation: c, active: false, environment: null },
  ])
  for (const [type, method] of [
    ['application/ndjson', 'POST'],
    ['application/jsonl; charset=utf-8', 'PUT'],
  ] as const)
    t.same((await send(file, { type, method })).body.responseObject, { ...NOTHING, kept: 3 }, `${type}: nothing new`)
  t.same((await send('')).body.responseObject, NOTHING, 'an empty file')
  isOk(t, await single(a, { userId: undefined }), 'the registry knows who they belong to')
  isOk(t, await single(b, { userId: undefined }), 'and their status')
  t.match(await rowsOf([a, b]), [{ user: 'imported', active: true }, { active: false }])
})

t.test('import: what is known is updated, and what was registered since is kept', async (t) => {
  const [a = '', b = '', c = '', d = ''] = newActivations(4)
  const [old, dead] = [newToken(), newToken()]
  await single(a, { token: old })
  await single(b)
  await single(c, { token: dead })
  await database.query("UPDATE devices SET dropped_at = now(), drop_reason = 'Unregistered' WHERE activation_id = $1", [
    c,
  ])
  const [before] = await rowsOf([b])
  const { body } = await send(
    fileOf(
      line(a, { token: 'aa' }),
      line(b, { timestampLastRegistered: '2024-02-08T12:00:00.000+00:00' }),
      line(c, { token: dead }),
      line(d, { timestampLastRegistered: '2024-02-08T12:00:00.000+00:00' }),
      line(a, { token: 'bb' }),
    ),
  )
  t.same(body.responseObject, { ...NOTHING, imported: 1, updated: 2, kept: 1 }, 'the later line wins')
  t.match(await rowsOf([a, b]), [{ token: 'bb', user: 'imported' }, before])
  const [times] = await database.query(
    `SELECT (SELECT dropped_at IS NOT NULL FROM devices WHERE activation_id = $1) AS "stillDropped",
       (SELECT registered_at FROM devices WHERE activation_id = $2) AS registered`,
    [c, d],
  )
  t.same(times, { stillDropped: true, registered: new Date('2024-02-08T12:00:00Z') })
})

t.test('import: kinds of tokens', async (t) => {
  const FID = 'dWzL1yRkQ0mN0a9JcH7v2E'
  const [a = '', b = '', c = ''] = newActivations(3)
  const android = { platform: 'android', token: FID, tokenKind: 'fid' }
  const file = () => fileOf(line(a, android), line(b, { platform: 'huawei', token: 'h', huaweiApi: 3 }), line(c))
  const kinds = () =>
    database.query(
      'SELECT token_kind AS kind FROM devices WHERE activation_id = ANY($1) ORDER BY array_position($1, activation_id::text)',
      [[a, b, c]],
    )
  t.match((await send(file())).body.responseObject, { imported: 3 })
  t.same(await kinds(), [{ kind: 'fid' }, { kind: 'v3' }, { kind: null }])
  t.match((await send(fileOf(line(a, { ...android, tokenKind: 'token' })))).body.responseObject, { updated: 1 })
  t.same(
    await kinds(),
    [{ kind: null }, { kind: 'v3' }, { kind: null }],
    'nothing else has changed, and it is an update',
  )
  await database.query(
    "UPDATE devices SET dropped_at = now(), drop_reason = '80300007' WHERE activation_id = ANY($1)",
    [[a, b]],
  )
  const again = fileOf(
    line(a, { ...android, tokenKind: 'token', userId: 'other' }),
    line(b, { platform: 'huawei', token: 'h' }),
  )
  t.match((await send(again)).body.responseObject, { updated: 2 })
  t.same(
    await database.query(
      'SELECT dropped_at IS NOT NULL AS dropped FROM devices WHERE activation_id = ANY($1) ORDER BY array_position($1, activation_id::text)',
      [[a, b]],
    ),
    [{ dropped: true }, { dropped: false }],
    'as another kind it is another token',
  )
  const refused = await send(fileOf(line(a, { ...android, token: 'short' })))
  t.match([refused.status, JSON.stringify(refused.body)], [400, /22 characters/])
})

t.test('import: bad lines are listed by number, and keep the others out unless they may stay', async (t) => {
  const elsewhere = `app-${randomUUID()}`
  await post('/admin/app/create', { appId: elsewhere })
  const [good = '', foreign = '', known = ''] = newActivations(3)
  // One is known by its device alone, the other by the registry alone.
  await single(foreign, { appId: elsewhere })
  await database.query('DELETE FROM activations WHERE activation_id = $1', [foreign])
  await single(known, { appId: elsewhere })
  await database.query('DELETE FROM devices WHERE activation_id = $1', [known])
  const file = fileOf(
    line(good),
    'no JSON',
    '[]',
    line('x', { token: 'no hex' }),
    '',
    line('x', { token: 'x'.repeat(1025) }),
    line('x', { platform: 'windows' }),
    line('x', { environment: 'staging' }),
    line('x', { userId: undefined }),
    line('x'.repeat(38)),
    line('x', { active: 'perhaps' }),
    line('x', { timestampLastRegistered: 'yesterday' }),
    line('x', { timestampLastRegistered: '1969-12-31T23:59:59Z' }),
    line('x', { userId: 'nul\0' }),
    line('x', { userId: 'x'.repeat(20_000) }),
    line(foreign),
    line(known),
  )
  const expected: [line: number, fieldName: string, hint: RegExp][] = [
    [2, 'line', /JSON/],
    [3, 'line', /object/],
    [4, 'token', /hexadecimal/],
    [6, 'token', /at most 1024/],
    [7, 'platform', /one of ios/],
    [8, 'environment', /one of development, production/],
    [9, 'userId', /null/],
    [10, 'activationId', /at most 37/],
    [11, 'active', /boolean/],
    [12, 'timestampLastRegistered', /ISO 8601/],
    [13, 'timestampLastRegistered', /1970/],
    [14, 'userId', /U\+0000/],
    [15, 'line', /16384 bytes/],
    [16, 'activationId', /another application/],
    [17, 'activationId', /another application/],
  ]
  const errors = expected.map(([number, fieldName, hint]) => ({ line: number, fieldName, hint }))
  await changesNothing(t, async () => {
    const { status, body } = await send(file)
    t.equal(status, 400, 'nothing was kept')
    const violations = expected.map(([number, fieldName, hint]) => ({
      fieldName: `line ${number}: ${fieldName}`,
      hint,
    }))
    const message = `Nothing of the file was kept: ${errors.length} of its lines have errors`
    t.match(body, { status: 'ERROR', responseObject: { code: 'ERROR_REQUEST', message, violations } })
    t.equal((await send('nonsense', { query: '&partial=true' })).status, 400, 'there was no good line')
    t.match(await send('\n'), { status: 200, body: { responseObject: NOTHING } }, 'nor a bad one')
  })
  const { body } = await send(file, { query: '&partial=yes' })
  t.match(body.responseObject, { ...NOTHING, imported: 1, failed: errors.length, errors })
  t.match(await rowsOf([good, foreign]), [{ activation: good }, { activation: foreign, app: elsewhere }].toSorted())
})

t.test('import: 12 000 lines over several batches; all bad ones are counted, 100 reported', async (t) => {
  const ids = newActivations(12_000)
  const lines = ids.map((id, index) => (index % 40 === 39 ? 'bad' : line(id)))
  const { body } = await send(fileOf(...lines, line(ids[0] ?? '', { userId: 'later' })).slice(0, -1), {
    query: '&partial=true',
  })
  t.match(body.responseObject, { imported: 11_700, failed: 301 }, 'the last line lost its end')
  t.same(
    body.responseObject.errors.map((error: { line: number }) => error.line),
    Array.from({ length: 100 }, (_, index) => (index + 1) * 40),
  )
})

t.test('import: refused as a whole', async (t) => {
  await changesNothing(t, async () => {
    const body = fileOf(line(randomUUID()))
    const type = { 'content-type': 'application/x-ndjson' }
    const nowhere = await call('PUT', `${IMPORT}?appId=nowhere`, { body, headers: type })
    refusedWith(t, nowhere, 'Application with given ID does not exist')
    t.match(await call('PUT', IMPORT, { body, headers: type }), {
      status: 400,
      body: {
        responseObject: { violations: [{ fieldName: 'line 1: appId', hint: /neither the line nor the query/ }] },
      },
    })
    violates(t, await send(body, { query: '&partial=perhaps' }), ['partial', /boolean/])
    for (const type of ['text/plain', 'application/json'])
      t.match(await send(body, { type }), {
        status: 415,
        body: { responseObject: { code: 'ERROR_REQUEST', message: /ndjson/ } },
      })
    const large = fileOf(...Array.from({ length: 30_000 }, () => line(randomUUID())))
    t.ok(large.length > IMPORT_LIMIT)
    t.match(await send(large, { query: '&partial=true' }), {
      status: 413,
      body: { responseObject: { code: 'ERROR_TOO_LARGE', message: /4000000 bytes/ } },
    })
  })
})

t.test('import: nothing is kept of a file that breaks off', async (t) => {
  const { hostname, port } = new URL(stack.api.url)
  const staging = () =>
    database.query(
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'push-server import' AND datname = current_database()",
    )
  await changesNothing(t, async () => {
    const socket = connect(Number(port), hostname)
    const body = `${fileOf(...Array.from({ length: 5000 }, () => line(randomUUID())))}\n`
    socket.write(
      `PUT ${IMPORT}?appId=${APP}&partial=true HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n` +
        `content-length: ${body.length * 2}\r\n\r\n${body}`,
    )
    await waitFor('the import to begin', async () => (await staging()).length === 1)
    socket.destroy()
    await waitFor('the import to end', async () => (await staging()).length === 0)
  })
})

t.test('import: a sender that falls silent is not waited for', async (t) => {
  const app = Fastify({ ajv: { customOptions: { keywords: ['x-case'] } } })
  t.teardown(() => app.close())
  const ended = Promise.withResolvers<unknown>()
  await app.register(ndjson)
  app.put('/', async (request) => {
    try {
      const limits = { limit: 1000, idleMs: 50, minRate: 1000, timeoutMs: 60_000 }
      const options = { schema: ImportedDevice, batchSize: 1, ...limits }
      for await (const batch of readNdjson(request, options)) t.equal(batch.items.length, 1)
      return ended.resolve('read to its end')
    } catch (error) {
      ended.resolve(error)
      throw error
    }
  })
  const { port } = new URL(await app.listen())
  const socket = connect(Number(port))
  t.teardown(() => socket.destroy())
  const head = 'PUT / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\ncontent-length: 999\r\n\r\n'
  socket.write(`${head}${JSON.stringify(line('a'))}\n`)
  t.match(await ended.promise, { code: 'ERROR_REQUEST', statusCode: 408, message: /IMPORT_IDLE|IMPORT_MIN_RATE/ })
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))
