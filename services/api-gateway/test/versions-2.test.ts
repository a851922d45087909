// What the tests of the reference server 2.x pin, with a PowerAuth Server, simulated at the wire, that registrations need not wait for.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { openTestStack, type Response } from '@push-server/testing'
import { APP, json, newToken, REMOVALS } from './_gateway.ts'
import { isOk, refusedWith, violates, watch } from './_watched-api.ts'

const CREATE = '/push/device/create'
const MULTI = '/push/device/create/multi'
const STATUS = '/push/device/status/update'
const REMOVED = 'Device registration failed because associated activation is REMOVED'
const NOT_ACTIVE = 'Device registration failed because associated activation is not ACTIVE'
const SHARED =
  'Multiple device registrations found for push token. Use the /push/device/create/multi endpoint for this scenario.'

const stack = await openTestStack({
  services: ['gateway'],
  powerAuth: true,
  environment: { REGISTRATION_ALWAYS_ASK: 'false' },
})
t.teardown(stack.close)
await stack.configure()
const { database } = stack
const { powerAuth } = stack.simulator
const api = watch(stack.api.url)
const { call, get, post } = api

const create = (activationId: string, more: object = {}) =>
  post(CREATE, { appId: APP, platform: 'apns', token: newToken(), activationId, ...more })
const multi = (activationIds: readonly string[], more: object = {}) =>
  post(MULTI, { appId: APP, platform: 'apns', token: newToken(), activationIds, ...more })

const rowsOf = (activationIds: readonly string[], token = '') =>
  database.query<object>(
    `SELECT activation_id AS activation, user_id AS "user", active FROM devices
     WHERE activation_id = ANY($1) OR token = $2 ORDER BY activation_id`,
    [activationIds, token],
  )

function newActivation(more: Partial<Parameters<typeof powerAuth.addActivation>[0]> = {}): string {
  const activationId = randomUUID()
  powerAuth.addActivation({ activationId, userId: 'of-power-auth', applicationId: APP, ...more })
  return activationId
}

async function calls(work: () => Promise<unknown>): Promise<number> {
  const before = powerAuth.requests.length
  await work()
  return powerAuth.requests.length - before
}

async function changesNothing(t: Test, work: () => Promise<unknown>) {
  const read = () => database.query('SELECT * FROM devices ORDER BY id')
  const before = await read()
  await work()
  t.same(await read(), before, 'nothing is changed')
}

t.test(
  'R2-01 R2-04 user and status are given: believed, with PowerAuth Server closed, and it is never called',
  async (t) => {
    powerAuth.behave({ failure: 'drop' })
    t.teardown(() => powerAuth.behave(undefined))
    for (const [activationStatus, active] of [
      ['ACTIVE', true],
      ['BLOCKED', false],
      ['CREATED', false],
      ['PENDING_COMMIT', false],
    ] as const) {
      const id = randomUUID()
      const claim = { userId: 'of-the-caller', activationStatus }
      t.equal(await calls(async () => isOk(t, await create(id, claim), activationStatus)), 0)
      t.same(await rowsOf([id]), [{ activation: id, user: 'of-the-caller', active }])
    }
    const [kept] = await database.query('SELECT count(*)::int FROM activations')
    t.same(kept, { count: 0 }, 'nothing is kept beside the device')
  },
)

t.test('what PowerAuth Server knows does not count then, the application included', async (t) => {
  const id = newActivation({ applicationId: 'elsewhere', status: 'BLOCKED' })
  isOk(t, await create(id, { userId: 'of-the-caller', activationStatus: 'ACTIVE' }), 'believed')
  t.same(await rowsOf([id]), [{ activation: id, user: 'of-the-caller', active: true }])
})

t.test('R2-02 one of them alone is ignored: PowerAuth Server is called once, and its response wins', async (t) => {
  for (const alone of [
    {},
    { userId: 'of-the-caller' },
    { userId: 'of-the-caller', activationStatus: null },
    { activationStatus: 'ACTIVE' },
    { activationStatus: 'REMOVED' },
    { activationStatus: 'ACTIVE', userId: null },
  ]) {
    const id = newActivation({ status: 'BLOCKED' })
    const name = JSON.stringify(alone)
    t.equal(await calls(async () => isOk(t, await create(id, alone), name)), 1, name)
    t.same(await rowsOf([id]), [{ activation: id, user: 'of-power-auth', active: false }], name)
  }
  refusedWith(t, await create(newActivation({ status: 'REMOVED' }), { userId: 'u' }), NOT_ACTIVE)
})

