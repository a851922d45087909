// API keys, on a real PostgreSQL.
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import type { NewApiKey } from '../src/index.ts'
import { makeApplication, openFixture } from './_fixtures.ts'

const fixture = await openFixture()
const { store } = fixture
t.teardown(() => fixture.close())

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

  const EVERY_MS = 3_600_000
  await keys.touch(first.id, EVERY_MS)
  const used = (await keys.find(first.id))?.lastUsedAt
  t.ok(used)
  await keys.touch(first.id, EVERY_MS)
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
