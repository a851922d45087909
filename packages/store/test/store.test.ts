// The store on a real PostgreSQL. Races are made certain by holding a row from a connection of the test's own.
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createDatabase, until } from '@push-server/testing'
import { bucketOf, BUCKETS } from '../src/devices.ts'
import { createEncryption } from '../src/encryption.ts'
import { migrate, type Registration } from '../src/index.ts'
import {
  chunkState,
  KEY,
  LEASE_MS,
  makeApplication,
  message,
  open,
  openFixture,
  outcome,
  recipient,
  registration,
  storeChunk,
  whileBlocked,
} from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

const NOTHING = { deliveries: [], deadTokens: [] }
const newKey = () => randomBytes(32).toString('base64')
const hex = () => randomBytes(32).toString('hex')

/** A connection with an open transaction; it ends with the test at the latest. */
async function transaction(t: Test) {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  t.teardown(() => client.end())
  await client.query('BEGIN')
  return client
}

t.test('encryption: what was sealed opens at its row', async (t) => {
  const { seal, open } = createEncryption(newKey())
  for (const plain of ['secret', '', 'příliš žluťoučký kůň', 'x'.repeat(100_000)])
    t.equal(open(seal(plain, 'row'), 'row').toString(), plain)
  const bytes = randomBytes(500)
  t.same(open(seal(bytes, 'row'), 'row'), bytes)
  const [first, second] = [seal('secret', 'row'), seal('secret', 'row')]
  t.notSame(first.value, second.value, 'never twice the same')
  t.notOk(first.value.includes('secret'))
  t.match(first.keyId, /^[0-9a-f]{16}$/)
})

t.test('encryption: what was moved, changed or cut does not open', async (t) => {
  const { seal, open } = createEncryption(newKey())
  const { value, keyId } = seal('secret', 'credentials/1/ios')
  t.throws(() => open({ value, keyId }, 'credentials/2/ios'), 'another row')
  for (const index of value.keys()) {
    const changed = Buffer.from(value)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.throws(() => open({ value: changed, keyId }, 'credentials/1/ios'), `byte ${index}`)
  }
  for (const length of [0, 1, 12, 16, 27, 28, value.length - 1])
    t.throws(() => open({ value: value.subarray(0, length), keyId }, 'credentials/1/ios'), `${length} bytes`)
})

t.test('encryption: keys', async (t) => {
  const [key, old, older] = [newKey(), newKey(), newKey()]
  const sealed = createEncryption(old).seal('secret', 'row')
  const unknown = /^Secret of row was encrypted with key [0-9a-f]{16}, which is not configured$/
  t.throws(() => createEncryption(key).open(sealed, 'row'), { message: unknown })
  const rotated = createEncryption(key, [older, old])
  t.equal(rotated.open(sealed, 'row').toString(), 'secret', 'an old key opens')
  t.equal(rotated.seal('secret', 'row').keyId, createEncryption(key).seal('', '').keyId, 'the current one seals')
  t.throws(() => createEncryption(old).open(rotated.seal('secret', 'row'), 'row'), { message: unknown })
  for (const bad of ['', 'c2hvcnQ=', randomBytes(32).toString('hex'), randomBytes(33).toString('base64')]) {
    t.throws(() => createEncryption(bad), { message: 'ENCRYPTION_KEY is not base64 of 32 bytes' })
    t.throws(() => createEncryption(key, [bad]), { message: /is not base64 of 32 bytes$/ })
  }
})

t.test('credentials: kept sealed, opened with settings and a version that never comes back', async (t) => {
  const { id } = await makeApplication(fixture)
  const key = { applicationId: id, platform: 'ios' as const }
  t.equal(await store.credentials.open(key), undefined)
  await store.credentials.put(key, { settings: { bundle: 'one' }, secret: Buffer.from('first') })
  const first = await store.credentials.open(key)
  t.match(first, { settings: { bundle: 'one' }, secret: Buffer.from('first') })
  await store.credentials.put(key, { settings: { bundle: 'two' }, secret: Buffer.from('second') })
  const second = await store.credentials.open(key)
  t.match(second, { settings: { bundle: 'two' }, secret: Buffer.from('second') })
  await store.credentials.remove(key)
  t.equal(await store.credentials.open(key), undefined)
  await store.credentials.put(key, { settings: {}, secret: Buffer.from('third') })
  const third = await store.credentials.open(key)
  const versions = [first, second, third].map((credentials) => credentials?.version ?? 0)
  t.same(
    versions,
    versions.toSorted((a, b) => a - b),
  )
  t.equal(new Set(versions).size, 3)

  const other = await makeApplication(fixture)
  await database.query(
    'INSERT INTO credentials (application_id, platform, settings, secret, key_id) SELECT $1, platform, settings, secret, key_id FROM credentials WHERE application_id = $2',
    [other.id, id],
  )
  await t.rejects(store.credentials.open({ ...key, applicationId: other.id }), 'a copied secret does not open')
})

/** A folder of migrations and a way to write one. */
async function migrations(t: Test) {
  const directory = await mkdtemp(join(tmpdir(), 'migrations-'))
  const empty = await createDatabase()
  t.teardown(async () => {
    await empty.close()
    await rm(directory, { recursive: true })
  })
  const write = async (name: string, sql: string) => {
    await mkdir(join(directory, name), { recursive: true })
    await writeFile(join(directory, name, 'migration.sql'), sql)
  }
  const tables = async () => {
    const rows = await empty.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1",
    )
    return rows.map(({ name }) => name)
  }
  return { directory, write, tables, empty, run: () => migrate(empty.url, directory) }
}

t.test('migrate: six at once apply once', async (t) => {
  const empty = await createDatabase()
  t.teardown(() => empty.close())
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(empty.url)))
  const names = applied.flat()
  t.ok(names.length > 0)
  t.equal(new Set(names).size, names.length, 'each by one')
  t.equal(applied.filter((list) => list.length > 0).length, 1, 'all by the same one')
  const ledger = await empty.query<{ name: string; steps: number }>(
    'SELECT migration_name AS name, applied_steps_count AS steps FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1',
  )
  t.same(
    ledger,
    names.map((name) => ({ name, steps: 1 })),
  )
  t.same(await migrate(empty.url), [], 'nothing is left')
})

