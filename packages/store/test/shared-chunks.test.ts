// Many requests in one statement, and many chunks: what each of them gets, whatever becomes of the others.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { waitFor } from '@push-server/testing'
import { PASSED, parseChunkNews, type ChunkNews, type NewKeyedRequest, type NewRequest } from '../src/index.ts'
import {
  chunkState,
  claimOne,
  LEASE_MS,
  makeApplication,
  message,
  openFixture,
  openTransaction,
  outcome,
  recipient,
  releaseOne,
  storeChunk,
} from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

const DAY = 86_400_000

/** One message to one device, in the chunk of that seed. */
function requestOf(applicationId: number, seed: string, position: number): NewRequest {
  const one = message()
  const delivery = { messageId: one.id, chunk: { seed, position }, recipient: recipient({ platform: 'ios' }) }
  return { applicationId, messages: [one], deliveries: [{ ...delivery, status: 'pending', reason: null }] }
}

const keyed = (request: NewRequest, key: string): NewKeyedRequest => ({
  ...request,
  key: { key, digest: Buffer.from(key), ageMs: DAY },
})

const chunkOf = (applicationId: number, seed: string) => ({
  seed,
  applicationId,
  platform: 'ios' as const,
  waiter: null,
  sendAt: null,
})

t.test('storing: requests share a chunk; of an application that has gone nothing is stored', async (t) => {
  const [{ id }, gone] = [await makeApplication(fixture), await makeApplication(fixture)]
  await database.query('UPDATE applications SET app_id = NULL WHERE id = $1', [gone.id])
  const [seed, other] = [randomUUID(), randomUUID()]
  const requests = [requestOf(id, seed, 0), requestOf(gone.id, other, 0), requestOf(id, seed, 1)]
  const stored = await store.messages.store({
    requests,
    chunks: [chunkOf(id, seed), chunkOf(gone.id, other)],
    maxAgeMs: DAY,
  })
  t.same([...stored.applicationIds], [id])
  t.match(stored.chunks, [{ seed, applicationId: id, platform: 'ios', size: 2, paused: false }])
  t.equal(stored.chunks.length, 1)
  const rows = await database.query('SELECT 1 FROM messages WHERE application_id = $1', [gone.id])
  t.equal(rows.length, 0)
})

t.test('storing under keys: a request whose key is taken leaves its place in the chunk empty', async (t) => {
  const { id } = await makeApplication(fixture)
  const seed = randomUUID()
  const first = keyed(requestOf(id, seed, 0), 'taken')
  await store.messages.storeKeyed({ requests: [first], chunks: [chunkOf(id, seed)], maxAgeMs: DAY })
  const next = randomUUID()
  const requests = [
    keyed(requestOf(id, next, 0), 'free'),
    keyed(requestOf(id, next, 1), 'taken'),
    keyed(requestOf(id, next, 2), 'free too'),
  ]
  const stored = await store.messages.storeKeyed({ requests, chunks: [chunkOf(id, next)], maxAgeMs: DAY })
  t.same(
    stored.requests.map((request) => request?.messageIds),
    [requests[0], first, requests[2]].map((request) => request?.messages.map((each) => each.id)),
  )
  t.match(stored.chunks, [{ seed: next, size: 2 }])
  const rows = await database.query<{ position: number }>(
    'SELECT position FROM deliveries WHERE chunk_id = $1 ORDER BY position',
    [stored.chunks[0]?.id],
  )
  t.same(
    rows.map(({ position }) => position),
    [0, 2],
  )
})

