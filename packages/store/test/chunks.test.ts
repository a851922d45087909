// A chunk's life in the store: claimed, recorded, released, swept, expired, paused; and the listener who waits for it.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { waitFor } from '@push-server/testing'
import { PASSED, type HeldChunk } from '../src/index.ts'
import {
  LEASE_MS,
  chunkState,
  claimOne,
  insertDevice,
  makeApplication,
  newToken,
  open,
  openFixture,
  openTransaction,
  outcome,
  recordOne,
  registration,
  releaseOne,
  storeChunk,
  storeOne,
  tallyOf,
  whileBlocked,
} from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

const MINUTE = 60_000
const NOTHING = { deliveries: [], deadTokens: [] }

t.test('claims: one of two at once wins, and gets everything it needs', async (t) => {
  const { id } = await makeApplication(fixture)
  await store.credentials.put({ applicationId: id, platform: 'ios' }, { settings: {}, secret: Buffer.from('secret') })
  const version = (await store.credentials.open({ applicationId: id, platform: 'ios' }))?.version
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const claims = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => claimOne(store, chunk.id, owner, LEASE_MS)))
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
  t.ok(Math.abs((won[0]?.expiresAt ?? 0) - Date.now() - 3_600_000) < 60_000)
  t.ok(Math.abs((won[0]?.messages[0]?.createdAt ?? 0) - Date.now()) < 60_000)
  t.match(await chunkState(fixture, chunk.id), { owner: ['a', 'b', 'c', 'd'][claims.findIndex(Boolean)], leased: true })
  t.equal(await claimOne(store, chunk.id, 'e', LEASE_MS), undefined, 'not while it is leased')
  t.equal(await claimOne(store, 2 ** 40, 'e', LEASE_MS), undefined, 'no such chunk')
})

t.test('claims: not before it is due, and only the deliveries that are', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const due = (interval: string) =>
    database.query('UPDATE chunks SET due_at = now() + $2::interval WHERE id = $1', [chunk.id, interval])
  await due('5 min')
  t.equal(await claimOne(store, chunk.id, 'a', LEASE_MS), undefined)
  await due('500 ms')
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  t.ok(claim, 'clocks may differ by a second')
  if (!claim) return
  t.equal(claim.credentialsVersion, null, 'no credentials')
  const [sent, soon, later] = chunk.deliveries
  const at = Date.now() + 60_000
  await releaseOne(store, claim, 'a', {
    deliveries: [
      outcome(sent),
      outcome(soon, { status: 'pending', reason: 'Busy', attempts: 1, nextAttemptAt: Date.now() }),
      outcome(later, { status: 'pending', reason: 'Busy', attempts: 2, nextAttemptAt: at }),
    ],
    deadTokens: [],
    dueAt: Date.now(),
  })
  const again = await claimOne(store, chunk.id, 'b', LEASE_MS)
  t.match(again?.deliveries, [{ id: soon, attempts: 1 }])
  t.equal(again?.deliveries.length, 1)
  t.equal(again?.laterDueAt, at, 'when the next one is')
  t.match(again, { epoch: 2, try: 1 })
})

t.test('claims: after the lease another takes it, and the former can write nothing', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 2 })
  const former = await claimOne(store, chunk.id, 'a', 50)
  if (!former) return t.fail('not claimed')
  const latter = await waitFor('the end of the lease', () => claimOne(store, chunk.id, 'b', LEASE_MS))
  t.equal(latter.epoch, former.epoch + 1)
  const before = await chunkState(fixture, chunk.id)
  const records = { deliveries: [outcome(chunk.deliveries[0])], deadTokens: [] }
  t.equal(await recordOne(store, former, 'a', records), undefined)
  t.equal(await releaseOne(store, former, 'a', { ...records, dueAt: null }), undefined)
  t.same(await store.chunks.renew('a', [former], LEASE_MS), new Set())
  t.equal(
    await recordOne(store, { ...latter, epoch: former.epoch }, 'b', records),
    undefined,
    'nor an old claim of its own',
  )
  t.equal(await recordOne(store, latter, 'a', records), undefined, 'nor in another’s name')
  t.same(await chunkState(fixture, chunk.id), before)
  t.same(await tallyOf(store, [chunk.messageId]), [{ platform: 'ios', status: 'pending', count: 2 }])
  t.same(await store.chunks.renew('b', [latter], LEASE_MS), new Set([chunk.id]))
})