t.test('migrate: in the order of the names, only what is missing', async (t) => {
  const { write, run, tables } = await migrations(t)
  await write('2_second', 'ALTER TABLE one RENAME TO two')
  await write('1_first', 'CREATE TABLE one (id INT)')
  t.same(await run(), ['1_first', '2_second'])
  await write('3_third', 'CREATE TABLE three (id INT)')
  t.same(await run(), ['3_third'])
  t.same(await tables(), ['three', 'two'])
})

t.test('migrate: an edited migration is refused, and nothing else is applied', async (t) => {
  const { write, run, tables } = await migrations(t)
  await write('1_first', 'CREATE TABLE one (id INT)')
  await run()
  await write('1_first', 'CREATE TABLE one (id BIGINT)')
  await write('2_second', 'CREATE TABLE two (id INT)')
  await t.rejects(run(), { message: 'Migration 1_first was edited after it was applied' })
  t.same(await tables(), ['one'])
})

t.test('migrate: a failing one leaves nothing, those before it stay', async (t) => {
  const { write, run, tables, empty } = await migrations(t)
  await write('1_first', 'CREATE TABLE one (id INT)')
  await write('2_second', 'CREATE TABLE two (id INT); INSERT INTO two VALUES (1); SELECT 1 / 0')
  await t.rejects(run(), { message: 'Migration 2_second failed: division by zero' })
  t.same(await tables(), ['one'])
  t.same(await empty.query('SELECT migration_name AS name FROM _prisma_migrations'), [{ name: '1_first' }])
  await write('2_second', 'CREATE TABLE two (id INT)')
  t.same(await run(), ['2_second'], 'repaired, it is applied')
})

t.test('migrate: one that another tool left half done is for a person', async (t) => {
  const { write, run, empty } = await migrations(t)
  await write('1_first', 'CREATE TABLE one (id INT)')
  await run()
  await empty.query('UPDATE _prisma_migrations SET finished_at = NULL')
  await t.rejects(run(), { message: /^Migration 1_first was begun and not finished/ })
})

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

/** Rows that no registration would make, such as two with one token. */
async function insertDevice(device: Registration, droppedAt: Date | null = null) {
  await database.query(
    `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket, dropped_at)
     VALUES ($1, $2, $3, $4, $5, true, 0, $6)`,
    [device.applicationId, device.activationId, device.userId, device.platform, device.token, droppedAt],
  )
}

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
    for (const row of rows) await insertDevice(full(row, 'former'))
    const before = await devices(applications)
    t.equal(await store.devices.register(full(registered, 'latter')), shared ? 'shared' : 'registered', name)
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

