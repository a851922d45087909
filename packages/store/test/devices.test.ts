// Registrations of devices, on a real PostgreSQL. Races are made certain by holding a row from a connection of the test's own.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { changesFor } from '../src/devices/registration.ts'
import { bucketOf, BUCKETS } from '../src/devices/devices.ts'
import { type Registration } from '../src/index.ts'
import {
  insertDevice,
  makeApplication,
  newToken,
  openFixture,
  openTransaction,
  registration,
  whileBlocked,
} from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

interface DeviceRow {
  id: number
  app: number
  activation: string
  user: string
  token: string
}

const devices = (applicationIds: number[]) =>
  database.query<DeviceRow>(
    `SELECT id::int, application_id AS app, activation_id AS activation, user_id AS "user", token
     FROM devices WHERE application_id = ANY($1) ORDER BY id`,
    [applicationIds],
  )

const register = (device: Registration) => store.devices.register([device], { several: 'refuse' })

t.test('devices: which row a registration takes over', async (t) => {
  // Rows and registrations as [application, activation, token]; `expected` has the rows after it, in their order.
  type Short = [app: 0 | 1, activation: string, token: string]
  const cases: { name: string; rows: Short[]; registered: Short; expected: Short[]; shared?: boolean }[] = [
    { name: 'nothing known: a new row', rows: [], registered: [0, 'a', 'T'], expected: [[0, 'a', 'T']] },
    { name: 'both known', rows: [[0, 'a', 'T']], registered: [0, 'a', 'T'], expected: [[0, 'a', 'T']] },
    {
      name: 'activation known: new token',
      rows: [[0, 'a', 'T']],
      registered: [0, 'a', 'U'],
      expected: [[0, 'a', 'U']],
    },
    {
      name: 'token known: new activation',
      rows: [[0, 'a', 'T']],
      registered: [0, 'b', 'T'],
      expected: [[0, 'b', 'T']],
    },
    {
      name: 'activation known in another application: the row moves',
      rows: [[1, 'a', 'T']],
      registered: [0, 'a', 'U'],
      expected: [[0, 'a', 'U']],
    },
    {
      name: 'token known in another application only: that one stays',
      rows: [[1, 'a', 'T']],
      registered: [0, 'b', 'T'],
      expected: [
        [1, 'a', 'T'],
        [0, 'b', 'T'],
      ],
    },
    {
      name: 'the activation goes before the token',
      rows: [
        [0, 'b', 'T'],
        [0, 'a', 'U'],
      ],
      registered: [0, 'a', 'T'],
      expected: [
        [0, 'b', 'T'],
        [0, 'a', 'T'],
      ],
    },
    {
      name: 'one of several with the token is its own',
      rows: [
        [0, 'b', 'T'],
        [0, 'a', 'T'],
      ],
      registered: [0, 'a', 'T'],
      expected: [
        [0, 'b', 'T'],
        [0, 'a', 'T'],
      ],
    },
    {
      name: 'several others with the token: nothing is changed',
      rows: [
        [0, 'a', 'T'],
        [0, 'b', 'T'],
      ],
      registered: [0, 'c', 'T'],
      expected: [
        [0, 'a', 'T'],
        [0, 'b', 'T'],
      ],
      shared: true,
    },
  ]
  for (const { name, rows, registered, expected, shared = false } of cases) {
    const applications = [(await makeApplication(fixture)).id, (await makeApplication(fixture)).id]
    const suffix = randomUUID().slice(0, 8)
    const full = ([app, activation, token]: Short, userId: string) =>
      registration(applications[app] ?? 0, { activationId: activation + suffix, token, userId })
    for (const row of rows) await insertDevice(fixture, full(row, 'former'))
    const before = await devices(applications)
    t.equal(await register(full(registered, 'latter')), shared ? 'shared' : 'registered', name)
    const after = await devices(applications)
    t.same(
      after.map(({ app, activation, token }) => [app, activation, token]),
      expected.map(([app, activation, token]) => [applications[app], activation + suffix, token]),
      name,
    )
    t.same(
      after.slice(0, before.length).map((row) => row.id),
      before.map((row) => row.id),
      `${name}: rows keep their ids`,
    )
    t.equal(after.filter((row) => row.user === 'latter').length, shared ? 0 : 1, `${name}: one row changed hands`)
  }
})

