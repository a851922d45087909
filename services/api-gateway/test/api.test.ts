// Every text, code and precedence that clients of the reference server know, over real HTTP and a real database. No worker
// runs, so nothing is delivered.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { APNS_SETTINGS } from '@push-server/testing'
import { APP, credentials, json, message, newToken, openGateway, REMOVALS } from './_gateway.ts'
import { isOk, refusedWith, violates } from './_watched-api.ts'

const ZERO = { sent: 0, pending: 0, failed: 0, total: 0 }

const gateway = await openGateway()
t.teardown(() => gateway.stack.close())
const { api, database, makeApplication, changesNothing } = gateway
const { call, get, post } = api

t.test('service status', async (t) => {
  const { status, headers, body } = await get('/push/service/status')
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^application\/json/)
  t.match(body.responseObject, {
    applicationName: 'powerauth-push',
    applicationDisplayName: 'PowerAuth Push Server',
    applicationEnvironment: '',
    version: /^\d+\.\d+\.\d+/,
    timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/,
  })
})

/** Each step is refused with its text; it has everything that the steps before it lacked. */
type Steps = [object: unknown, message: string][]

async function refusesInOrder(t: Test, path: string, { steps, method = 'POST' }: { steps: Steps; method?: string }) {
  await changesNothing(t, async () => {
    for (const [object, message] of steps) {
      const given = `${method} ${path} ${JSON.stringify(object)}`
      refusedWith(t, await call(method, path, json({ requestObject: object })), message, `${given}: ${message}`)
    }
    const [, first] = steps[0] ?? []
    refusedWith(t, await call(method, path, json({})), first ?? '', `${method} ${path} without an object`)
  })
}

t.test('POST /push/device/create: refusals in their order', async (t) => {
  const [a, b] = [`a-${randomUUID()}`.slice(0, 37), `b-${randomUUID()}`.slice(0, 37)]
  const token = newToken()
  const other = await makeApplication()
  await post('/push/device/create', { appId: APP, platform: 'ios', token, activationId: a, userId: 'u' })
  await post('/push/device/create', { appId: other, platform: 'ios', token: newToken(), activationId: b, userId: 'u' })
  await database.query(
    `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket)
     SELECT application_id, $2, user_id, platform, token, active, bucket FROM devices WHERE activation_id = $1`,
    [a, `twin-${a}`.slice(0, 37)],
  )
  const known = { appId: APP, activationId: 'unknown', platform: 'ios', token }
  await refusesInOrder(t, '/push/device/create', {
    steps: [
      [null, 'Request object must not be empty'],
      [{}, 'App ID must not be null.'],
      [{ appId: null, activationId: 'x', platform: 'ios', token: 'aa' }, 'App ID must not be null.'],
      [{ appId: 'nowhere' }, 'Activation ID must not be null.'],
      [{ appId: 'nowhere', activationId: null, platform: 'ios', token: 'aa' }, 'Activation ID must not be null.'],
      [{ appId: 'nowhere', activationId: 'x' }, 'Platform must not be null.'],
      [{ appId: 'nowhere', activationId: 'x', platform: null, token: 'aa' }, 'Platform must not be null.'],
      [{ appId: 'nowhere', activationId: 'x', platform: 'ios' }, 'Push token must not be null or empty.'],
      [{ appId: 'nowhere', activationId: 'x', platform: 'ios', token: null }, 'Push token must not be null or empty.'],
      [{ appId: 'nowhere', activationId: 'x', platform: 'ios', token: '' }, 'Push token must not be null or empty.'],
      [
        { appId: 'nowhere', activationId: 'x', platform: 'ios', token: 'no hex' },
        'Application with given ID does not exist',
      ],
      [
        known,
        'Multiple device registrations found for push token. Use the /push/device/create/multi endpoint for this scenario.',
      ],
      [{ ...known, token: newToken() }, 'Device registration failed because associated activation is not ACTIVE'],
      [{ ...known, activationId: b }, 'Device registration failed because activation belongs to another application'],
    ],
  })
  const removed = { ...known, token: newToken(), activationId: randomUUID(), userId: 'u', activationStatus: 'REMOVED' }
  refusedWith(
    t,
    await post('/push/device/create', removed),
    'Device registration failed because associated activation is REMOVED',
  )
})