t.test('devices: everything of a registration is kept', async (t) => {
  const { id } = await makeApplication(fixture)
  const first = registration(id, { environment: 'development', active: false })
  await store.devices.register(first)
  const columns = () =>
    database.query(
      "SELECT user_id, activation_id, platform, environment, token, active, bucket, registered_at > now() - interval '10 s' AS recent FROM devices WHERE application_id = $1",
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
  const token = hex()
  await store.devices.register({
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
  const buckets = Array.from({ length: 5000 }, () => bucketOf(hex()))
  t.ok(buckets.every((bucket) => Number.isInteger(bucket) && bucket >= 0 && bucket < BUCKETS))
  t.ok(new Set(buckets).size > BUCKETS * 0.95, 'tokens spread')
  t.equal(bucketOf('same'), bucketOf('same'))
})

t.test('devices: five at once make one row', async (t) => {
  const { id } = await makeApplication(fixture)
  const same = registration(id)
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => store.devices.register(same)))
  t.same(new Set(outcomes), new Set(['registered']))
  t.equal((await devices([id])).length, 1, 'of one activation')

  const { id: other } = await makeApplication(fixture)
  const token = hex()
  await Promise.all(Array.from({ length: 5 }, () => store.devices.register(registration(other, { token }))))
  t.equal((await devices([other])).length, 1, 'of one token')
})

t.test('devices: many that cross each other do not stand in each other’s way', async (t) => {
  const { id } = await makeApplication(fixture)
  const activations = Array.from({ length: 4 }, () => randomUUID())
  const tokens = Array.from({ length: 4 }, hex)
  const all = activations.flatMap((activationId) => tokens.map((token) => registration(id, { activationId, token })))
  const outcomes = await Promise.allSettled(all.map((device) => store.devices.register(device)))
  t.same(
    outcomes.filter(({ status }) => status === 'rejected'),
    [],
  )
})

t.test('devices: a token that is just being left by its activation is not taken over with it', async (t) => {
  const { id } = await makeApplication(fixture)
  const phone = registration(id)
  await store.devices.register(phone)
  const holder = await transaction(t)
  const newToken = hex()
  await holder.query('UPDATE devices SET token = $2 WHERE activation_id = $1', [phone.activationId, newToken])
  const heir = registration(id, { token: phone.token })
  const registered = store.devices.register(heir)
  await whileBlocked(fixture, 1, registered)
  await holder.query('COMMIT')
  t.equal(await registered, 'registered')
  t.same(
    (await devices([id])).map(({ activation, token }) => [activation, token]),
    [
      [phone.activationId, newToken],
      [heir.activationId, phone.token],
    ],
  )
})

t.test('devices: a new registration brings a dropped one back', async (t) => {
  const { id } = await makeApplication(fixture)
  const dropped = () =>
    database.query(
      'SELECT 1 FROM devices WHERE application_id = $1 AND (dropped_at IS NOT NULL OR drop_reason IS NOT NULL)',
      [id],
    )
  const device = registration(id)
  for (const again of [device, { ...device, activationId: randomUUID() }]) {
    await store.devices.register(device)
    await database.query(
      "UPDATE devices SET dropped_at = now(), drop_reason = 'Unregistered' WHERE application_id = $1",
      [id],
    )
    t.equal((await dropped()).length, 1)
    await store.devices.register(again)
    t.equal((await dropped()).length, 0)
  }
})

t.test('devices: dropped ones do not count as sharing the token', async (t) => {
  const { id } = await makeApplication(fixture)
  const token = hex()
  for (let n = 0; n < 2; n++) await insertDevice(registration(id, { token }), new Date())
  const phone = registration(id, { token })
  t.equal(await store.devices.register(phone), 'registered')
  const live = await database.query(
    'SELECT activation_id AS activation FROM devices WHERE token = $1 AND dropped_at IS NULL',
    [token],
  )
  t.same(live, [{ activation: phone.activationId }])
})

t.test('devices: removal takes every row of the token in the application, and only those', async (t) => {
  const [mine, other] = [await makeApplication(fixture), await makeApplication(fixture)]
  const token = hex()
  for (const applicationId of [mine.id, mine.id, other.id]) await insertDevice(registration(applicationId, { token }))
  await store.devices.register(registration(mine.id))
  await store.devices.remove('no such application', token)
  await store.devices.remove(mine.appId, 'no such token')
  t.equal((await devices([mine.id, other.id])).length, 4)
  await store.devices.remove(mine.appId, token)
  t.same((await devices([mine.id, other.id])).map(({ app, token: kept }) => [app, kept === token]).toSorted(), [
    [mine.id, false],
    [other.id, true],
  ])
})

t.test('messages: the audience', async (t) => {
  t.equal(await store.messages.audience('no such application', ['a']), undefined)
  const { appId, id } = await makeApplication(fixture)
  t.same(await store.messages.audience(appId, ['a']), { applicationId: id, configured: [], recipients: [] })

  for (const platform of ['ios', 'huawei'] as const)
    await store.credentials.put({ applicationId: id, platform }, { settings: {}, secret: Buffer.from('secret') })
  const older = registration(id, { userId: 'a' })
  const newer = registration(id, { userId: 'a', platform: 'android', active: false })
  const ofB = registration(id, { userId: 'b', environment: 'production' })
  const gone = registration(id, { userId: 'a' })
  for (const device of [newer, older, ofB, gone, registration(id, { userId: 'c' })])
    await store.devices.register(device)
  await store.devices.register(registration((await makeApplication(fixture)).id, { userId: 'a' }))
  const age = (device: Registration, seconds: number) =>
    database.query("UPDATE devices SET registered_at = now() - $2 * interval '1 s' WHERE activation_id = $1", [
      device.activationId,
      seconds,
    ])
  await age(older, 3600)
  await age(ofB, 60)
  await database.query('UPDATE devices SET dropped_at = now() WHERE activation_id = $1', [gone.activationId])

  const audience = await store.messages.audience(appId, ['a', 'b', 'nobody'])
  t.same(audience?.configured.toSorted(), ['huawei', 'ios'])
  t.match(
    audience?.recipients,
    [newer, ofB, older].map(({ applicationId: _, ...device }) => device),
    'latest registration first',
  )
  t.equal(audience?.recipients.length, 3)
  t.type(audience?.recipients[0]?.deviceId, 'number')
})

t.test('messages: what is stored', async (t) => {
  const { id } = await makeApplication(fixture)
  const validUntil = Date.UTC(2030, 0, 1)
  const [one, two] = [
    message({ validUntil, silent: true, priority: 'NORMAL' }),
    message({ activationId: 'x', personal: true }),
  ]
  const [iosSeed, androidSeed] = [randomUUID(), randomUUID()]
  const delivery = (messageId: string, seed: string | null, position = 0) => ({
    messageId,
    chunk: seed === null ? null : { seed, position },
    recipient: recipient({ deviceId: 7, environment: 'development' }),
    status: 'pending' as 'pending' | 'failed' | 'skipped',
    reason: null as string | null,
  })
  const chunks = await store.messages.store({
    applicationId: id,
    messages: [one, two],
    chunks: [
      { seed: iosSeed, platform: 'ios', total: 2 },
      { seed: androidSeed, platform: 'android', total: 1 },
    ],
    deliveries: [
      delivery(one.id, iosSeed, 0),
      delivery(two.id, iosSeed, 1),
      delivery(one.id, androidSeed, 0),
      { ...delivery(one.id, null), status: 'failed', reason: 'NotConfigured' },
      { ...delivery(two.id, null), status: 'skipped', reason: 'NotActive' },
    ],
    waiter: 'gateway',
    maxAgeMs: 60_000,
  })
  t.same(chunks.map(({ platform, paused }) => [platform, paused]).toSorted(), [
    ['android', false],
    ['ios', false],
  ])
  t.same(
    await database.query(
      `SELECT platform, lane, total, waiter, try, epoch, sent, failed, owner, reasons,
         expires_at BETWEEN now() + interval '50 s' AND now() + interval '60 s' AS expires, due_at <= now() AS due,
         (SELECT count(*)::int FROM deliveries d WHERE d.chunk_id = chunks.id AND d.status = 'pending') AS deliveries
       FROM chunks WHERE id = ANY($1) ORDER BY platform`,
      [chunks.map((chunk) => chunk.id)],
    ),
    [
      ['android', 1],
      ['ios', 2],
    ].map(([platform, total]) => ({
      platform,
      lane: 'direct',
      total,
      waiter: 'gateway',
      try: 0,
      epoch: 0,
      sent: 0,
      failed: 0,
      owner: null,
      reasons: {},
      expires: true,
      due: true,
      deliveries: total,
    })),
  )
  t.same(
    await database.query(
      'SELECT id, activation_id, priority, silent, personal, body, valid_until FROM messages WHERE id = ANY($1) ORDER BY silent DESC',
      [[one.id, two.id]],
    ),
    [
      {
        id: one.id,
        activation_id: null,
        priority: 'NORMAL',
        silent: true,
        personal: false,
        body: one.body,
        valid_until: new Date(validUntil),
      },
      {
        id: two.id,
        activation_id: 'x',
        priority: 'HIGH',
        silent: false,
        personal: true,
        body: two.body,
        valid_until: null,
      },
    ],
  )
  const counts = (await store.messages.tally([one.id, two.id])).map(({ platform, status, count }) => [
    platform,
    status,
    count,
  ])
  t.same(counts.toSorted(), [
    ['ios', 'failed', 1],
    ['ios', 'pending', 3],
  ])
  t.same(await store.messages.tally([two.id]), [{ platform: 'ios', status: 'pending', count: 1 }], 'skipped left out')
  t.same(await store.messages.tally([randomUUID()]), [])
})

t.test('messages: all of a request is stored, or nothing', async (t) => {
  const { id } = await makeApplication(fixture)
  const [good, bad] = [message(), message({ priority: 'TOO LONG FOR ITS COLUMN' })]
  await t.rejects(
    store.messages.store({
      applicationId: id,
      messages: [good, bad],
      chunks: [],
      deliveries: [],
      waiter: null,
      maxAgeMs: 1,
    }),
  )
  const seed = randomUUID()
  await t.rejects(
    store.messages.store({
      applicationId: id,
      messages: [good],
      chunks: [{ seed, platform: 'ios', total: 1 }],
      deliveries: [
        {
          messageId: good.id,
          chunk: { seed, position: 0 },
          recipient: recipient(),
          status: 'sold' as 'pending',
          reason: null,
        },
      ],
      waiter: null,
      maxAgeMs: 1,
    }),
  )
  t.same(await database.query('SELECT 1 FROM messages WHERE application_id = $1', [id]), [])
  t.same(await database.query('SELECT 1 FROM chunks WHERE application_id = $1', [id]), [])
})

t.test('claims: one of two at once wins, and gets everything it needs', async (t) => {
  const { id } = await makeApplication(fixture)
  await store.credentials.put({ applicationId: id, platform: 'ios' }, { settings: {}, secret: Buffer.from('secret') })
  const version = (await store.credentials.open({ applicationId: id, platform: 'ios' }))?.version
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const claims = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => store.chunks.claim(chunk.id, owner, LEASE_MS)))
  const won = claims.filter((claim) => claim !== undefined)
  t.equal(won.length, 1)
  t.match(won[0], {
    id: chunk.id,
    epoch: 1,
    applicationId: id,
    platform: 'ios',
    lane: 'direct',
    try: 0,
    seed: chunk.seed,
    credentialsVersion: version,
    laterDueAt: null,
    messages: [
      { id: chunk.messageId, body: { title: 'Balance update' }, silent: false, priority: 'HIGH', validUntil: null },
    ],
  })
  t.same(
    won[0]?.deliveries.map((delivery) => delivery.id),
    chunk.deliveries,
  )
  t.match(won[0]?.deliveries[1], {
    position: 1,
    messageId: chunk.messageId,
    environment: null,
    attempts: 0,
    token: /^[0-9a-f]{64}$/,
  })
  t.ok(Math.abs((won[0]?.expiresAt ?? 0) - Date.now() - 3_600_000) < 10_000)
  t.ok(Math.abs((won[0]?.messages[0]?.createdAt ?? 0) - Date.now()) < 10_000)
  t.match(await chunkState(fixture, chunk.id), { owner: ['a', 'b', 'c', 'd'][claims.findIndex(Boolean)], leased: true })
  t.equal(await store.chunks.claim(chunk.id, 'e', LEASE_MS), undefined, 'not while it is leased')
  t.equal(await store.chunks.claim(2 ** 40, 'e', LEASE_MS), undefined, 'no such chunk')
})