t.test('claims: renewing makes the lease longer, for those still held', async (t) => {
  const { id } = await makeApplication(fixture)
  const [held, settled] = [await storeChunk(fixture, id), await storeChunk(fixture, id)]
  const claims = [await claimOne(store, held.id, 'a', LEASE_MS), await claimOne(store, settled.id, 'a', LEASE_MS)]
  const [claim, done] = claims
  if (!claim || !done) return t.fail('not claimed')
  await releaseOne(store, done, 'a', { deliveries: [outcome(settled.deliveries[0])], deadTokens: [], dueAt: null })
  t.same(await store.chunks.renew('a', [claim, done], 600_000), new Set([held.id]))
  const [row] = await database.query<{ long: boolean }>(
    "SELECT lease_until > now() + interval '5 min' AS long FROM chunks WHERE id = $1",
    [held.id],
  )
  t.ok(row?.long)
  t.same(await store.chunks.renew('a', [], 60_000), new Set())
})

t.test('claims: what is stopped while it is held, by application, platform, lane and run', async (t) => {
  const [paused, campaigns, removed, going] = [
    await makeApplication(fixture),
    await makeApplication(fixture),
    await makeApplication(fixture),
    await makeApplication(fixture),
  ]
  const chunk = { epoch: 1, platform: 'ios', lane: 'direct', runId: null, probe: false } as const
  const held: HeldChunk[] = [
    { ...chunk, id: 1, applicationId: paused.id },
    { ...chunk, id: 2, applicationId: paused.id },
    { ...chunk, id: 3, applicationId: paused.id, platform: 'android' },
    { ...chunk, id: 4, applicationId: paused.id, probe: true },
    { ...chunk, id: 5, applicationId: campaigns.id },
    { ...chunk, id: 6, applicationId: campaigns.id, lane: 'campaign', runId: 2 ** 40 },
    { ...chunk, id: 7, applicationId: removed.id },
    { ...chunk, id: 8, applicationId: going.id },
  ]
  t.same(await store.chunks.stopped(held), new Set(), 'nothing yet')
  t.same(await store.chunks.stopped([]), new Set())
  await database.query(
    `INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at, probe_chunk_id)
     VALUES ($1, 'ios', 'all', 'x', now(), 4), ($2, 'ios', 'campaign', 'x', now(), NULL)`,
    [paused.id, campaigns.id],
  )
  await store.applicationRemovals.begin(removed.appId)
  t.same(await store.chunks.stopped(held), new Set([1, 2, 6, 7]), 'neither the probe nor other platforms and lanes')
  t.same(await store.chunks.stopped(held.toReversed()), new Set([1, 2, 6, 7]), 'in any order')
})

t.test('claims: what a late owner records while the next one claims is not pushed again', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 2 })
  const [first, second] = chunk.deliveries
  const late = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!late) return t.fail('not claimed')
  await database.query("UPDATE chunks SET lease_until = now() - interval '1 s' WHERE id = $1", [chunk.id])
  const holder = await openTransaction(t, fixture)
  await holder.query('SELECT 1 FROM deliveries WHERE id = $1 FOR UPDATE', [first])
  const released = releaseOne(store, late, 'a', { deliveries: [outcome(first)], deadTokens: [], dueAt: null })
  await whileBlocked(fixture, 1, released)
  t.same(await store.chunks.claim([chunk.id], 'b', LEASE_MS), [PASSED], 'it can be claimed in a moment')
  await holder.query('COMMIT')
  const [release, claim] = [await released, await claimOne(store, chunk.id, 'b', LEASE_MS)]
  const expected = release ? [second] : [first, second]
  t.same(
    claim?.deliveries.map((delivery) => delivery.id),
    expected,
  )
})