t.test('POST /push/device/create: without a user it says which member an unknown activation requires', async (t) => {
  const appId = await makeApplication()
  const fields = { appId, platform: 'ios', token: newToken() }
  for (const [path, more, message] of [
    [
      'create',
      { activationId: randomUUID() },
      'Device registration failed because associated activation is not ACTIVE',
    ],
    ['create', { activationId: randomUUID(), userId: null }, /not ACTIVE$/],
    ['create/multi', { activationIds: [randomUUID()] }, 'Device registration failed'],
  ] as const) {
    const { status, body } = await post(`/push/device/${path}`, { ...fields, ...more })
    t.equal(status, 400)
    const violations = [
      { fieldName: 'requestObject.userId', hint: /^is required for an activation that is not known yet/ },
    ]
    t.match(body.responseObject, { code: 'ERROR_GENERIC', message, violations }, path)
  }
  const removed = { ...fields, activationId: randomUUID(), userId: 'u', activationStatus: 'REMOVED' }
  const { body } = await post('/push/device/create', removed)
  t.equal(body.responseObject.violations, undefined, 'with a user it is another cause')
})

t.test('POST /push/device/create: a refusal does not bind the activation to another user', async (t) => {
  const appId = await makeApplication()
  const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()]
  const create = (activationId: string, more: object) =>
    post('/push/device/create', { appId, platform: 'ios', activationId, ...more })
  const token = newToken()
  await create(first, { token, userId: 'owner' })
  await create(second, { token: newToken(), userId: 'owner' })
  await database.query('UPDATE devices SET token = $1 WHERE activation_id = $2', [token, second])
  await create(third, { token: newToken(), userId: 'owner' })
  await database.query('DELETE FROM devices WHERE activation_id = $1', [third])
  t.equal((await create(third, { token, userId: 'thief' })).status, 400)
  const [row] = await database.query('SELECT user_id FROM activations WHERE activation_id = $1', [third])
  t.same(row, { user_id: 'owner' })
})

t.test('POST /push/device/create: registers', async (t) => {
  const device = { appId: APP, platform: 'ios', token: newToken(), activationId: randomUUID(), userId: 'phone owner' }
  const response = await post('/push/device/create', device)
  t.same([response.status, response.body], [200, { status: 'OK' }])
  const row = async () =>
    (
      await database.query(
        'SELECT user_id, platform, environment, token, active FROM devices WHERE activation_id = $1',
        [device.activationId],
      )
    )[0]
  t.same(await row(), { user_id: 'phone owner', platform: 'ios', environment: null, token: device.token, active: true })
  for (const [platform, stored] of [
    ['IOS', 'ios'],
    ['apns', 'ios'],
    ['Android', 'android'],
    ['FCM', 'android'],
    ['huawei', 'huawei'],
    ['Hms', 'huawei'],
  ]) {
    isOk(t, await post('/push/device/create', { ...device, userId: undefined, platform }), `platform ${platform}`)
    t.match(await row(), { platform: stored, user_id: 'phone owner' })
  }
  for (const [environment, stored] of [
    ['PRODUCTION', 'production'],
    ['Development', 'development'],
    [null, null],
  ]) {
    isOk(t, await post('/push/device/create', { ...device, environment }), `environment ${environment}`)
    t.match(await row(), { environment: stored })
  }
  for (const [activationStatus, active] of [
    ['BLOCKED', false],
    ['ACTIVE', true],
    ['PENDING_COMMIT', false],
  ] as const) {
    isOk(t, await post('/push/device/create', { ...device, activationStatus }), activationStatus)
    t.match(await row(), { active })
  }
})

