// What goes when it is old, and above all what does not; on a real PostgreSQL.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import {
  claimOne,
  findKeyed,
  insertDevice,
  makeApplication,
  message,
  newToken,
  open,
  openFixture,
  openTransaction,
  outcome,
  recipient,
  registration,
  releaseOne,
  storeChunk,
  storeOnce,
  storeOne,
} from './_fixtures.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const LIMIT = 500

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())
const { retention } = store
const application = await makeApplication(fixture)

/** Messages of one request, each to a phone on either platform: a chunk for each platform. */
async function storeBatch(size: number, { keyed = false } = {}) {
  const messages = Array.from({ length: size }, () => message())
  const parts = (['ios', 'android'] as const).map((platform) => ({ seed: randomUUID(), platform }))
  const request = {
    applicationId: application.id,
    messages,
    chunks: parts,
    deliveries: parts.flatMap(({ seed, platform }) =>
      messages.map(({ id }, position) => ({
        messageId: id,
        chunk: { seed, position },
        recipient: recipient({ platform }),
        status: 'pending' as const,
        reason: null,
      })),
    ),
    waiter: null,
    maxAgeMs: DAY,
  }
  const chunks = keyed
    ? await storeOnce(store, request, { key: messages[0]?.id ?? '', digest: Buffer.from('x'), ageMs: DAY })
    : await storeOne(store, request)
  if (!Array.isArray(chunks)) throw new Error('The key was taken')
  return { ids: messages.map(({ id }) => id), chunks: chunks.map((chunk) => chunk.id) }
}

async function storeMessage(options: { keyed?: boolean } = {}) {
  const { ids, chunks } = await storeBatch(1, options)
  return { id: ids[0] ?? '', chunks }
}

async function settle(id: number, agoMs: number): Promise<void> {
  const claim = await claimOne(store, id, 'test', 30_000)
  if (!claim) throw new Error(`Chunk ${id} cannot be claimed`)
  const deliveries = claim.deliveries.map((delivery) => outcome(delivery.id))
  await releaseOne(store, claim, 'test', { deliveries, deadTokens: [], dueAt: null })
  await database.query("UPDATE chunks SET settled_at = now() - $2 * interval '1 ms' WHERE id = $1", [id, agoMs])
}

const age = (id: string, ms: number) =>
  database.query("UPDATE messages SET created_at = now() - $2 * interval '1 ms' WHERE id = $1", [id, ms])

async function read(id: string) {
  const [row] = await database.query<{ body: object | null; deliveries: number }>(
    'SELECT body, (SELECT count(*)::int FROM deliveries WHERE message_id = m.id) AS deliveries FROM messages m WHERE id = $1',
    [id],
  )
  return row && { content: row.body !== null, deliveries: row.deliveries }
}

t.test('contents go when the last chunk has been settled long enough; chunks one by one', async (t) => {
  const { id, chunks } = await storeMessage()
  const [first = 0, second = 0] = chunks
  await settle(first, 2 * DAY)
  t.equal(await retention.removeChunks(DAY, LIMIT), 1)
  t.same(await read(id), { content: true, deliveries: 2 }, 'the other chunk is open')
  t.equal((await claimOne(store, second, 'another', 1))?.messages.length, 1, 'and finds what it is about')
  await database.query('UPDATE chunks SET lease_until = NULL WHERE id = $1', [second])
  await settle(second, DAY - 60_000)
  t.equal(await retention.removeChunks(DAY, LIMIT), 0, 'not yet')
  t.same(await read(id), { content: true, deliveries: 2 })
  await settle((await storeMessage()).chunks[0] ?? 0, 0)
  await database.query("UPDATE chunks SET settled_at = now() - interval '25 h' WHERE id = $1", [second])
  t.equal(await retention.removeChunks(DAY, LIMIT), 1)
  t.same(await read(id), { content: false, deliveries: 2 }, 'what became of it stays')
})

t.test('nothing open goes, however old; campaign chunks never', async (t) => {
  const { id } = await storeMessage()
  await age(id, 90 * DAY)
  const campaign = await storeChunk(fixture, application.id)
  await database.query("UPDATE chunks SET lane = 'campaign', settled_at = now() - interval '90 d' WHERE id = $1", [
    campaign.id,
  ])
  t.equal(await retention.removeChunks(1, LIMIT), 1, 'the one that the test before settled just now')
  t.equal(await retention.removeMessages(1, LIMIT, { keyed: false }), 1, 'the one without content')
  t.same(await read(id), { content: true, deliveries: 2 })
  t.equal((await database.query('SELECT 1 FROM chunks WHERE id = $1', [campaign.id])).length, 1)
})

t.test('what nobody gets has no content and goes by its age', async (t) => {
  const stored = message()
  const skipped = { recipient: recipient(), status: 'skipped', reason: 'NotActive' } as const
  await storeOne(store, {
    applicationId: application.id,
    messages: [stored],
    chunks: [],
    deliveries: [{ messageId: stored.id, chunk: null, ...skipped }],
    waiter: null,
    maxAgeMs: DAY,
  })
  t.same(await read(stored.id), { content: false, deliveries: 1 })
  await age(stored.id, DAY - 60_000)
  t.equal(await retention.removeMessages(DAY, LIMIT, { keyed: false }), 0)
  await age(stored.id, DAY + 1000)
  t.equal(await retention.removeMessages(DAY, LIMIT, { keyed: false }), 1)
  t.equal(await read(stored.id), undefined)
})