t.test('records: checkpoints add up and keep the claim, a release settles', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 6 })
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  const failed = (index: number, reason: string) => outcome(chunk.deliveries[index], { status: 'failed', reason })
  const pages = [
    [outcome(chunk.deliveries[0], { providerId: 'apns-id' }), failed(1, 'Unregistered')],
    [failed(2, 'Unregistered'), failed(3, 'BadDeviceToken')],
    [],
  ]
  for (const deliveries of pages)
    t.match(await recordOne(store, claim, 'a', { deliveries, deadTokens: [] }), {
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
  t.match(await releaseOne(store, claim, 'a', { deliveries: rest, deadTokens: [], dueAt: null }), {
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
  t.equal(await claimOne(store, chunk.id, 'b', LEASE_MS), undefined, 'settled is settled')
  t.same(await store.chunks.handled([chunk.id]), [chunk.id])
})

t.test('records: what is told twice counts once', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 3 })
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  // As when a connection broke after the commit and before its answer.
  const page = [
    outcome(chunk.deliveries[0]),
    outcome(chunk.deliveries[1], { status: 'failed', reason: 'Unregistered' }),
  ]
  for (let n = 0; n < 2; n++) await t.resolves(recordOne(store, claim, 'a', { deliveries: page, deadTokens: [] }))
  t.match(await chunkState(fixture, chunk.id), { sent: 1, failed: 1, reasons: { Unregistered: 1 } })
  const rest = { deliveries: [...page, outcome(chunk.deliveries[2])], deadTokens: [], dueAt: null }
  t.match(await releaseOne(store, claim, 'a', rest), { settled: true })
})

t.test('records: a release with something pending makes the chunk due again', async (t) => {
  const { id } = await makeApplication(fixture)
  const chunk = await storeChunk(fixture, id, { deliveries: 2 })
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  const at = Date.now() + 600_000
  const pending = outcome(chunk.deliveries[1], { status: 'pending', reason: 'Busy', nextAttemptAt: at })
  const release = await releaseOne(store, claim, 'a', {
    deliveries: [outcome(chunk.deliveries[0]), pending],
    deadTokens: [],
    dueAt: at,
  })
  t.match(release, { settled: false, try: 1 })
  t.ok(Math.abs((release?.delayMs ?? 0) - 600_000) < 60_000, `due in ${release?.delayMs} ms`)
  t.match(await chunkState(fixture, chunk.id), {
    owner: null,
    leased: false,
    settled: false,
    try: 1,
    sent: 1,
    failed: 0,
  })
  t.same(await store.chunks.handled([chunk.id]), [chunk.id], 'parked is an answer too')

  const untouched = await storeChunk(fixture, id)
  t.same(await store.chunks.handled([untouched.id]), [])
  const second = await claimOne(store, untouched.id, 'a', LEASE_MS)
  if (!second) return t.fail('not claimed')
  const now = await releaseOne(store, second, 'a', { ...NOTHING, dueAt: null })
  t.match(now, { settled: false, try: 1 })
  t.ok((now?.delayMs ?? Number.NaN) < 1, 'but for the rounding to milliseconds')
  t.ok(await claimOne(store, untouched.id, 'b', LEASE_MS), 'at once')
})

t.test('records: dead tokens drop the devices registered before, of this application and platform', async (t) => {
  const [mine, other] = [await makeApplication(fixture), await makeApplication(fixture)]
  const [dead, back, kept] = [newToken(), newToken(), newToken()]
  await insertDevice(fixture, registration(mine.id, { token: dead, userId: 'dropped' }))
  await insertDevice(fixture, registration(mine.id, { token: dead, userId: 'dropped too' }))
  await insertDevice(fixture, registration(mine.id, { token: back, userId: 'registered again' }))
  await insertDevice(fixture, registration(mine.id, { token: kept, userId: 'another token' }))
  await insertDevice(fixture, registration(mine.id, { token: dead, userId: 'another platform', platform: 'android' }))
  await insertDevice(fixture, registration(other.id, { token: dead, userId: 'another application' }))
  const since = Date.now() - 60_000
  await database.query("UPDATE devices SET registered_at = now() - interval '1 hour' WHERE token = ANY($1)", [
    [dead, kept],
  ])
  const chunk = await storeChunk(fixture, mine.id)
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) return t.fail('not claimed')
  const records = {
    deliveries: [],
    deadTokens: [dead, back].map((token) => ({ token, reason: 'Unregistered', since })),
  }
  t.match((await recordOne(store, { ...claim, epoch: 99 }, 'a', records)) ?? {}, {}, 'not without the claim')
  const dropped = () =>
    database.query<{ name: string; reason: string }>(
      'SELECT user_id AS name, drop_reason AS reason FROM devices WHERE application_id = ANY($1) AND dropped_at IS NOT NULL ORDER BY 1',
      [[mine.id, other.id]],
    )
  t.same(await dropped(), [])
  t.match(await recordOne(store, claim, 'a', records), { dropped: 2 })
  t.same(await dropped(), [
    { name: 'dropped', reason: 'Unregistered' },
    { name: 'dropped too', reason: 'Unregistered' },
  ])
  t.match(await recordOne(store, claim, 'a', records), { dropped: 0 }, 'once')
})