t.test('POST /push/device/create: five at once are all OK', async (t) => {
  const device = { appId: APP, platform: 'ios', token: newToken(), activationId: randomUUID(), userId: 'u' }
  const responses = await Promise.all(Array.from({ length: 5 }, () => post('/push/device/create', device)))
  t.same(
    responses.map(({ status }) => status),
    [200, 200, 200, 200, 200],
  )
  t.equal((await database.query('SELECT 1 FROM devices WHERE token = $1', [device.token])).length, 1)
})

t.test('device removal: refusals in their order, on all four', async (t) => {
  for (const { method, path } of REMOVALS)
    await refusesInOrder(t, path, {
      method,
      steps: [
        [null, 'Request object must not be empty'],
        [{}, 'App ID must not be null.'],
        [{ appId: null, token: '' }, 'App ID must not be null.'],
        [{ appId: APP }, 'Push token must not be null or empty.'],
        [{ appId: APP, token: null }, 'Push token must not be null or empty.'],
        [{ appId: APP, token: '' }, 'Push token must not be null or empty.'],
      ],
    })
})

t.test('device removal: removes every row of the token, by body or query; an unknown one is no error', async (t) => {
  const token = newToken()
  const registered = () => database.query('SELECT 1 FROM devices WHERE token = $1', [token])
  const body = (object: object) => json({ requestObject: object })
  const query = `?appId=${encodeURIComponent(APP)}&token=${token}`
  const empty = { body: '', headers: { 'content-type': 'application/json' } }
  const ways = [
    ...REMOVALS.map(({ method, path }) => [method, path, body({ appId: APP, token })] as const),
    ['DELETE', `/push/device/remove${query}`, undefined] as const,
    ['DELETE', `/push/device/delete${query}`, empty] as const,
  ]
  for (const [method, path, init] of ways) {
    await post('/push/device/create', { appId: APP, platform: 'ios', token, activationId: randomUUID(), userId: 'u' })
    await database.query(
      `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket)
       SELECT application_id, $2, user_id, platform, token, active, bucket FROM devices WHERE token = $1`,
      [token, randomUUID()],
    )
    t.equal((await registered()).length, 2)
    for (const time of ['first', 'second']) isOk(t, await call(method, path, init), `${method} ${path}, ${time} time`)
    t.equal((await registered()).length, 0)
  }
  isOk(t, await post('/push/device/remove', { appId: 'nowhere', token }), 'unknown application')
  violates(t, await call('DELETE', '/push/device/remove', empty), ['body', /object/], 'neither body nor query')
  refusedWith(t, await call('DELETE', `/push/device/remove?token=${token}`), 'App ID must not be null.')
  refusedWith(t, await call('DELETE', `/push/device/remove?appId=${APP}`), 'Push token must not be null or empty.')
})

t.test('POST /push/message/send: refusals in their order', (t) =>
  refusesInOrder(t, '/push/message/send', {
    steps: [
      [null, 'Request object must not be empty'],
      [{}, 'Message must not be empty'],
      [{ appId: 'nowhere', message: null }, 'Message must not be empty'],
      [{ message: {} }, 'App ID must not be null.'],
      [{ appId: null, message: {} }, 'App ID must not be null.'],
      [{ appId: 'nowhere', message: {} }, 'Push message payload (body) must not be null.'],
      [{ appId: 'nowhere', message: { body: null, userId: 'u' } }, 'Push message payload (body) must not be null.'],
      [{ appId: 'nowhere', message: { body: {} } }, 'Push message must contain a user ID.'],
      [{ appId: 'nowhere', message: { body: {}, userId: null } }, 'Push message must contain a user ID.'],
      [{ appId: 'nowhere', message: { body: {}, userId: '' } }, 'AppCredentials not found: nowhere'],
      [{ appId: APP, message: { body: {}, userId: '' } }, 'No userId was specified'],
    ],
  }),
)

