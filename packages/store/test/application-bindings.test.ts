// Keys are bound to rows of applications: what the migration makes of those that knew names alone, and what races leave.
import { randomBytes, randomUUID } from 'node:crypto'
import { cp, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabase } from '@push-server/testing'
import t from 'tap'
import { migrate } from '../src/index.ts'
import { makeApplication, open, openFixture, openTransaction, whileBlocked } from './_fixtures.ts'

const MIGRATIONS = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url))
const BINDINGS = '20261128231000_application_bindings'

t.test('the migration binds keys to the applications that were there before them, and widens none', async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  const before = t.testdir({})
  for (const name of await readdir(MIGRATIONS))
    if (name < BINDINGS) await cp(join(MIGRATIONS, name), join(before, name), { recursive: true })
  await migrate(database.url, { directory: before })
  await database.query(
    "INSERT INTO applications (app_id, created_at) VALUES ('old', now() - interval '1 day'), ('old-too', now() - interval '1 day'), ('anew', now())",
  )
  const keys = {
    all: [],
    bound: ['old-too', 'old'],
    partly: ['gone', 'old', 'anew'],
    'to the former one': ['anew'],
    'to none': ['gone'],
  }
  for (const [id, names] of Object.entries(keys))
    await database.query(
      "INSERT INTO api_keys (id, name, hash, scopes, app_ids, created_at) VALUES ($1, $1, $2, '{admin}', $3, now() - interval '1 hour')",
      [id, randomBytes(32), names],
    )
  await migrate(database.url)
  const store = open(database.url)
  t.teardown(() => store.close())
  const found = await Promise.all(Object.keys(keys).map(async (id) => [id, (await store.apiKeys.find(id))?.appIds]))
  t.same(Object.fromEntries(found), {
    all: [],
    bound: ['old', 'old-too'],
    partly: ['old'],
    'to the former one': undefined,
    'to none': undefined,
  })
  t.same(
    await database.query('SELECT id, app_ids AS names, revoked_at IS NOT NULL AS revoked FROM api_keys ORDER BY id'),
    [
      { id: 'all', names: [], revoked: false },
      { id: 'bound', names: ['old-too', 'old'], revoked: false },
      { id: 'partly', names: ['old'], revoked: false },
      { id: 'to none', names: ['gone'], revoked: true },
      { id: 'to the former one', names: ['anew'], revoked: true },
    ],
  )
})

t.test('a key that is made while its application is removed is not made, or is revoked with it', async (t) => {
  const fixture = await openFixture()
  t.teardown(() => fixture.close())
  const { store } = fixture
  const { appId, id } = await makeApplication(fixture)
  const newKey = () => ({
    id: randomUUID(),
    name: 'Back end',
    hash: new Uint8Array(randomBytes(32)),
    scopes: ['message' as const],
    appIds: [appId],
  })
  const holder = await openTransaction(t, fixture)
  await holder.query('SELECT id FROM applications WHERE id = $1 FOR UPDATE', [id])
  const key = newKey()
  const creation = store.apiKeys.create(key)
  await whileBlocked(fixture, 1, creation)
  const removal = store.applicationRemovals.begin(appId)
  await whileBlocked(fixture, 2, removal)
  await holder.query('COMMIT')
  const [unknown, removed] = await Promise.all([creation, removal])
  const made = unknown.length === 0
  t.same(unknown, made ? [] : [appId])
  t.match(removed, { id, revokedKeys: made ? [key.id] : [] })
  t.equal(await store.apiKeys.find(key.id), undefined)
  t.same(await store.apiKeys.create(newKey()), [appId], 'afterwards there is no such application')
})