t.test('claims: not before it is due, and only the deliveries that are', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const due = (interval: string) =>
    database.query('UPDATE chunks SET due_at = now() + $2::interval WHERE id = $1', [chunk.id, interval])
  await due('5 s')
  t.equal(await store.chunks.claim(chunk.id, 'a', LEASE_MS), undefined)
  await due('500 ms')
  const claim = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
  t.ok(claim, 'clocks may differ by a second')
  if (!claim) return
  t.equal(claim.credentialsVersion, null, 'no credentials')
  const [sent, soon, later] = chunk.deliveries
  const at = Date.now() + 60_000
  await store.chunks.release(claim, 'a', {
    deliveries: [
      outcome(sent),
      outcome(soon, { status: 'pending', reason: 'Busy', attempts: 1, nextAttemptAt: Date.now() }),
      outcome(later, { status: 'pending', reason: 'Busy', attempts: 2, nextAttemptAt: at }),
    ],
    deadTokens: [],
    dueAt: Date.now(),
  })
  const again = await store.chunks.claim(chunk.id, 'b', LEASE_MS)
  t.match(again?.deliveries, [{ id: soon, attempts: 1 }])
  t.equal(again?.deliveries.length, 1)
  t.equal(again?.laterDueAt, at, 'when the next one is')
  t.match(again, { epoch: 2, try: 1 })
})

t.test('claims: after the lease another takes it, and the former can write nothing', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 2 })
  const former = await store.chunks.claim(chunk.id, 'a', 50)
  if (!former) return t.fail('not claimed')
  const latter = await until('the end of the lease', () => store.chunks.claim(chunk.id, 'b', LEASE_MS))
  t.equal(latter.epoch, former.epoch + 1)
  const before = await chunkState(fixture, chunk.id)
  const records = { deliveries: [outcome(chunk.deliveries[0])], deadTokens: [] }
  t.equal(await store.chunks.record(former, 'a', records), undefined)
  t.equal(await store.chunks.release(former, 'a', { ...records, dueAt: null }), undefined)
  t.same(await store.chunks.renew('a', [former], LEASE_MS), [])
  t.equal(
    await store.chunks.record({ ...latter, epoch: former.epoch }, 'b', records),
    undefined,
    'nor an old claim of its own',
  )
  t.equal(await store.chunks.record(latter, 'a', records), undefined, 'nor in another’s name')
  t.same(await chunkState(fixture, chunk.id), before)
  t.same(await store.messages.tally([chunk.messageId]), [{ platform: 'ios', status: 'pending', count: 2 }])
  t.same(await store.chunks.renew('b', [latter], LEASE_MS), [{ id: chunk.id, paused: false }])
})