t.test('POST /push/message/batch/send: refusals in their order', async (t) => {
  const nested = (index: number, text: string) =>
    `Push message at index: ${index} is not valid. Nested error is: ${text}`
  await refusesInOrder(t, '/push/message/batch/send', {
    steps: [
      [null, 'Request object must not be empty'],
      [{}, 'Batch must not be empty'],
      [{ appId: APP, batch: null }, 'Batch must not be empty'],
      [{ batch: [] }, 'App ID must not be null.'],
      [{ appId: null, batch: [] }, 'App ID must not be null.'],
      [{ appId: 'nowhere', batch: [] }, 'There are no push messages in the batch.'],
      [
        { appId: 'nowhere', batch: [null, null, null, null] },
        'Too many messages in batch - do no send more than 3 messages at once to avoid server congestion.',
      ],
      [{ appId: 'nowhere', batch: [message(), null] }, nested(1, 'Push message must not be null.')],
      [{ appId: 'nowhere', batch: [{ userId: 'u' }] }, nested(0, 'Push message payload (body) must not be null.')],
      [{ appId: 'nowhere', batch: [message(), { body: {} }] }, nested(1, 'Push message must contain a user ID.')],
      [
        { appId: 'nowhere', batch: [message(), { body: {}, userId: null }] },
        nested(1, 'Push message must contain a user ID.'),
      ],
      [{ appId: 'nowhere', batch: [message({ userId: '' })] }, 'AppCredentials not found: nowhere'],
      [{ appId: APP, batch: [message(), message({ userId: '' })] }, 'No userId was specified'],
    ],
  })
})

t.test('sending: responses', async (t) => {
  const zeros = { ios: ZERO, android: ZERO, huawei: ZERO }
  const flat = { ...zeros, apns: ZERO, fcm: ZERO, hms: ZERO }
  const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
  for (const mode of [{}, { mode: 'SYNCHRONOUS' }]) {
    const { status, body } = await post('/push/message/send', { appId: APP, message: message(), ...mode })
    const { messageIds, ...rest } = body.responseObject
    t.same([status, rest], [200, { mode: 'SYNCHRONOUS', result: zeros, ...flat }])
    t.match(messageIds, [uuid])
    t.equal(messageIds.length, 1)
  }
  for (const mode of ['ASYNCHRONOUS', null]) {
    const { status, body } = await post('/push/message/send', { appId: APP, message: message(), mode })
    const { messageIds, ...rest } = body.responseObject
    t.same([status, rest], [200, mode === null ? {} : { mode }])
    t.equal(messageIds.length, 1)
  }
  const batch = ['one', 'two', 'three'].map((userId) => message({ userId }))
  const { body } = await post('/push/message/batch/send', { appId: APP, batch, mode: 'ASYNCHRONOUS' })
  const stored = await database.query<{ user: string }>(
    'SELECT user_id AS "user" FROM unnest($1::uuid[]) WITH ORDINALITY AS t(id, place) JOIN messages USING (id) ORDER BY place',
    [body.responseObject.messageIds],
  )
  t.same(
    stored.map(({ user }) => user),
    ['one', 'two', 'three'],
    'one id for each, in their order',
  )
})

t.test('sending without a worker: pending within the time', async (t) => {
  const token = newToken()
  await post('/push/device/create', {
    appId: APP,
    platform: 'ios',
    token,
    activationId: randomUUID(),
    userId: 'waiting',
  })
  const start = performance.now()
  const { body } = await post('/push/message/send', { appId: APP, message: message({ userId: 'waiting' }) })
  t.same(body.responseObject.result, { ios: { sent: 0, pending: 1, failed: 0, total: 1 }, android: ZERO, huawei: ZERO })
  t.ok(performance.now() - start < 20_000)
})

t.test('GET /admin/app/list and POST /admin/app/create', async (t) => {
  await refusesInOrder(t, '/admin/app/create', {
    steps: [
      [null, 'Request object must not be empty'],
      [{}, 'App ID must not be null.'],
      [{ appId: null }, 'App ID must not be null.'],
      [{ appId: APP }, 'Application already exists'],
    ],
  })
  const appId = `Žluťoučký kůň ${randomUUID()}`
  const responses = await Promise.all([1, 2, 3].map(() => post('/admin/app/create', { appId })))
  t.same(responses.map(({ status }) => status).toSorted(), [200, 400, 400], 'of several at once one wins')
  t.same(responses.find(({ status }) => status === 200)?.body, { status: 'OK', responseObject: { appId } })
  const { body } = await get('/admin/app/list')
  const find = (expected: string) =>
    body.responseObject.applicationList.find((app: { appId: string }) => app.appId === expected)
  const none = { ios: false, android: false, huawei: false, apns: false, fcm: false, hms: false }
  t.same(find(appId), { appId, ...none })
  t.same(find(APP), { appId: APP, ...none, ios: true, apns: true }, 'both families of names')
})