t.test('R2-03 a removed activation is refused with the text of versions 2.x, without a call', async (t) => {
  const claim = { userId: 'of-the-caller', activationStatus: 'REMOVED' }
  await changesNothing(t, async () => {
    t.equal(await calls(async () => refusedWith(t, await create(newActivation(), claim), REMOVED)), 0)
  })
})

t.test('the other rules hold for registrations that are believed', async (t) => {
  const claim = { userId: 'of-the-caller', activationStatus: 'ACTIVE' }
  await changesNothing(t, async () => {
    refusedWith(t, await create('x', { ...claim, appId: 'nowhere' }), 'Application with given ID does not exist')
    violates(t, await create('x', { ...claim, token: 'no hex' }), ['requestObject.token', /hexadecimal/])
    violates(t, await create('x', { ...claim, activationStatus: 'GONE' }), ['requestObject.activationStatus', /one of/])
  })
})

t.test('C5 multi: PowerAuth Server is called for each activation, whatever the request says', async (t) => {
  const ids = [newActivation(), newActivation()].toSorted()
  const claim = { userId: 'of-the-caller', activationStatus: 'BLOCKED' }
  t.equal(await calls(async () => isOk(t, await multi(ids, claim), 'registered')), 2)
  t.same(
    await rowsOf(ids),
    ids.map((activation) => ({ activation, user: 'of-power-auth', active: true })),
  )
})

t.test('R2-05 five at once for one activation: all OK, one row', async (t) => {
  const known = newActivation()
  const token = newToken()
  for (const [id, claim] of [
    [known, {}],
    [randomUUID(), { userId: 'of-power-auth', activationStatus: 'ACTIVE' }],
  ] as const) {
    const responses = await Promise.all(Array.from({ length: 5 }, () => create(id, { token, ...claim })))
    for (const response of responses) isOk(t, response, 'one of five')
    t.same(await rowsOf([id], token), [{ activation: id, user: 'of-power-auth', active: true }])
  }
})

t.test('R2-06 a token of two activations: single is refused, multi replaces both', async (t) => {
  const token = newToken()
  const [first, second, third] = [newActivation(), newActivation(), newActivation()]
  isOk(t, await multi([first, second], { token }), 'two rows')
  await changesNothing(t, async () => {
    for (const claim of [{}, { userId: 'u', activationStatus: 'ACTIVE' }])
      refusedWith(t, await create(third, { token, ...claim }), SHARED)
  })
  isOk(t, await multi([third], { token }), 'replaced')
  t.same(await rowsOf([first, second], token), [{ activation: third, user: 'of-power-auth', active: true }])
})

t.test('C7 F8 environment: kept for ios under either name, refused by multi for other platforms alone', async (t) => {
  const environment = 'development'
  for (const platform of ['ios', 'apns']) isOk(t, await multi([newActivation()], { platform, environment }), platform)
  for (const platform of ['fcm', 'hms', 'android', 'huawei']) {
    isOk(t, await create(newActivation(), { platform, environment }), `${platform}: ignored`)
    refusedWith(
      t,
      await multi([newActivation()], { platform, environment }),
      'Environment specified for a platform that does not support environment setting.',
    )
  }
})

t.test('R2-07 credentials of Huawei: no object and empty texts are 400', async (t) => {
  const empty = { requestObject: { appId: '', projectId: '', clientId: '', clientSecret: '' } }
  for (const method of ['PUT', 'POST'])
    for (const body of [{}, empty]) {
      const response = await call(method, '/admin/app/huawei/update', json(body))
      t.match([response.status, response.body], [400, { status: 'ERROR' }], `${method} ${JSON.stringify(body)}`)
    }
})

