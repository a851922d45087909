// What the store keeps beside chunks, on a real PostgreSQL. Races are made certain by holding a row from a connection of the
// test's own.
import { spawn } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { createDatabase } from '@push-server/testing'
import { changesFor } from '../src/device-rows.ts'
import { bucketOf, BUCKETS } from '../src/devices.ts'
import { createEncryption } from '../src/encryption.ts'
import { migrate, type MigrateOptions, type NewApiKey, type Registration } from '../src/index.ts'
import {
  insertDevice,
  KEY,
  makeApplication,
  message,
  newKey,
  newToken,
  open,
  openFixture,
  openTransaction,
  recipient,
  registration,
  whileBlocked,
} from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

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
  const failure = new Error('no key')
  await t.rejects(
    store.providerTokens.take(
      key,
      () => true,
      () => Promise.reject(failure),
    ),
    failure,
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
  return {
    directory,
    write,
    tables,
    empty,
    run: (more: MigrateOptions = {}) => migrate(empty.url, { directory, ...more }),
  }
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
  const staging = store.openDeviceImport(id)
  t.teardown(() => staging.close())
  const rowOf = (line: number, device: Registration, token: string) => ({
    line,
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
  const applied = staging.apply({ keep: true, signal: new AbortController().signal })
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
  for (const device of [newer, older, ofB, gone, registration(id, { userId: 'c' })]) await register(device)
  await register(registration((await makeApplication(fixture)).id, { userId: 'a' }))
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
         expires_at BETWEEN now() + interval '10 s' AND now() + interval '60 s' AS expires, due_at <= now() AS due,
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

const withoutHash = ({ hash: _, ...rest }: NewApiKey) => rest

t.test('API keys: found while they are in force, listed for ever, without their hash', async (t) => {
  const keys = store.apiKeys
  const { appId } = await makeApplication(fixture)
  const key = (more: Partial<NewApiKey> = {}): NewApiKey => ({
    id: randomUUID(),
    name: 'Back end',
    hash: new Uint8Array(randomBytes(32)),
    scopes: ['message', 'queue-ui'],
    appIds: [],
    ...more,
  })
  const first = key({ appIds: [appId] })
  t.equal(await keys.exist(), false)
  t.same(await Promise.all(Array.from({ length: 5 }, () => keys.createFirst(first))).then((made) => made.toSorted()), [
    false,
    false,
    false,
    false,
    true,
  ])
  t.equal(await keys.createFirst(key()), false, 'another is not the first')
  t.equal(await keys.exist(), true)
  t.same(await keys.find(first.id), { ...first, lastUsedAt: null, quota: null })
  t.equal(await keys.find('unknown'), undefined)
  t.same(await keys.create(key({ appIds: ['nowhere', appId, 'gone'] })), ['nowhere', 'gone'], 'nothing is made')

  const longAgo = new Date(Date.now() - 3_600_000)
  await keys.touch(first.id, longAgo)
  const used = (await keys.find(first.id))?.lastUsedAt
  t.ok(used)
  await keys.touch(first.id, longAgo)
  t.same((await keys.find(first.id))?.lastUsedAt, used, 'a use is noted once')

  const second = key()
  t.same(await keys.create(second), [])
  await t.rejects(keys.create(second), 'an id is one key’s')
  t.equal(await keys.revoke(first.id), true)
  t.equal(await keys.revoke(first.id), false)
  t.equal(await keys.find(first.id), undefined)
  const listed = await keys.list()
  t.match(listed, [
    { ...withoutHash(first), revokedAt: Date },
    { ...withoutHash(second), revokedAt: null },
  ])
  t.notOk(listed.some((row) => 'hash' in row))
  await keys.revoke(second.id)
  t.equal(await keys.exist(), true, 'there has been a key')

  for (const bad of [
    { scopes: [] },
    { scopes: ['everything' as 'message'] },
    { hash: new Uint8Array(16) },
    { id: 'x'.repeat(65) },
  ])
    await t.rejects(keys.create(key(bad)), JSON.stringify(bad).slice(0, 40))
  t.equal((await keys.list()).length, 2)
})