t.test('claims: renewing makes the lease longer, for those still held', async (t) => {
  const { id } = await makeApplication(fixture)
  const [held, settled] = [await storeChunk(fixture, id), await storeChunk(fixture, id)]
  const claims = [await store.chunks.claim(held.id, 'a', 1000), await store.chunks.claim(settled.id, 'a', 1000)]
  const [claim, done] = claims
  if (!claim || !done) return t.fail('not claimed')
  await store.chunks.release(done, 'a', { deliveries: [outcome(settled.deliveries[0])], deadTokens: [], dueAt: null })
  t.same(await store.chunks.renew('a', [claim, done], 60_000), [{ id: held.id, paused: false }])
  const [row] = await database.query<{ long: boolean }>(
    "SELECT lease_until > now() + interval '50 s' AS long FROM chunks WHERE id = $1",
    [held.id],
  )
  t.ok(row?.long)
  t.same(await store.chunks.renew('a', [], 60_000), [])
})

t.test('claims: what a late owner records while the next one claims is not pushed again', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 2 })
  const [first, second] = chunk.deliveries
  const late = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
  if (!late) return t.fail('not claimed')
  await database.query("UPDATE chunks SET lease_until = now() - interval '1 s' WHERE id = $1", [chunk.id])
  const holder = await transaction(t)
  await holder.query('SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE', [first])
  const released = store.chunks.release(late, 'a', { deliveries: [outcome(first)], deadTokens: [], dueAt: null })
  await whileBlocked(fixture, 1, released)
  const claimed = store.chunks.claim(chunk.id, 'b', LEASE_MS)
  await whileBlocked(fixture, 2, claimed)
  await holder.query('COMMIT')
  const [release, claim] = [await released, await claimed]
  const wanted = release ? [second] : [first, second]
  t.same(
    claim?.deliveries.map((delivery) => delivery.id),
    wanted,
  )
})

t.test('records: checkpoints add up and keep the claim, a release settles', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 6 })
  const claim = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  const failed = (index: number, reason: string) => outcome(chunk.deliveries[index], { status: 'failed', reason })
  const pages = [
    [outcome(chunk.deliveries[0], { providerId: 'apns-id' }), failed(1, 'Unregistered')],
    [failed(2, 'Unregistered'), failed(3, 'BadDeviceToken')],
    [],
  ]
  for (const deliveries of pages)
    t.match(await store.chunks.record(claim, 'a', { deliveries, deadTokens: [] }), {
      settled: false,
      try: 0,
      dropped: 0,
    })
  t.match(await chunkState(fixture, chunk.id), {
    owner: 'a',
    leased: true,
    settled: false,
    try: 0,
    sent: 1,
    failed: 3,
    reasons: { Unregistered: 2, BadDeviceToken: 1 },
  })
  const rest = [outcome(chunk.deliveries[4]), failed(5, 'Unregistered')]
  t.match(await store.chunks.release(claim, 'a', { deliveries: rest, deadTokens: [], dueAt: null }), {
    settled: true,
    try: 1,
  })
  t.match(await chunkState(fixture, chunk.id), {
    owner: null,
    leased: false,
    settled: true,
    sent: 2,
    failed: 4,
    reasons: { Unregistered: 3, BadDeviceToken: 1 },
  })
  t.same(
    await database.query(
      'SELECT status, reason, attempts, provider_id FROM deliveries WHERE chunk_id = $1 ORDER BY position LIMIT 2',
      [chunk.id],
    ),
    [
      { status: 'sent', reason: null, attempts: 1, provider_id: 'apns-id' },
      { status: 'failed', reason: 'Unregistered', attempts: 1, provider_id: null },
    ],
  )
  t.equal(await store.chunks.claim(chunk.id, 'b', LEASE_MS), undefined, 'settled is settled')
  t.same(await store.chunks.answered([chunk.id]), [chunk.id])
})

t.test('records: what is told twice counts once', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const claim = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  // As when a connection broke after the commit and before its answer.
  const page = [
    outcome(chunk.deliveries[0]),
    outcome(chunk.deliveries[1], { status: 'failed', reason: 'Unregistered' }),
  ]
  for (let n = 0; n < 2; n++) await t.resolves(store.chunks.record(claim, 'a', { deliveries: page, deadTokens: [] }))
  t.match(await chunkState(fixture, chunk.id), { sent: 1, failed: 1, reasons: { Unregistered: 1 } })
  const rest = { deliveries: [...page, outcome(chunk.deliveries[2])], deadTokens: [], dueAt: null }
  t.match(await store.chunks.release(claim, 'a', rest), { settled: true })
})

t.test('records: a release with something pending makes the chunk due again', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 2 })
  const claim = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  const at = Date.now() + 20_000
  const pending = outcome(chunk.deliveries[1], { status: 'pending', reason: 'Busy', nextAttemptAt: at })
  const release = await store.chunks.release(claim, 'a', {
    deliveries: [outcome(chunk.deliveries[0]), pending],
    deadTokens: [],
    dueAt: at,
  })
  t.match(release, { settled: false, try: 1 })
  t.ok(Math.abs((release?.delayMs ?? 0) - 20_000) < 2_000, `due in ${release?.delayMs} ms`)
  t.match(await chunkState(fixture, chunk.id), {
    owner: null,
    leased: false,
    settled: false,
    try: 1,
    sent: 1,
    failed: 0,
  })
  t.same(await store.chunks.answered([chunk.id]), [chunk.id], 'parked is an answer too')

  const untouched = await storeChunk(fixture, id)
  t.same(await store.chunks.answered([untouched.id]), [])
  const second = await store.chunks.claim(untouched.id, 'a', LEASE_MS)
  if (!second) return t.fail('not claimed')
  const now = await store.chunks.release(second, 'a', { ...NOTHING, dueAt: null })
  t.match(now, { settled: false, try: 1 })
  t.ok((now?.delayMs ?? Number.NaN) < 1, 'but for the rounding to milliseconds')
  t.ok(await store.chunks.claim(untouched.id, 'b', LEASE_MS), 'at once')
})