t.test(
  'storing under keys: gateways with the same keys, and in opposite order, neither lock nor store twice',
  async (t) => {
    const { id } = await makeApplication(fixture)
    const keys = Array.from({ length: 20 }, (_, n) => `key ${n}`)
    const batches = Array.from({ length: 6 }, (_, n) => {
      const seed = randomUUID()
      const order = n % 2 === 0 ? keys : keys.toReversed()
      const requests = order.map((key, position) => keyed(requestOf(id, seed, position), key))
      return { requests, chunks: [chunkOf(id, seed)], maxAgeMs: DAY }
    })
    const stored = await Promise.all(batches.map((batch) => store.messages.storeKeyed(batch)))
    for (const key of keys) {
      const ids = stored.map((batch, n) => {
        const place = batches[n]?.requests.findIndex((request) => request.key.key === key) ?? -1
        return batch.requests[place]?.messageIds.join()
      })
      t.equal(new Set(ids).size, 1, `${key}: one request stands under it`)
    }
    const [row] = await database.query('SELECT count(*)::int AS count FROM messages WHERE application_id = $1', [id])
    t.same(row, { count: keys.length })
  },
)

t.test('claims: many at once, each with its own content; what another statement holds is passed by', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunks = [
    await storeChunk(fixture, id, { deliveries: 2 }),
    await storeChunk(fixture, id),
    await storeChunk(fixture, id, { deliveries: 3 }),
  ] as const
  const holder = await openTransaction(t, fixture)
  await holder.query('SELECT 1 FROM chunks WHERE id = $1 FOR UPDATE', [chunks[1].id])
  const ids = [chunks[2].id, chunks[1].id, 2 ** 40, chunks[0].id]
  const [third, second, none, first] = await store.chunks.claim(ids, 'a', LEASE_MS)
  t.match(third, { id: chunks[2].id, deliveries: chunks[2].deliveries.map((delivery) => ({ id: delivery })) })
  t.match(first, { id: chunks[0].id, messages: [{ id: chunks[0].messageId }], credentialsVersion: null })
  t.equal(second, PASSED)
  t.equal(none, undefined)
  await holder.query('COMMIT')
  t.ok(await claimOne(store, chunks[1].id, 'a', LEASE_MS))
})

t.test('records: many at once, each under its claim; a lost one changes nothing', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunks = [
    await storeChunk(fixture, id, { deliveries: 2 }),
    await storeChunk(fixture, id),
    await storeChunk(fixture, id),
  ]
  const claims = await store.chunks.claim(
    chunks.map((chunk) => chunk.id),
    'a',
    LEASE_MS,
  )
  const records = chunks.map((chunk, n) => {
    const claim = claims[n]
    if (!claim || claim === PASSED) throw new Error('not claimed')
    const deliveries = [outcome(chunk.deliveries[0], n === 0 ? { status: 'failed', reason: 'Unregistered' } : {})]
    // The second is another worker's by now; the first is a checkpoint.
    const epoch = n === 1 ? claim.epoch + 1 : claim.epoch
    return { claim: { id: claim.id, epoch }, deliveries, release: n === 0 ? undefined : { dueAt: null } }
  })
  const [checkpoint, lost, settled] = await store.chunks.record('a', records)
  t.match(checkpoint, { settled: false, pending: 1, ended: 1 })
  t.equal(lost, undefined)
  t.match(settled, { settled: true, pending: 0 })
  const states = await Promise.all(chunks.map((chunk) => chunkState(fixture, chunk.id)))
  t.match(states, [
    { sent: 0, failed: 1, owner: 'a', reasons: { Unregistered: 1 } },
    { sent: 0, failed: 0, owner: 'a', settled: false },
    { sent: 1, failed: 0, owner: null, settled: true },
  ])
})