t.test('POST /admin/app/detail', async (t) => {
  await refusesInOrder(t, '/admin/app/detail', {
    steps: [
      [null, 'Request must not be null.'],
      [{}, 'App ID must not be null.'],
      [{ appId: null, includeIos: true }, 'App ID must not be null.'],
      [{ appId: 'nowhere' }, 'Application credentials with entered ID: nowhere does not exist'],
    ],
  })
  const appId = await makeApplication()
  const detail = async (more: object) => (await post('/admin/app/detail', { appId, ...more })).body.responseObject
  const application = { appId, ios: false, android: false, huawei: false, apns: false, fcm: false, hms: false }
  t.same(await detail({ includeIos: true, includeAndroid: true, includeHuawei: true }), { application })
  await post('/admin/app/ios/update', { appId, ...credentials({ environment: 'production' }) })
  const configured = { application: { ...application, ios: true, apns: true } }
  const { bundle, keyId, teamId } = APNS_SETTINGS
  const settings = {
    ...configured,
    iosBundle: bundle,
    iosKeyId: keyId,
    iosTeamId: teamId,
    apnsBundle: bundle,
    apnsKeyId: keyId,
    apnsTeamId: teamId,
  }
  const inProduction = { ...settings, iosEnvironment: 'production', apnsEnvironment: 'production' }
  t.same(await detail({}), configured, 'settings when requested')
  t.same(await detail({ includeIos: false, includeApns: null }), configured)
  t.same(await detail({ includeIos: true }), inProduction)
  t.same(await detail({ includeApns: true }), inProduction)
  await post('/admin/app/ios/update', { appId, ...credentials({ environment: null }) })
  t.same(await detail({ includeIos: true }), settings, 'what is null is left out')
})

t.test('PUT and POST /admin/app/ios/update', async (t) => {
  const appId = await makeApplication()
  for (const method of ['PUT', 'POST']) {
    const { bundle, keyId, teamId } = APNS_SETTINGS
    await refusesInOrder(t, '/admin/app/ios/update', {
      method,
      steps: [
        [null, 'Request object must not be empty'],
        [{}, 'App ID must not be null.'],
        [{ ...credentials(), appId: null }, 'App ID must not be null.'],
        [{ appId: 'nowhere' }, 'Bundle must not be empty.'],
        [{ appId: 'nowhere', bundle: '' }, 'Bundle must not be empty.'],
        [{ appId: 'nowhere', bundle, keyId: null }, 'Key ID must not be empty.'],
        [{ appId: 'nowhere', bundle, keyId: '' }, 'Key ID must not be empty.'],
        [{ appId: 'nowhere', bundle, keyId }, 'Team ID must not be empty.'],
        [{ appId: 'nowhere', bundle, keyId, teamId: '' }, 'Team ID must not be empty.'],
        [{ appId: 'nowhere', bundle, keyId, teamId }, 'Private key must not be empty.'],
        [{ appId: 'nowhere', bundle, keyId, teamId, privateKeyBase64: '' }, 'Private key must not be empty.'],
        [
          { appId: 'nowhere', bundle, keyId, teamId, privateKeyBase64: 'not base64!' },
          'Application credentials with entered ID: nowhere does not exist',
        ],
      ],
    })
    const response = await call(
      method,
      '/admin/app/ios/update',
      json({ requestObject: { appId, ...credentials({ environment: 'PRODUCTION' }) } }),
    )
    t.same([response.status, response.body], [200, { status: 'OK' }], method)
    const { body } = await post('/admin/app/detail', { appId, includeIos: true })
    t.equal(body.responseObject.iosEnvironment, 'production')
  }
})