t.test('records: dead tokens drop the devices registered before, of this application and platform', async (t) => {
  const [mine, other] = [await makeApplication(fixture), await makeApplication(fixture)]
  const [dead, back, kept] = [hex(), hex(), hex()]
  await insertDevice(registration(mine.id, { token: dead, userId: 'dropped' }))
  await insertDevice(registration(mine.id, { token: dead, userId: 'dropped too' }))
  await insertDevice(registration(mine.id, { token: back, userId: 'registered again' }))
  await insertDevice(registration(mine.id, { token: kept, userId: 'another token' }))
  await insertDevice(registration(mine.id, { token: dead, userId: 'another platform', platform: 'android' }))
  await insertDevice(registration(other.id, { token: dead, userId: 'another application' }))
  const since = Date.now() - 60_000
  await database.query("UPDATE devices SET registered_at = now() - interval '1 hour' WHERE token = ANY($1)", [
    [dead, kept],
  ])
  const chunk = await storeChunk(fixture, mine.id)
  const claim = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  const records = {
    deliveries: [],
    deadTokens: [dead, back].map((token) => ({ token, reason: 'Unregistered', since })),
  }
  t.match((await store.chunks.record({ ...claim, epoch: 99 }, 'a', records)) ?? {}, {}, 'not without the claim')
  const dropped = () =>
    database.query<{ name: string; reason: string }>(
      'SELECT user_id AS name, drop_reason AS reason FROM devices WHERE application_id = ANY($1) AND dropped_at IS NOT NULL ORDER BY 1',
      [[mine.id, other.id]],
    )
  t.same(await dropped(), [])
  t.match(await store.chunks.record(claim, 'a', records), { dropped: 2 })
  t.same(await dropped(), [
    { name: 'dropped', reason: 'Unregistered' },
    { name: 'dropped too', reason: 'Unregistered' },
  ])
  t.match(await store.chunks.record(claim, 'a', records), { dropped: 0 }, 'once')
})

t.test('notifications: the waiter is told on release, whether settled or parked', async (t) => {
  const { id } = await makeApplication(fixture)
  const channel = `Gateway ${randomUUID()}`
  const told: string[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => told.push(payload),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const [settled, parked, silent] = [
    await storeChunk(fixture, id, { waiter: channel }),
    await storeChunk(fixture, id, { waiter: channel }),
    await storeChunk(fixture, id),
  ]
  for (const chunk of [silent, settled, parked]) {
    const claim = await store.chunks.claim(chunk.id, 'a', LEASE_MS)
    if (!claim) return t.fail('not claimed')
    const deliveries = chunk === parked ? [] : [outcome(chunk.deliveries[0])]
    await store.chunks.record(claim, 'a', NOTHING)
    t.equal(told.includes(String(chunk.id)), false, 'not by a checkpoint')
    await store.chunks.release(claim, 'a', { deliveries, deadTokens: [], dueAt: Date.now() + 60_000 })
  }
  await until('both', () => told.length >= 2)
  t.same(told, [String(settled.id), String(parked.id)])
})

t.test('notifications: a broken connection is made anew, and the listener is told', async (t) => {
  const channel = `gateway ${randomUUID()}`
  const told: string[] = []
  const errors: Error[] = []
  let reconnected = 0
  const other = open(database.url, { onError: (error) => errors.push(error) })
  t.teardown(() => other.close())
  const listener = await other.listen({
    channel,
    onNotification: (payload) => told.push(payload),
    onReconnect: () => void reconnected++,
  })
  const pids = async () =>
    (
      await database.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE query = $1', [
        `LISTEN "${channel}"`,
      ])
    ).map(({ pid }) => pid)
  const notify = (payload: string) => database.query('SELECT pg_notify($1, $2)', [channel, payload])
  await notify('one')
  await until('the first', () => told.includes('one'))
  for (let n = 1; n <= 2; n++) {
    const [pid] = await pids()
    await database.query('SELECT pg_terminate_backend($1)', [pid])
    await until('the reconnect', () => reconnected === n)
    await notify(`after ${n}`)
    await until('the next', () => told.includes(`after ${n}`))
  }
  t.same(told, ['one', 'after 1', 'after 2'])
  t.ok(errors.length > 0, 'the fault is told')
  await listener.close()
  await until('the connection to end', async () => (await pids()).length === 0)
  t.equal(reconnected, 2, 'a closed one stays closed')
})

t.test('notifications: a first connection that fails is told', async (t) => {
  const nowhere = open('postgres://postgres@127.0.0.1:1/nothing')
  t.teardown(() => nowhere.close())
  await t.rejects(nowhere.listen({ channel: 'c', onNotification: () => {}, onReconnect: () => {} }), {
    code: 'ECONNREFUSED',
  })
})