t.test('renewals, records and a resume of the same chunks, in any order, never deadlock', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunks = await Promise.all(Array.from({ length: 40 }, () => storeChunk(fixture, id)))
  const ids = chunks.map((chunk) => chunk.id)
  const claims = (await store.chunks.claim(ids, 'a', LEASE_MS)).filter(
    (claim) => claim !== undefined && claim !== PASSED,
  )
  t.equal(claims.length, 40)
  const deadlocks = async () => {
    const [row] = await database.query<{ count: number }>(
      'SELECT deadlocks::int AS count FROM pg_stat_database WHERE datname = current_database()',
    )
    return row?.count
  }
  const checkpoint = claims.map((claim) => ({ claim, deliveries: [] }))
  for (let round = 0; round < 30; round++) {
    await database.query(
      "INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at) VALUES ($1, 'ios', 'all', 'x', now())",
      [id],
    )
    const orders = [claims, claims.toReversed(), claims.toSorted(() => Math.random() - 0.5)]
    await Promise.all([
      ...orders.map((order) => store.chunks.renew('a', order, LEASE_MS)),
      store.chunks.record('a', checkpoint),
      store.chunks.record('a', checkpoint.toReversed()),
      store.pauses.resume({ applicationId: id, platform: 'ios' }, { all: true }),
    ])
  }
  t.equal(await deadlocks(), 0)
})

t.test('news: which places were sent, failed, put off; the end of the claim; nothing of neighbours', async (t) => {
  const { id } = await makeApplication(fixture)
  const channel = `sync_${randomUUID()}`
  const news: ChunkNews[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => news.push(parseChunkNews(payload)),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const chunk = await storeChunk(fixture, id, { deliveries: 5, waiter: channel })
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  t.equal(claim.isAwaited, true)
  const [first, second, third, fourth] = chunk.deliveries
  const gone = { status: 'failed', reason: 'Unregistered' } as const
  const checkpoint = [outcome(first), outcome(second, gone), outcome(fourth)]
  await store.chunks.record('a', [{ claim, deliveries: checkpoint }])
  await store.chunks.record('a', [{ claim, deliveries: [] }])
  const later = outcome(third, { status: 'pending', reason: 'Slow', nextAttemptAt: Date.now() + 60_000 })
  await releaseOne(store, claim, 'a', { deliveries: [later], deadTokens: [], dueAt: Date.now() + 60_000 })
  await waitFor('both', () => news.length >= 2)
  t.same(news, [
    { chunkId: chunk.id, outcomes: { sent: [0, 3], failed: [1], pending: [] }, isReleased: false },
    { chunkId: chunk.id, outcomes: { sent: [], failed: [], pending: [2] }, isReleased: true },
  ])
  t.same(parseChunkNews('12'), { chunkId: 12 }, 'of something else that became of it')
})

t.test('what stays pending moves to a chunk of its own, with its places, its age and its attempts', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  t.equal(await store.chunks.setAside(chunk.id), undefined, 'not while somebody has it')
  const dueAt = Date.now() + 60_000
  const deliveries = [
    outcome(chunk.deliveries[0]),
    outcome(chunk.deliveries[1], { status: 'failed', reason: 'Unregistered' }),
  ]
  const release = await releaseOne(store, claim, 'a', { deliveries, deadTokens: [], dueAt })
  t.match(release, { settled: false, pending: 1, ended: 2 })
  const rest = await store.chunks.setAside(chunk.id)
  if (!rest) return t.fail('not moved')
  t.match(rest, { pending: 1, try: 1 })
  t.ok(rest.delayMs > 50_000)
  t.match(await chunkState(fixture, chunk.id), { settled: true, sent: 1, failed: 1 })
  t.match(await chunkState(fixture, rest.id), { settled: false, sent: 0, failed: 0, try: 1, owner: null })
  const moved = await database.query('SELECT position FROM deliveries WHERE chunk_id = $1', [rest.id])
  t.same(moved, [{ position: 2 }])
  const seeds = await database.query(
    'SELECT count(DISTINCT (seed, expires_at))::int AS count FROM chunks WHERE id = ANY($1)',
    [[chunk.id, rest.id]],
  )
  t.same(seeds, [{ count: 1 }])
  t.equal(await store.chunks.setAside(rest.id), undefined, 'a chunk of which nothing has ended stays as it is')
})