t.test('/admin/app/ios/remove', async (t) => {
  const appId = await makeApplication()
  const configured = async () => (await post('/admin/app/detail', { appId })).body.responseObject.application.ios
  for (const method of ['DELETE', 'POST']) {
    await refusesInOrder(t, '/admin/app/ios/remove', {
      method,
      steps: [
        [null, 'Request object must not be empty'],
        [{}, 'App ID must not be null.'],
        [{ appId: 'nowhere' }, 'Application credentials with entered ID: nowhere does not exist'],
      ],
    })
    await post('/admin/app/ios/update', { appId, ...credentials() })
    t.equal(await configured(), true)
    for (const time of ['first', 'second'])
      isOk(
        t,
        await call(method, '/admin/app/ios/remove', json({ requestObject: { appId } })),
        `${method}, ${time} time`,
      )
    t.equal(await configured(), false)
  }
  await post('/admin/app/ios/update', { appId, ...credentials() })
  isOk(t, await call('DELETE', `/admin/app/ios/remove?appId=${appId}`), 'DELETE by query')
  t.equal(await configured(), false)
})

t.test('lenient forms: what they become', async (t) => {
  const user = randomUUID()
  await post('/admin/app/create', { appId: 1 })
  const device = { appId: 1, platform: 'ios', token: 1234567890, activationId: 17, userId: true, extra: { more: [1] } }
  isOk(t, await post('/push/device/create', device), 'numbers and booleans for texts')
  t.same(await database.query("SELECT user_id, token FROM devices WHERE activation_id = '17'"), [
    { user_id: 'true', token: '1234567890' },
  ])
  const extras = {
    number: 1,
    text: '1',
    flag: true,
    nothing: null,
    deep: { appId: 1, list: [1, '2', { badge: '3' }] },
    'x-case': 'UPPER',
  }
  await post('/admin/app/ios/update', { appId: 1, ...credentials() })
  await post('/push/device/create', { ...device, token: '12', activationId: randomUUID(), userId: user })
  const sent = await post('/push/message/send', {
    appId: '1',
    mode: 'ASYNCHRONOUS',
    unknown: { badge: 'x' },
    message: {
      userId: user,
      priority: null,
      attributes: { silent: null, personal: null, unknown: 1 },
      body: { title: 5, badge: '3', titleLocArgs: [1, true, 'two'], validUntil: 4_102_444_800, extras, unknown: [] },
    },
  })
  isOk(t, sent, 'unknown members, numbers as text')
  const [stored] = await database.query<{ body: Record<string, unknown>; valid: Date }>(
    'SELECT body, silent, personal, priority, valid_until AS valid FROM messages WHERE user_id = $1',
    [user],
  )
  t.match(stored, { silent: false, personal: false, priority: 'HIGH' })
  t.match(stored?.body, { title: '5', badge: 3, titleLocArgs: ['1', 'true', 'two'] })
  t.same(stored?.body.extras, extras, 'extras as they came')
  t.ok(stored && stored.valid.getTime() <= Date.now() + 28 * 86_400_000, 'at most 28 days')
  for (const badge of ['', null])
    isOk(t, await post('/push/message/send', { appId: APP, message: message({ body: { badge } }) }), `badge ${badge}`)
})

t.test('lenient forms: a number that JSON cannot carry exactly is never turned into another id', async (t) => {
  const body = `{"requestObject":{"appId":"${APP}","mode":"ASYNCHRONOUS","message":{"userId":12345678901234567890,"body":{}}}}`
  const response = await call('POST', '/push/message/send', { body, headers: { 'content-type': 'application/json' } })
  const stored = await database.query<{ user: string }>(
    'SELECT user_id AS "user" FROM messages WHERE user_id LIKE \'123456789012%\'',
  )
  t.same(
    stored.filter(({ user }) => user !== '12345678901234567890'),
    [],
  )
  t.equal(stored.length, response.status === 200 ? 1 : 0, 'kept whole or refused')
})

t.test('no response disclosed anything internal, and each had an id', async (t) => {
  t.same(api.leaks, [])
})