t.test('notifications: the waiter is told on release, whether settled or parked', async (t) => {
  const { id } = await makeApplication(fixture)
  const channel = `Gateway ${randomUUID()}`
  const notified: string[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => notified.push(payload),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const [settled, parked, silent] = [
    await storeChunk(fixture, id, { waiter: channel }),
    await storeChunk(fixture, id, { waiter: channel }),
    await storeChunk(fixture, id),
  ]
  for (const chunk of [silent, settled, parked]) {
    const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
    if (!claim) return t.fail('not claimed')
    const deliveries = chunk === parked ? [] : [outcome(chunk.deliveries[0])]
    await recordOne(store, claim, 'a', NOTHING)
    t.equal(notified.includes(String(chunk.id)), false, 'not by a checkpoint')
    await releaseOne(store, claim, 'a', { deliveries, deadTokens: [], dueAt: Date.now() + 60_000 })
  }
  await waitFor('both', () => notified.length >= 2)
  t.same(notified, [String(settled.id), String(parked.id)])
})

t.test('notifications: a broken connection is made anew, and the listener is told', async (t) => {
  const channel = `gateway ${randomUUID()}`
  const notified: string[] = []
  const errors: Error[] = []
  let reconnected = 0
  const other = open(database.url, { onError: (error) => errors.push(error) })
  t.teardown(() => other.close())
  const listener = await other.listen({
    channel,
    onNotification: (payload) => notified.push(payload),
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
  await waitFor('the first', () => notified.includes('one'))
  for (let n = 1; n <= 2; n++) {
    const [pid] = await pids()
    await database.query('SELECT pg_terminate_backend($1)', [pid])
    await waitFor('the reconnect', () => reconnected === n)
    await notify(`after ${n}`)
    await waitFor('the next', () => notified.includes(`after ${n}`))
  }
  t.same(notified, ['one', 'after 1', 'after 2'])
  t.ok(errors.length > 0, 'the error is reported')
  await listener.close()
  await waitFor('the connection to end', async () => (await pids()).length === 0)
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
  /** Due for 20 minutes, unless `sql` says otherwise. */
  const later = async (applicationId: number, sql: string) => {
    const chunk = await storeChunk(fixture, applicationId)
    await database.query("UPDATE chunks SET due_at = now() - interval '20 min' WHERE id = $1", [chunk.id])
    await database.query(`UPDATE chunks SET ${sql} WHERE id = $1`, [chunk.id])
    return chunk.id
  }
  const due = [
    await later(id, 'try = 3'),
    await later(id, "lease_until = now() - interval '1 s', owner = 'dead'"),
    await later(id, "swept_at = now() - interval '11 min'"),
  ]
  await later(id, "due_at = now() - interval '5 min'")
  await later(id, "due_at = now() + interval '1 h'")
  await later(id, "lease_until = now() + interval '10 min', owner = 'alive'")
  await later(id, 'settled_at = now()')
  await later(id, "swept_at = now() - interval '5 min'")
  await later(paused.id, 'try = 0')
  await database.query(
    "INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at) VALUES ($1, 'ios', 'all', 'error', now())",
    [paused.id],
  )
  const swept = await store.chunks.sweep(10 * MINUTE, 100)
  t.same(
    swept.map((chunk) => chunk.id).toSorted((a, b) => a - b),
    due,
  )
  t.match(
    swept.find((chunk) => chunk.id === due[0]),
    { platform: 'ios', lane: 'direct', try: 3 },
  )
  t.same(await store.chunks.sweep(10 * MINUTE, 100), [], 'not again within the time')
  t.ok(swept.every(({ isRecent }) => !isRecent))
  const again = new Map((await store.chunks.sweep(0, 100)).map(({ id, isRecent }) => [id, isRecent]))
  t.same(
    due.map((id) => again.get(id)),
    [true, true, true],
    'swept within the last minute',
  )
  await database.query("UPDATE chunks SET swept_at = now() - interval '11 min' WHERE id = $1", [due[0]])
  t.same(
    (await store.chunks.sweep(10 * MINUTE, 100)).map((chunk) => chunk.id),
    [due[0]],
    'but after it',
  )
})

t.test('sweep: several at once share the work', async (t) => {
  const { id } = await makeApplication(fixture)
  const other = open(database.url)
  t.teardown(() => other.close())
  const seeds = Array.from({ length: 60 }, () => randomUUID())
  const chunks = await storeOne(store, {
    applicationId: id,
    messages: [],
    chunks: seeds.map((seed) => ({ seed, platform: 'ios' })),
    deliveries: [],
    waiter: null,
    maxAgeMs: 3_600_000,
  })
  await database.query("UPDATE chunks SET due_at = now() - interval '20 min' WHERE application_id = $1", [id])
  const rounds = await Promise.all([store, other, store, other].map(({ chunks }) => chunks.sweep(10 * MINUTE, 25)))
  t.ok(rounds.every((round) => round.length <= 25))
  const seen = rounds.flat().map((chunk) => chunk.id)
  t.equal(new Set(seen).size, seen.length, 'no chunk twice')
  for (const rest = new Set(seen); rest.size < chunks.length;) {
    const round = await store.chunks.sweep(10 * MINUTE, 25)
    if (round.length === 0) return t.fail('some were left out')
    for (const chunk of round) rest.add(chunk.id)
  }
  t.same(await store.chunks.sweep(10 * MINUTE, 25), [])
})

t.test('expire: what is too old fails, paused or not, and its waiter is told', async (t) => {
  const { id } = await makeApplication(fixture)
  const channel = `gateway ${randomUUID()}`
  const notified: string[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => notified.push(payload),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const [old, inHand, young] = [
    await storeChunk(fixture, id, { deliveries: 3, waiter: channel }),
    await storeChunk(fixture, id),
    await storeChunk(fixture, id),
  ]
  const claim = await claimOne(store, old.id, 'a', LEASE_MS)
  const held = await claimOne(store, inHand.id, 'a', LEASE_MS)
  if (!claim || !held) return t.fail('not claimed')
  await recordOne(store, claim, 'a', { deliveries: [outcome(old.deliveries[0])], deadTokens: [] })
  await database.query("UPDATE chunks SET expires_at = now() - interval '1 s' WHERE id = ANY($1)", [
    [old.id, inHand.id],
  ])
  await database.query("UPDATE chunks SET lease_until = now() - interval '1 s' WHERE id = $1", [old.id])
  await database.query(
    "INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at) VALUES ($1, 'ios', 'all', 'error', now())",
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
  t.equal(await recordOne(store, claim, 'a', { deliveries: [outcome(old.deliveries[1])], deadTokens: [] }), undefined)
  await waitFor('the waiter', () => notified.length > 0)
  t.same(notified, [String(old.id)])
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
  const notified: string[] = []
  const listener = await store.listen({
    channel,
    onNotification: (payload) => notified.push(payload),
    onReconnect: () => {},
  })
  t.teardown(() => listener.close())
  const [waiting, silent, android] = [
    await storeChunk(fixture, id, { waiter: channel }),
    await storeChunk(fixture, id),
    await storeChunk(fixture, id, { platform: 'android', waiter: channel }),
  ]
  const inHand = await storeChunk(fixture, id)
  const claim = await claimOne(store, inHand.id, 'a', LEASE_MS)
  const settled = await storeChunk(fixture, id, { waiter: channel })
  await database.query('UPDATE chunks SET settled_at = now() WHERE id = $1', [settled.id])
  const target = { ...key, version: await version(), reason: 'InvalidProviderToken' }
  t.match(await store.pauses.pause(target), { appId: String }, 'with the name, for the log')
  t.equal(await store.pauses.pause(target), undefined, 'paused already')
  t.match(await pauses(), [{ platform: 'ios', lanes: 'all', reason: 'InvalidProviderToken', pausedAt: Date }])
  for (const chunk of [waiting, silent]) t.equal(await claimOne(store, chunk.id, 'b', LEASE_MS), undefined)
  t.ok(await claimOne(store, android.id, 'b', LEASE_MS), 'another platform goes on')
  if (claim) t.same(await store.chunks.stopped([claim]), new Set([inHand.id]))
  t.match(await storeChunk(fixture, id), { paused: true }, 'a chunk stored meanwhile is known to be paused')
  await waitFor('the waiter', () => notified.length > 0)
  t.same(new Set(notified), new Set([String(waiting.id)]))

  await database.query("UPDATE chunks SET try = 1, due_at = now() + interval '1 h', swept_at = now() WHERE id = $1", [
    waiting.id,
  ])
  await put()
  t.same(await pauses(), [])
  const due = await database.query('SELECT 1 FROM chunks WHERE id = ANY($1) AND due_at <= now() AND swept_at IS NULL', [
    [waiting.id, silent.id],
  ])
  t.equal(due.length, 2, 'what waited is due')
  t.ok(await claimOne(store, waiting.id, 'b', LEASE_MS))
})

t.test('pause: ends with the credentials too', async (t) => {
  const { id, key, version, pauses } = await configured()
  const chunk = await storeChunk(fixture, id)
  await store.pauses.pause({ ...key, version: await version(), reason: 'failure' })
  await store.credentials.remove(key)
  t.same(await pauses(), [])
  t.match(await claimOne(store, chunk.id, 'a', LEASE_MS), { credentialsVersion: null })
})

t.test('pause: not for credentials that were changed meanwhile', async (t) => {
  const { id, key, put, version, pauses } = await configured()
  const former = await version()
  await put()
  t.equal(await store.pauses.pause({ ...key, version: former, reason: 'failure' }), undefined)
  t.same(await pauses(), [])
  t.ok(await claimOne(store, (await storeChunk(fixture, id)).id, 'a', LEASE_MS))
})

t.test('pause: not for credentials that are being changed at this moment', async (t) => {
  const { key, version, pauses } = await configured()
  const former = await version()
  // As `credentials.put` does: the new version, then the end of a pause.
  const holder = await openTransaction(t, fixture)
  await holder.query("UPDATE credentials SET version = nextval('credentials_version_seq') WHERE application_id = $1", [
    key.applicationId,
  ])
  await holder.query('DELETE FROM provider_pauses WHERE application_id = $1', [key.applicationId])
  const paused = store.pauses.pause({ ...key, version: former, reason: 'failure' })
  await whileBlocked(fixture, 1, paused)
  await holder.query('COMMIT')
  t.equal(await paused, undefined)
  t.same(await pauses(), [])
})

t.test('waiting: what workers have before them, neither settled nor paused nor of campaigns', async (t) => {
  const waiting = async () => {
    const rows = await store.waiting()
    return rows.find(({ platform }) => platform === 'huawei')?.deliveries ?? 0
  }
  const before = await waiting()
  const { id } = await makeApplication(fixture)
  const key = { applicationId: id, platform: 'huawei' as const }
  await store.credentials.put(key, { settings: {}, secret: Buffer.from('secret') })
  const chunk = await storeChunk(fixture, id, { platform: 'huawei', deliveries: 3 })
  const other = await storeChunk(fixture, id, { platform: 'huawei', deliveries: 2 })
  await storeChunk(fixture, id, { platform: 'android' })
  t.equal((await waiting()) - before, 5)
  await database.query("UPDATE chunks SET lane = 'campaign' WHERE id = $1", [other.id])
  t.equal((await waiting()) - before, 3)
  const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
  if (!claim) throw new Error('The chunk cannot be claimed')
  await recordOne(store, claim, 'a', { deliveries: [outcome(chunk.deliveries[0])], deadTokens: [] })
  t.equal((await waiting()) - before, 2, 'settled ones do not count')
  const version = (await store.credentials.open(key))?.version ?? 0
  await store.pauses.pause({ ...key, version, reason: 'failure' })
  t.equal((await waiting()) - before, 0, 'nor do paused ones')
})