t.test('R2-08 a campaign that is deleted leaves no user in the list', async (t) => {
  const { body } = await post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const { id } = body.responseObject
  isOk(t, await call('PUT', `/push/campaign/${id}/user/add`, json({ requestObject: ['u', 'v'] })), 'added')
  t.same((await get(`/push/campaign/${id}/user/list`)).body.responseObject.users, ['u', 'v'])
  isOk(t, await call('DELETE', `/push/campaign/${id}/delete`), 'deleted')
  t.same((await get(`/push/campaign/${id}/user/list`)).body.responseObject.users, [])
})

t.test('V1 R2-11 blank ids and tokens are 400, wherever the reference server 2.x refuses them', async (t) => {
  const device = { appId: APP, platform: 'fcm', token: 'token-of-fcm', activationId: newActivation(), userId: 'u' }
  const { body } = await post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const test = `/push/campaign/send/test/${body.responseObject.id}`
  const cases: [method: string, path: string, object: object, members: readonly string[]][] = [
    ['POST', CREATE, device, ['token', 'activationId', 'userId']],
    ['POST', MULTI, { ...device, activationIds: [newActivation()] }, ['token', 'userId']],
    ...REMOVALS.map(({ method, path }): (typeof cases)[number] => [
      method,
      path,
      { appId: APP, token: 'x' },
      ['token'],
    ]),
    ['POST', test, { userId: 'u' }, ['userId']],
  ]
  const blanks = [' ', '   ', '\t\n']
  const refuse = async (what: string, field: string, response: Promise<Response>) =>
    violates(t, await response, [field, /^must not be blank$/], what)
  await changesNothing(t, async () => {
    for (const [method, path, object, members] of cases)
      for (const member of members)
        for (const blank of blanks) {
          const given = json({ requestObject: { ...object, [member]: blank } })
          await refuse(`${method} ${path} ${member}`, `requestObject.${member}`, call(method, path, given))
        }
    for (const blank of blanks) {
      await refuse('multi', 'requestObject.activationIds[1]', multi([newActivation(), blank]))
      for (const method of ['PUT', 'POST'])
        await refuse('status', 'activationId', call(method, STATUS, json({ activationId: blank })))
      const query = `?appId=${APP}&token=${encodeURIComponent(blank)}`
      await refuse('query', 'requestObject.token', call('DELETE', `/push/device/delete${query}`))
      refusedWith(t, await post(CREATE, { ...device, appId: blank }), 'Application with given ID does not exist')
      refusedWith(t, await multi(['x'], { appId: blank }), 'Application with given ID does not exist')
    }
  })
})

t.test('V1 the literal texts of 1.x for absent, null and empty members come first, in their order', async (t) => {
  const given = { appId: ' ', activationId: ' ', platform: 'ios', token: ' ' }
  const steps: [path: string, object: object, text: string][] = [
    [CREATE, { ...given, appId: null }, 'App ID must not be null.'],
    [CREATE, { ...given, activationId: null }, 'Activation ID must not be null.'],
    [CREATE, { ...given, platform: null }, 'Platform must not be null.'],
    [CREATE, { ...given, token: null }, 'Push token must not be null or empty.'],
    [CREATE, { ...given, token: '' }, 'Push token must not be null or empty.'],
    [MULTI, { ...given, activationIds: null }, 'Activation ID list must not be null.'],
    [MULTI, { ...given, activationIds: [] }, 'Activation ID list must not empty.'],
    [MULTI, { ...given, activationIds: [' '], token: '' }, 'Push token must not be null or empty.'],
    ['/push/device/delete', { appId: null, token: ' ' }, 'App ID must not be null.'],
    ['/push/device/delete', { appId: ' ', token: '' }, 'Push token must not be null or empty.'],
  ]
  for (const [path, object, text] of steps) refusedWith(t, await post(path, object), text)
  const { body } = await post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const test = `/push/campaign/send/test/${body.responseObject.id}`
  refusedWith(t, await post(test, null), 'Request must not be null.')
  refusedWith(t, await post(test, { userId: null }), 'Request must contain a user ID.')
  refusedWith(t, await post(test, { userId: '' }), 'No userId was specified')
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))
