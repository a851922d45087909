// Credentials and provider tokens, and the encryption that keeps them, on a real PostgreSQL.
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { createEncryption } from '../src/applications/encryption.ts'
import { makeApplication, newKey, open, openFixture } from './_fixtures.ts'

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