t.test('sweep: due, in nobody’s hands, not paused, not swept already', async (t) => {
  const { id } = await makeApplication(fixture)
  const paused = await makeApplication(fixture)
  /** Due for 20 s, unless `sql` says otherwise. */
  const later = async (applicationId: number, sql: string) => {
    const chunk = await storeChunk(fixture, applicationId)
    await database.query("UPDATE chunks SET due_at = now() - interval '20 s' WHERE id = $1", [chunk.id])
    await database.query(`UPDATE chunks SET ${sql} WHERE id = $1`, [chunk.id])
    return chunk.id
  }
  const due = [
    await later(id, 'try = 3'),
    await later(id, "lease_until = now() - interval '1 s', owner = 'dead'"),
    await later(id, "swept_at = now() - interval '11 s'"),
  ]
  await later(id, "due_at = now() - interval '5 s'")
  await later(id, "due_at = now() + interval '1 h'")
  await later(id, "lease_until = now() + interval '10 s', owner = 'alive'")
  await later(id, 'settled_at = now()')
  await later(id, "swept_at = now() - interval '5 s'")
  await later(paused.id, 'try = 0')
  await database.query(
    "INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at) VALUES ($1, 'ios', 'all', 'fault', now())",
    [paused.id],
  )
  const swept = await store.chunks.sweep(10_000, 100)
  t.same(
    swept.map((chunk) => chunk.id).toSorted((a, b) => a - b),
    due,
  )
  t.match(
    swept.find((chunk) => chunk.id === due[0]),
    { platform: 'ios', lane: 'direct', try: 3 },
  )
  t.same(await store.chunks.sweep(10_000, 100), [], 'not again within the time')
  await database.query("UPDATE chunks SET swept_at = now() - interval '11 s' WHERE id = $1", [due[0]])
  t.same(
    (await store.chunks.sweep(10_000, 100)).map((chunk) => chunk.id),
    [due[0]],
    'but after it',
  )
})

t.test('sweep: several at once share the work', async (t) => {
  const { id } = await makeApplication(fixture)
  const other = open(database.url)
  t.teardown(() => other.close())
  const seeds = Array.from({ length: 60 }, () => randomUUID())
  const chunks = await store.messages.store({
    applicationId: id,
    messages: [],
    chunks: seeds.map((seed) => ({ seed, platform: 'ios', total: 1 })),
    deliveries: [],
    waiter: null,
    maxAgeMs: 3_600_000,
  })
  await database.query("UPDATE chunks SET due_at = now() - interval '20 s' WHERE application_id = $1", [id])
  const rounds = await Promise.all([store, other, store, other].map(({ chunks }) => chunks.sweep(10_000, 25)))
  t.ok(rounds.every((round) => round.length <= 25))
  const seen = rounds.flat().map((chunk) => chunk.id)
  t.equal(new Set(seen).size, seen.length, 'no chunk twice')
  for (const rest = new Set(seen); rest.size < chunks.length;) {
    const round = await store.chunks.sweep(10_000, 25)
    if (round.length === 0) return t.fail('some were left out')
    for (const chunk of round) rest.add(chunk.id)
  }
  t.same(await store.chunks.sweep(10_000, 25), [])
})

