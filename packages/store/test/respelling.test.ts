// iOS tokens that earlier versions have stored as they came: who is found under them, and how they are respelled beside
// processes of those versions. On the PostgreSQL of the npm package and on Debian's.
import { randomUUID } from 'node:crypto'
import { createDatabase, createDebianDatabase, noDebianPostgres } from '@push-server/testing'
import t, { type Test } from 'tap'
import { bucketOf } from '../src/devices/devices.ts'
import { respellingOf } from '../src/devices/respelling.ts'
import {
  everyPlatform,
  LEASE_MS,
  audienceOf,
  claimOne,
  makeApplication,
  newToken,
  openFixture,
  openTransaction,
  recordOne,
  registration,
  storeChunk,
  type Fixture,
  whileBlocked,
} from './_fixtures.ts'

const FAN_OUT = { usersPerPartition: 2, chunkSizes: everyPlatform(10), maxAgeMs: 3_600_000 }

t.test('of the spellings of a token the rows of the one registered last stay', async (t) => {
  const at = (second: number) => new Date(second * 1000)
  const row = (id: number, token: string, second: number, applicationId = 1) => ({
    id,
    applicationId,
    token,
    registeredAt: at(second),
  })
  for (const [name, rows, respelled, removed] of [
    ['one alone', [row(1, 'AA01', 1)], [1], []],
    ['all that share the last one', [row(1, 'AA01', 2), row(2, 'AA01', 3), row(3, 'aa01', 1)], [1, 2], [3]],
    ['the normal one, when it is the last', [row(1, 'AA01', 2), row(2, 'aa01', 3), row(3, 'Aa01', 1)], [], [1, 3]],
    ['at one time the one that was made last', [row(1, 'aa01', 1), row(2, 'AA01', 1)], [2], [1]],
    ['each application by itself', [row(1, 'AA01', 1), row(2, 'aa01', 2, 2)], [1], []],
    ['another token', [row(1, 'AA01', 1), row(2, 'aa02', 2)], [1], []],
  ] as const) {
    const changes = respellingOf(rows)
    t.same([changes.respelled.map(({ id }) => id), changes.removed], [respelled, removed], name)
    t.ok(changes.respelled.every(({ token }) => token === 'aa01'))
  }
})