t.test('messages sent under a key are asked for apart', async (t) => {
  const { id, chunks } = await storeMessage({ keyed: true })
  for (const chunk of chunks) await settle(chunk, DAY)
  await retention.removeChunks(HOUR, LIMIT)
  await age(id, DAY)
  t.equal(await retention.removeMessages(HOUR, LIMIT, { keyed: false }), 0)
  t.same(await read(id), { content: false, deliveries: 2 })
  t.equal(await retention.removeMessages(HOUR, LIMIT, { keyed: true }), 1)
  const left = await database.query('SELECT 1 FROM deliveries WHERE message_id = $1', [id])
  t.equal(left.length, 0, 'their deliveries go with them')
})

t.test('a step takes so many at most, the oldest first', async (t) => {
  const stored: string[] = []
  for (const days of [3, 5, 4]) {
    const { id, chunks } = await storeMessage()
    for (const chunk of chunks) await settle(chunk, days * DAY)
    await age(id, days * DAY)
    stored.push(id)
  }
  const contents = async () => (await Promise.all(stored.map(read))).map((seen) => seen?.content)
  t.equal(await retention.removeChunks(DAY, 2), 2)
  t.same(await contents(), [true, false, true])
  t.equal(await retention.removeChunks(DAY, 2), 2)
  t.same(await contents(), [true, false, false])
  t.equal(await retention.removeMessages(DAY, 1, { keyed: false }), 1)
  t.same(await contents(), [true, undefined, false])
  t.equal(await retention.removeChunks(DAY, 2), 2)
  t.equal(await retention.removeMessages(DAY, LIMIT, { keyed: false }), 2)
})

t.test('several at once share the work: no deadlock over the messages of a batch, nothing left', async (t) => {
  const batches = await Promise.all(Array.from({ length: 30 }, () => storeBatch(20)))
  const chunks = batches.flatMap((batch) => batch.chunks)
  for (const chunk of chunks) await settle(chunk, 2 * DAY)
  const others = [open(database.url), open(database.url)]
  t.teardown(() => Promise.all(others.map((other) => other.close())))
  const steps = [store, ...others].flatMap((one) =>
    Array.from({ length: 20 }, () => one.retention.removeChunks(DAY, 1)),
  )
  const removed = (await Promise.all(steps)).reduce((sum, count) => sum + count, 0)
  const rest = await retention.removeChunks(DAY, LIMIT)
  t.equal(removed + rest, chunks.length)
  const seen = await Promise.all(batches.flatMap(({ ids }) => ids.map(read)))
  t.equal(seen.filter((one) => one && !one.content && one.deliveries === 2).length, 600)
})

t.test('dropped devices go, unless they come back just then', async (t) => {
  const ago = (ms: number) => new Date(Date.now() - ms)
  const [old, young, back] = [0, 1, 2].map(() => registration(application.id))
  if (!old || !young || !back) throw new Error('No devices')
  await insertDevice(fixture, old, ago(31 * DAY))
  await insertDevice(fixture, young, ago(29 * DAY))
  await insertDevice(fixture, back, ago(32 * DAY))
  await store.devices.register([registration(application.id, { token: newToken() })], { several: 'refuse' })
  const other = await openTransaction(t, fixture)
  await other.query('UPDATE devices SET dropped_at = NULL WHERE activation_id = $1', [back.activationId])
  t.equal(await retention.removeDevices(30 * DAY, LIMIT), 1)
  await other.query('COMMIT')
  t.equal(await retention.removeDevices(30 * DAY, LIMIT), 0)
  const left = await database.query<{ activation_id: string }>('SELECT activation_id FROM devices')
  const names = left.map((row) => row.activation_id)
  t.same([names.length, names.includes(young.activationId), names.includes(back.activationId)], [3, true, true])
})

t.test('keys and provider tokens go when they have expired', async (t) => {
  const { id } = await storeMessage({ keyed: true })
  const mint = (expiresAt: number) => async () => ({ value: 'token', issuedAt: 0, expiresAt })
  await store.providerTokens.take('old', () => true, mint(Date.now() - 1000))
  await store.providerTokens.take('new', () => true, mint(Date.now() + HOUR))
  t.equal(await retention.removeTokens(LIMIT), 1)
  t.same(await database.query('SELECT key FROM provider_tokens'), [{ key: 'new' }])
  await database.query('DELETE FROM idempotency_keys WHERE key <> $1', [id])
  t.equal(await retention.removeKeys(LIMIT), 0)
  t.ok(await findKeyed(store, application.appId, id))
  await database.query("UPDATE idempotency_keys SET expires_at = now() - interval '1 s'")
  t.equal(await findKeyed(store, application.appId, id), undefined, 'as good as gone before it is')
  t.equal(await retention.removeKeys(LIMIT), 1)
})