t.test('expire: what is too old fails, paused or not, and its waiter is told', async (t) => {
  const { id } = await makeApplication(fixture)
  const channel = `gateway ${randomUUID()}`
  const told: string[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => told.push(payload),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const [old, inHand, young] = [
    await storeChunk(fixture, id, { deliveries: 3, waiter: channel }),
    await storeChunk(fixture, id),
    await storeChunk(fixture, id),
  ]
  const claim = await store.chunks.claim(old.id, 'a', LEASE_MS)
  const held = await store.chunks.claim(inHand.id, 'a', LEASE_MS)
  if (!claim || !held) return t.fail('not claimed')
  await store.chunks.record(claim, 'a', { deliveries: [outcome(old.deliveries[0])], deadTokens: [] })
  await database.query("UPDATE chunks SET expires_at = now() - interval '1 s' WHERE id = ANY($1)", [
    [old.id, inHand.id],
  ])
  await database.query("UPDATE chunks SET lease_until = now() - interval '1 s' WHERE id = $1", [old.id])
  await database.query(
    "INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at) VALUES ($1, 'ios', 'all', 'fault', now())",
    [id],
  )
  const expired = await store.chunks.expire(100)
  t.same(
    expired.map(({ id, platform }) => [id, platform]),
    [[old.id, 'ios']],
  )
  t.match(await chunkState(fixture, old.id), { settled: true, owner: null, sent: 1, failed: 2, reasons: { TooOld: 2 } })
  t.match(await chunkState(fixture, young.id), { settled: false })
  t.match(await chunkState(fixture, inHand.id), { settled: false, owner: 'a' })
  t.same(
    await database.query('SELECT status, reason FROM deliveries WHERE chunk_id = $1 ORDER BY position', [old.id]),
    [
      { status: 'sent', reason: null },
      { status: 'failed', reason: 'TooOld' },
      { status: 'failed', reason: 'TooOld' },
    ],
  )
  t.equal(
    await store.chunks.record(claim, 'a', { deliveries: [outcome(old.deliveries[1])], deadTokens: [] }),
    undefined,
  )
  await until('the waiter', () => told.length > 0)
  t.same(told, [String(old.id)])
  t.same(await store.chunks.expire(100), [], 'once')
})

/** An application with credentials of a version. */
async function configured() {
  const { id, appId } = await makeApplication(fixture)
  const key = { applicationId: id, platform: 'ios' as const }
  const put = () => store.credentials.put(key, { settings: {}, secret: Buffer.from('secret') })
  const version = async () => (await store.credentials.open(key))?.version ?? Number.NaN
  const pauses = async () => (await store.applications.find(appId))?.pauses
  await put()
  return { id, key, put, version, pauses }
}

t.test('pause: nothing is claimed, waiters are told, new credentials end it', async (t) => {
  const { id, key, put, version, pauses } = await configured()
  const channel = `gateway ${randomUUID()}`
  const told: string[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => told.push(payload),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const [waiting, silent, android] = [
    await storeChunk(fixture, id, { waiter: channel }),
    await storeChunk(fixture, id),
    await storeChunk(fixture, id, { platform: 'android', waiter: channel }),
  ]
  const inHand = await storeChunk(fixture, id)
  const claim = await store.chunks.claim(inHand.id, 'a', LEASE_MS)
  const settled = await storeChunk(fixture, id, { waiter: channel })
  await database.query('UPDATE chunks SET settled_at = now() WHERE id = $1', [settled.id])
  const target = { ...key, version: await version(), reason: 'InvalidProviderToken' }
  t.equal(await store.pauses.pause(target), true)
  t.equal(await store.pauses.pause(target), false, 'paused already')
  t.match(await pauses(), [{ platform: 'ios', lanes: 'all', reason: 'InvalidProviderToken', pausedAt: Date }])
  for (const chunk of [waiting, silent]) t.equal(await store.chunks.claim(chunk.id, 'b', LEASE_MS), undefined)
  t.ok(await store.chunks.claim(android.id, 'b', LEASE_MS), 'another platform goes on')
  if (claim) t.same(await store.chunks.renew('a', [claim], LEASE_MS), [{ id: inHand.id, paused: true }])
  t.match(await storeChunk(fixture, id), { paused: true }, 'a chunk stored meanwhile is known to be paused')
  await until('the waiter', () => told.length > 0)
  t.same(told, [String(waiting.id)])

  await database.query("UPDATE chunks SET due_at = now() + interval '1 h', swept_at = now() WHERE id = $1", [
    waiting.id,
  ])
  await put()
  t.same(await pauses(), [])
  const due = await database.query('SELECT 1 FROM chunks WHERE id = ANY($1) AND due_at <= now() AND swept_at IS NULL', [
    [waiting.id, silent.id],
  ])
  t.equal(due.length, 2, 'what waited is due')
  t.ok(await store.chunks.claim(waiting.id, 'b', LEASE_MS))
})

t.test('pause: ends with the credentials too', async (t) => {
  const { id, key, version, pauses } = await configured()
  const chunk = await storeChunk(fixture, id)
  await store.pauses.pause({ ...key, version: await version(), reason: 'fault' })
  await store.credentials.remove(key)
  t.same(await pauses(), [])
  t.match(await store.chunks.claim(chunk.id, 'a', LEASE_MS), { credentialsVersion: null })
})

t.test('pause: not for credentials that were changed meanwhile', async (t) => {
  const { id, key, put, version, pauses } = await configured()
  const former = await version()
  await put()
  t.equal(await store.pauses.pause({ ...key, version: former, reason: 'fault' }), false)
  t.same(await pauses(), [])
  t.ok(await store.chunks.claim((await storeChunk(fixture, id)).id, 'a', LEASE_MS))
})

t.test('pause: not for credentials that are being changed at this moment', async (t) => {
  const { key, version, pauses } = await configured()
  const former = await version()
  // As `credentials.put` does: the new version, then the end of a pause.
  const holder = await transaction(t)
  await holder.query("UPDATE credentials SET version = nextval('credentials_version_seq') WHERE application_id = $1", [
    key.applicationId,
  ])
  await holder.query('DELETE FROM provider_pauses WHERE application_id = $1', [key.applicationId])
  const paused = store.pauses.pause({ ...key, version: former, reason: 'fault' })
  await whileBlocked(fixture, 1, paused)
  await holder.query('COMMIT')
  t.equal(await paused, false)
  t.same(await pauses(), [])
})

t.test('provider tokens: 20 at once over two processes mint one', async (t) => {
  const other = open(database.url)
  t.teardown(() => other.close())
  const key = `apns/${randomUUID()}`
  let minted = 0
  const now = Date.now()
  const mint = async () => {
    const value = `token ${++minted}`
    await new Promise(setImmediate)
    return { value, issuedAt: now, expiresAt: now + 60_000 }
  }
  const take = (from: typeof store) => from.providerTokens.take(key, (token) => token.expiresAt > Date.now(), mint)
  const taken = await Promise.all(Array.from({ length: 20 }, (_, index) => take(index % 2 === 0 ? store : other)))
  t.equal(minted, 1)
  for (const token of taken) t.same(token, { value: 'token 1', issuedAt: now, expiresAt: now + 60_000 })
  const [row] = await database.query<{ value: Buffer }>('SELECT value FROM provider_tokens WHERE key = $1', [key])
  t.notOk(row?.value.includes('token'), 'kept sealed')
  const stale = await other.providerTokens.take(key, () => false, mint)
  t.equal(stale.value, 'token 2', 'one that is not fresh is replaced')
  t.equal((await take(store)).value, 'token 2', 'for all')
})

t.test('provider tokens: a mint that fails leaves nothing behind', async (t) => {
  const key = `apns/${randomUUID()}`
  const fault = new Error('no key')
  await t.rejects(
    store.providerTokens.take(
      key,
      () => true,
      () => Promise.reject(fault),
    ),
    fault,
  )
  const token = { value: 'minted', issuedAt: Date.now(), expiresAt: Date.now() }
  t.same(
    await store.providerTokens.take(
      key,
      () => true,
      async () => token,
    ),
    token,
  )
})

t.test('provider tokens: one that no key opens any more is minted anew', async (t) => {
  const key = `apns/${randomUUID()}`
  const mint = (value: string) => async () => ({ value, issuedAt: Date.now(), expiresAt: Date.now() + 60_000 })
  await store.providerTokens.take(key, () => true, mint('old'))
  const rotated = open(database.url, { encryptionKey: newKey() })
  t.teardown(() => rotated.close())
  t.match(await rotated.providerTokens.take(key, () => true, mint('new')), { value: 'new' })
})

t.test('a connection that breaks within a transaction ends the transaction, not the process', async (t) => {
  const program = `
    import { openStore } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    import pg from ${JSON.stringify(import.meta.resolve('pg'))}
    const url = ${JSON.stringify(database.url)}
    const store = openStore({ url, connections: 2, encryptionKey: ${JSON.stringify(KEY)}, onError() {} })
    const killer = new pg.Client({ connectionString: url })
    await killer.connect()
    const token = { value: 'minted', issuedAt: 0, expiresAt: 0 }
    const outcome = await store.providerTokens.take('broken', () => true, async () => {
      await killer.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
      return token
    }).then(() => 'kept', () => 'rejected')
    const next = await store.providerTokens.take('broken', () => true, async () => token)
    await killer.end()
    await store.close()
    console.log(outcome, next.value)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  t.equal(stderr, '')
  t.equal(stdout, 'rejected minted\n')
  t.equal(code, 0)
})