t.test('devices: which rows a registration for several activations takes over, makes and removes', async (t) => {
  const cases: [name: string, activations: string, found: string, expected: object][] = [
    ['nothing known', 'ab', '', { takenOver: [], made: 'ab', removed: [] }],
    ['all known', 'ab', 'ab', { takenOver: ['a>a', 'b>b'], made: '', removed: [] }],
    ['all known, others with the token stay', 'a', 'abc', { takenOver: ['a>a'], made: '', removed: [] }],
    ['one other with the token is re-bound', 'ab', 'x', { takenOver: ['x>a'], made: 'b', removed: [] }],
    ['several others make way', 'ab', 'xy', { takenOver: [], made: 'ab', removed: ['x', 'y'] }],
    ['one exchanged', 'ab', 'ax', { takenOver: ['a>a'], made: 'b', removed: ['x'] }],
    ['one added', 'abc', 'ab', { takenOver: ['a>a', 'b>b'], made: 'c', removed: [] }],
  ]
  const ids = (name: string) => name.charCodeAt(0)
  for (const [name, activations, found, expected] of cases) {
    const devices = activations.split('').map((activationId) => registration(1, { activationId }))
    const rows = found.split('').map((activationId) => ({ id: ids(activationId), activationId }))
    const changes = changesFor(devices, rows, 'replace')
    if (changes === 'shared') return t.fail(name)
    const shown = {
      takenOver: changes.takenOver.map(({ id, device }) => `${String.fromCharCode(id)}>${device.activationId}`),
      made: changes.made.map((device) => device.activationId).join(''),
      removed: changes.removed.map((id) => String.fromCharCode(id)),
    }
    t.same(shown, expected, name)
  }
  const [lone] = [registration(1, { activationId: 'a' })]
  const rows = 'xy'.split('').map((activationId) => ({ id: ids(activationId), activationId }))
  t.equal(changesFor([lone], rows, 'refuse'), 'shared')
})

t.test('devices: a registration that an import overtakes takes the imported row over', async (t) => {
  const { id } = await makeApplication(fixture)
  const device = registration(id)
  const [stray] = [registration(id, { token: device.token })]
  await register(stray)
  const client = await openTransaction(t, fixture)
  // Not committed yet: the registration finds the row of the token alone, and then waits for the activation's.
  await client.query(
    `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket)
     VALUES ($1, $2, 'imported', 'ios', 'of-the-import', true, 0)`,
    [id, device.activationId],
  )
  const registered = register(device)
  await whileBlocked(fixture, 1, registered)
  await client.query('COMMIT')
  t.equal(await registered, 'registered')
  t.match(await devices([id]), [
    { activation: stray.activationId, token: device.token },
    { activation: device.activationId, token: device.token, user: device.userId },
  ])
})

t.test('devices: an import waits for a registration, never the other way round for long', async (t) => {
  const { id } = await makeApplication(fixture)
  const [known, fresh] = [registration(id), registration(id)]
  await register(known)
  const staging = store.openDeviceImport()
  t.teardown(() => staging.close())
  const rowOf = (line: number, device: Registration, token: string) => ({
    line,
    applicationId: id,
    activationId: device.activationId,
    userId: 'imported',
    platform: device.platform,
    environment: null,
    token,
    active: false,
    registeredAt: null,
  })
  await staging.stage([rowOf(1, known, 'aa'), rowOf(2, fresh, 'bb'), rowOf(3, known, 'cc')])
  await staging.stage([])
  t.same(await staging.dropForeign(10), { count: 0, lines: [] })
  const client = await openTransaction(t, fixture)
  await client.query('UPDATE devices SET active = active WHERE activation_id = $1', [known.activationId])
  const applied = staging.apply({ keep: true, dryRun: false, signal: new AbortController().signal })
  await whileBlocked(fixture, 1, applied)
  await client.query('COMMIT')
  t.same(await applied, { imported: 1, updated: 1, kept: 0 })
  t.match(
    (await devices([id])).toSorted((one, other) => one.id - other.id),
    [
      { activation: known.activationId, user: 'imported', token: 'cc' },
      { activation: fresh.activationId, user: 'imported', token: 'bb' },
    ],
  )
  t.match(await store.activations.find([known.activationId]), [{ userId: 'imported', status: 'BLOCKED' }])
})

t.test('devices: everything of a registration is kept', async (t) => {
  const { id } = await makeApplication(fixture)
  const first = registration(id, { environment: 'development', active: false })
  await register(first)
  const columns = () =>
    database.query(
      "SELECT user_id, activation_id, platform, environment, token, active, bucket, registered_at > now() - interval '1 min' AS recent FROM devices WHERE application_id = $1",
      [id],
    )
  t.same(await columns(), [
    {
      user_id: 'user',
      activation_id: first.activationId,
      platform: 'ios',
      environment: 'development',
      token: first.token,
      active: false,
      bucket: bucketOf(first.token),
      recent: true,
    },
  ])
  await database.query("UPDATE devices SET registered_at = now() - interval '1 day' WHERE application_id = $1", [id])
  const token = newToken()
  await register({
    ...first,
    token,
    platform: 'android',
    environment: null,
    active: true,
    userId: 'other',
  })
  t.same(await columns(), [
    {
      user_id: 'other',
      activation_id: first.activationId,
      platform: 'android',
      environment: null,
      token,
      active: true,
      bucket: bucketOf(token),
      recent: true,
    },
  ])
})