/** As a process of an earlier version stores it. */
async function insertOld({ database }: Fixture, applicationId: number, token: string, more: object = {}) {
  const { userId, activationId, platform, second } = {
    userId: 'user',
    activationId: randomUUID(),
    platform: 'ios',
    second: 0,
    ...more,
  }
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO devices (application_id, activation_id, user_id, platform, token, active, bucket, registered_at)
     VALUES ($1, $2, $3, $4, $5, true, $6, now() - interval '1 hour' + $7 * interval '1 s') RETURNING id`,
    [applicationId, activationId, userId, platform, token, bucketOf(token), second],
  )
  return Number(row?.id)
}

/** As if the rows of the application had been there before the migration, and nothing before them. */
async function unnote({ database }: Fixture, applicationId: number) {
  await database.query('DELETE FROM device_respellings')
  await database.query(
    "INSERT INTO table_walks (name, after) SELECT 'devices', min(id) - 1 FROM devices WHERE application_id = $1",
    [applicationId],
  )
}

async function respellAll({ store }: Fixture, rows?: number) {
  const counts = { respelled: 0, removed: 0, steps: 0 }
  for (let step = await store.deviceRespelling.step(rows); step; step = await store.deviceRespelling.step(rows)) {
    counts.respelled += step.respelled
    counts.removed += step.removed
    counts.steps += 1
  }
  return counts
}

const left = async ({ database }: Fixture) => {
  const [row] = await database.query<{ left: number }>(
    `SELECT (SELECT count(*) FROM table_walks WHERE name = 'devices')::int + (SELECT count(*) FROM device_respellings)::int AS left`,
  )
  return row?.left
}

const rowsOf = ({ database }: Fixture, applicationId: number) =>
  database.query<{ id: number; token: string; user: string; bucket: number }>(
    `SELECT id::int, token, user_id AS "user", bucket FROM devices WHERE application_id = $1 ORDER BY id`,
    [applicationId],
  )

const tests: [name: string, test: (t: Test, fixture: Fixture) => Promise<void>][] = []
const onBoth = (...test: (typeof tests)[number]) => void tests.push(test)

onBoth('rows from before the migration are respelled in steps, whoever takes them', async (t, fixture) => {
  const { id } = await makeApplication(fixture)
  const expected: { id: number; token: string; user: string; bucket: number }[] = []
  for (let n = 0; n < 30; n++) {
    const [token, user] = [newToken(), `user-${n}`]
    // A third has one row, a third a later one in small letters, a third an earlier one.
    const second = n % 3
    const device = await insertOld(fixture, id, token.toUpperCase(), { userId: user, second: 1 })
    const other =
      second === 0
        ? undefined
        : await insertOld(fixture, id, token, { userId: `${user}-small`, second: second === 1 ? 2 : 0 })
    const [kept, owner] = second === 1 ? [other ?? 0, `${user}-small`] : [device, user]
    expected.push({ id: kept, token, user: owner, bucket: bucketOf(token) })
  }
  const android = newToken().toUpperCase()
  const other = await insertOld(fixture, id, android, { platform: 'android' })
  expected.push({ id: other, token: android, user: 'user', bucket: bucketOf(android) })
  await unnote(fixture, id)
  const counts = await Promise.all([respellAll(fixture, 7), respellAll(fixture, 7), respellAll(fixture, 7)])
  const rest = await respellAll(fixture, 7)
  const sum = (pick: (one: typeof rest) => number) => [...counts, rest].map(pick).reduce((a, b) => a + b, 0)
  t.same([sum((one) => one.respelled), sum((one) => one.removed)], [20, 20])
  t.ok(sum((one) => one.steps) >= 8, 'in several steps')
  t.same(
    await rowsOf(fixture, id),
    expected.toSorted((a, b) => a.id - b.id),
  )
  t.equal(await left(fixture), 0)
  t.same(await respellAll(fixture), { respelled: 0, removed: 0, steps: 0 }, 'again there is nothing')
})

onBoth('a step that dies leaves nothing half done, and the next one goes on', async (t, fixture) => {
  const { id } = await makeApplication(fixture)
  for (let n = 0; n < 20; n++) await insertOld(fixture, id, newToken().toUpperCase())
  await unnote(fixture, id)
  await fixture.store.deviceRespelling.step(5)
  const holder = await openTransaction(t, fixture)
  await holder.query('SELECT id FROM devices ORDER BY id DESC LIMIT 1 FOR UPDATE')
  const dying = fixture.store.deviceRespelling.step(100)
  await whileBlocked(fixture, 1, dying)
  await fixture.database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
  )
  await t.rejects(dying)
  await holder.query('ROLLBACK')
  t.equal((await rowsOf(fixture, id)).filter(({ token }) => token === token.toLowerCase()).length, 5)
  t.same(await respellAll(fixture, 100), { respelled: 15, removed: 0, steps: 2 })
  t.equal(await left(fixture), 0)
})

onBoth('what a process of an earlier version still stores is noted, and respelled too', async (t, fixture) => {
  const { database, store } = fixture
  const { id } = await makeApplication(fixture)
  const token = newToken()
  const device = registration(id, { token, userId: 'first' })
  await store.devices.register([device], { several: 'refuse' })
  t.equal(await left(fixture), 0, 'nothing is noted of what is spelled well')
  await insertOld(fixture, id, token.toUpperCase(), { userId: 'second', second: 7200 })
  t.equal(await left(fixture), 1)
  t.same(await respellAll(fixture), { respelled: 1, removed: 1, steps: 1 })
  t.match(await rowsOf(fixture, id), [{ token, user: 'second', bucket: bucketOf(token) }])
  // The same row again, in the middle of a step.
  await database.query('UPDATE devices SET token = $2 WHERE application_id = $1', [id, token.toUpperCase()])
  const former = await openTransaction(t, fixture)
  const renewed = newToken()
  await former.query('UPDATE devices SET token = $2 WHERE application_id = $1', [id, renewed.toUpperCase()])
  const step = store.deviceRespelling.step()
  await whileBlocked(fixture, 1, step)
  await former.query('COMMIT')
  await step
  await respellAll(fixture)
  t.match(await rowsOf(fixture, id), [{ token: renewed, bucket: bucketOf(renewed) }])
  t.equal(await left(fixture), 0)
})

onBoth(
  'a registration takes over what stands under another spelling, a step is under way or not',
  async (t, fixture) => {
    const { store } = fixture
    const { id, appId } = await makeApplication(fixture)
    const token = newToken()
    const old = await insertOld(fixture, id, token.toUpperCase(), { userId: 'first' })
    t.match(await store.devices.prospect(appId, [randomUUID()], { platform: 'ios', token }), { shared: false })
    await store.devices.register([registration(id, { token, userId: 'second' })], { several: 'refuse' })
    t.match(await rowsOf(fixture, id), [{ id: old, token, user: 'second' }])

    await fixture.database.query('UPDATE devices SET token = $2 WHERE application_id = $1', [id, token.toUpperCase()])
    const holder = await openTransaction(t, fixture)
    await holder.query('SELECT id FROM devices WHERE application_id = $1 FOR UPDATE', [id])
    const both = Promise.all([
      store.deviceRespelling.step(),
      store.devices.register([registration(id, { token, userId: 'third' })], { several: 'refuse' }),
    ])
    await whileBlocked(fixture, 2, both)
    await holder.query('COMMIT')
    await both
    await respellAll(fixture)
    t.match(await rowsOf(fixture, id), [{ id: old, token, user: 'third', bucket: bucketOf(token) }])
    await store.devices.remove(appId, token.toUpperCase())
    t.same(await rowsOf(fixture, id), [])
  },
)

onBoth('a token that a provider declares dead is dropped under every spelling', async (t, fixture) => {
  const { store, database } = fixture
  const { id } = await makeApplication(fixture)
  const [stored, spelled] = [newToken(), newToken()]
  await insertOld(fixture, id, stored.toUpperCase())
  await insertOld(fixture, id, spelled)
  await insertOld(fixture, id, spelled.toUpperCase(), { platform: 'android' })
  const chunk = await storeChunk(fixture, id)
  const claim = await claimOne(store, chunk.id, 'worker', LEASE_MS)
  if (!claim) throw new Error('Not claimed')
  const since = Date.now()
  const deadTokens = [stored, spelled.toUpperCase()].map((token) => ({ token, reason: 'Unregistered', since }))
  t.match(await recordOne(store, claim, 'worker', { deliveries: [], deadTokens }), { dropped: 2 })
  const rows = await database.query<{ platform: string }>(
    'SELECT platform FROM devices WHERE dropped_at IS NULL AND application_id = $1',
    [id],
  )
  t.same(rows, [{ platform: 'android' }], 'another platform’s token is another text')
})

onBoth('until it is over, messages and campaigns reach the spelling that was registered last', async (t, fixture) => {
  const { store, database } = fixture
  const { id, appId } = await makeApplication(fixture)
  const tokens = Array.from({ length: 12 }, newToken)
  for (const [n, token] of tokens.entries()) {
    await insertOld(fixture, id, token.toUpperCase(), { userId: `first-${n}`, second: 1 })
    await insertOld(fixture, id, token, { userId: `second-${n}`, second: n % 2 === 0 ? 2 : 0 })
  }
  await unnote(fixture, id)
  const owner = (n: number) => `${n % 2 === 0 ? 'second' : 'first'}-${n}`
  const users = tokens.flatMap((_, n) => [`first-${n}`, `second-${n}`])
  const reached = async () => (await audienceOf(store, appId, users))?.recipients.map(({ userId }) => userId).toSorted()
  t.same(await reached(), tokens.map((_, n) => owner(n)).toSorted())

  const campaignId = await store.campaigns.create({ applicationId: id, message: { title: 'x' }, validUntil: null })
  await store.campaigns.addUsers(campaignId, users)
  const started = await store.runs.start({ campaignId, rate: null, scheduledAt: null, resend: 'all' })
  if (!('runId' in started)) throw new Error('Refused')
  const run = { id: started.runId, campaignId, applicationId: id, audience: null }
  await store.runs.partition(run, FAN_OUT)
  t.ok(await store.runs.fanOut(run, FAN_OUT), 'a partition is cut')
  t.equal(await store.deviceRespelling.step(), undefined, 'no device changes its bucket meanwhile')
  for (let fanOut = await store.runs.fanOut(run, FAN_OUT); fanOut; fanOut = await store.runs.fanOut(run, FAN_OUT));
  t.equal(await store.deviceRespelling.step(), undefined, 'nor before the run is cut whole')
  await store.runs.finish(run.id)
  const pushed = await database.query<{ token: string; user: string }>(
    'SELECT unnest(tokens) AS token, unnest(user_ids) AS user FROM chunks WHERE run_id = $1',
    [run.id],
  )
  t.same(pushed.map(({ token }) => token.toLowerCase()).toSorted(), tokens.toSorted(), 'each phone once')
  t.same(pushed.map(({ user }) => user).toSorted(), tokens.map((_, n) => owner(n)).toSorted())
  t.match(await respellAll(fixture), { respelled: 6, removed: 12 })
  t.same(await reached(), tokens.map((_, n) => owner(n)).toSorted())
})

onBoth('activations of before are bound to the application that was there before them', async (t, fixture) => {
  const { store, database } = fixture
  const { id, appId } = await makeApplication(fixture)
  const insert = (name: string, made: string, applicationId: string | null) =>
    database.query(
      `INSERT INTO activations (activation_id, user_id, status, application_id, created_at) VALUES ($1, 'user', 'ACTIVE', $2, now() + $3::interval)`,
      [name, applicationId, made],
    )
  await insert('a', '0', appId)
  await insert('b', '-1 day', appId)
  await insert('c', '0', null)
  await insert('d', '0', 'gone')
  await insert('e', '0', appId)
  await database.query("INSERT INTO table_walks (name) VALUES ('activations')")
  let bound = 0
  for (let step = await store.activationBinding.step(2); step; step = await store.activationBinding.step(2))
    bound += step.bound
  t.equal(bound, 2)
  t.same(await database.query('SELECT activation_id AS a, application_row AS r FROM activations ORDER BY 1'), [
    { a: 'a', r: id },
    { a: 'b', r: null },
    { a: 'c', r: null },
    { a: 'd', r: null },
    { a: 'e', r: id },
  ])
  const known = (await store.activations.find(['a', 'b', 'c', 'd', 'e'])).map(({ activationId }) => activationId)
  t.same(known.toSorted(), ['a', 'c', 'e'], 'those of other applications are forgotten')
})

for (const { version, create, skip } of [
  { version: 'the embedded PostgreSQL', create: createDatabase, skip: false as const },
  { version: 'PostgreSQL 15', create: createDebianDatabase, skip: noDebianPostgres },
])
  await t.test(version, { skip }, async (t) => {
    const fixture = await openFixture(await create())
    t.teardown(() => fixture.close())
    for (const [name, test] of tests) await t.test(name, (t) => test(t, fixture))
  })