t.test('devices: buckets', async (t) => {
  const buckets = Array.from({ length: 5000 }, () => bucketOf(newToken()))
  t.ok(buckets.every((bucket) => Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKETS))
  t.ok(new Set(buckets).size > BUCKETS * 0.95, 'tokens spread')
  t.equal(bucketOf('same'), bucketOf('same'))
})

t.test('devices: five at once make one row', async (t) => {
  const { id } = await makeApplication(fixture)
  const same = registration(id)
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => register(same)))
  t.same(new Set(outcomes), new Set(['registered']))
  t.equal((await devices([id])).length, 1, 'of one activation')

  const { id: other } = await makeApplication(fixture)
  const token = newToken()
  await Promise.all(Array.from({ length: 5 }, () => register(registration(other, { token }))))
  t.equal((await devices([other])).length, 1, 'of one token')
})

t.test('devices: many that cross each other do not stand in each other’s way', async (t) => {
  const { id } = await makeApplication(fixture)
  const activations = Array.from({ length: 4 }, () => randomUUID())
  const tokens = Array.from({ length: 4 }, newToken)
  const all = activations.flatMap((activationId) => tokens.map((token) => registration(id, { activationId, token })))
  const outcomes = await Promise.allSettled(all.map((device) => register(device)))
  t.same(
    outcomes.filter(({ status }) => status === 'rejected'),
    [],
  )
})

t.test('devices: a token that is just being left by its activation is not taken over with it', async (t) => {
  const { id } = await makeApplication(fixture)
  const phone = registration(id)
  await register(phone)
  const holder = await openTransaction(t, fixture)
  const next = newToken()
  await holder.query('UPDATE devices SET token = $2 WHERE activation_id = $1', [phone.activationId, next])
  const heir = registration(id, { token: phone.token })
  const registered = register(heir)
  await whileBlocked(fixture, 1, registered)
  await holder.query('COMMIT')
  t.equal(await registered, 'registered')
  t.same(
    (await devices([id])).map(({ activation, token }) => [activation, token]),
    [
      [phone.activationId, next],
      [heir.activationId, phone.token],
    ],
  )
})

t.test('devices: a new registration brings a dropped one back', async (t) => {
  const { id } = await makeApplication(fixture)
  const live = async () => {
    const rows = await database.query<{ activation: string }>(
      `SELECT activation_id AS activation FROM devices
       WHERE application_id = $1 AND dropped_at IS NULL AND drop_reason IS NULL`,
      [id],
    )
    return rows.map(({ activation }) => activation)
  }
  const device = registration(id)
  for (const again of [device, { ...device, activationId: randomUUID() }]) {
    await register(device)
    await database.query(
      "UPDATE devices SET dropped_at = now(), drop_reason = 'Unregistered' WHERE application_id = $1",
      [id],
    )
    t.same(await live(), [])
    await register(again)
    t.same(await live(), [again.activationId])
  }
})

t.test('devices: dropped ones do not count as sharing the token', async (t) => {
  const { id } = await makeApplication(fixture)
  const token = newToken()
  for (let n = 0; n < 2; n++) await insertDevice(fixture, registration(id, { token }), new Date())
  const phone = registration(id, { token })
  t.equal(await register(phone), 'registered')
  const live = await database.query(
    'SELECT activation_id AS activation FROM devices WHERE token = $1 AND dropped_at IS NULL',
    [token],
  )
  t.same(live, [{ activation: phone.activationId }])
})

t.test('devices: removal takes every row of the token in the application, and only those', async (t) => {
  const [mine, other] = [await makeApplication(fixture), await makeApplication(fixture)]
  const token = newToken()
  for (const applicationId of [mine.id, mine.id, other.id])
    await insertDevice(fixture, registration(applicationId, { token }))
  await register(registration(mine.id))
  await store.devices.remove('no such application', token)
  await store.devices.remove(mine.appId, 'no such token')
  t.equal((await devices([mine.id, other.id])).length, 4)
  await store.devices.remove(mine.appId, token)
  t.same((await devices([mine.id, other.id])).map(({ app, token: kept }) => [app, kept === token]).toSorted(), [
    [mine.id, false],
    [other.id, true],
  ])
})
