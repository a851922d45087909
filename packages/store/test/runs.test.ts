// Runs in the store: the cut with devices that move meanwhile, records of a run's chunk, and several schedulers at once.
import { randomUUID } from 'node:crypto'
import { waitFor } from '@push-server/testing'
import pg from 'pg'
import t from 'tap'
import type { StoredOutcomes } from '../src/index.ts'
import { claimOne, everyPlatform, LEASE_MS, makeApplication, newToken, openFixture, registration } from './_fixtures.ts'

const fixture = await openFixture()
const { database, store } = fixture
t.teardown(() => fixture.close())

const BODY = { title: 'Market closed' }
const HOUR = 3_600_000
const FAN_OUT = { usersPerPartition: 10, chunkSizes: { ...everyPlatform(4), huawei: 8 }, maxAgeMs: HOUR }

interface Group {
  applicationId: number
  campaignId: number
  devices: { activationId: string; token: string; userId: string }[]
}

/** Users with a phone each, registered an hour ago, in a campaign. */
async function makeGroup(users: number): Promise<Group> {
  const { id: applicationId } = await makeApplication(fixture)
  const devices = Array.from({ length: users }, (_, index) => ({
    activationId: randomUUID(),
    token: newToken(),
    userId: `user-${index}`,
  }))
  for (const device of devices)
    await store.devices.register([registration(applicationId, device)], { several: 'refuse' })
  await database.query(`UPDATE devices SET registered_at = now() - interval '1 hour' WHERE application_id = $1`, [
    applicationId,
  ])
  const campaignId = await store.campaigns.create({ applicationId, message: BODY, validUntil: null })
  await store.campaigns.addUsers(
    campaignId,
    devices.map(({ userId }) => userId),
  )
  return { applicationId, campaignId, devices }
}

async function start({ campaignId, applicationId }: Group) {
  const started = await store.runs.start({ campaignId, rate: null, scheduledAt: null, resend: 'all' })
  if (!('runId' in started)) throw new Error(`Refused: ${started.refusedBy}`)
  return { id: started.runId, campaignId, applicationId, audience: null }
}

const tokensOf = async (runId: number) => {
  const rows = await database.query<{ token: string }>('SELECT unnest(tokens) AS token FROM chunks WHERE run_id = $1', [
    runId,
  ])
  return rows.map((row) => row.token)
}

t.test('cut: each device in one chunk, whoever cuts', async (t) => {
  const group = await makeGroup(60)
  const run = await start(group)
  await Promise.all(Array.from({ length: 4 }, () => store.runs.partition(run, FAN_OUT)))
  const fanOutAll = async () => {
    for (let fanOut = await store.runs.fanOut(run, FAN_OUT); fanOut; fanOut = await store.runs.fanOut(run, FAN_OUT))
      await store.runs.finish(run.id)
  }
  await Promise.all([fanOutAll(), fanOutAll(), fanOutAll()])
  await fanOutAll()
  await store.runs.finish(run.id)
  const tokens = await tokensOf(run.id)
  t.same(tokens.toSorted(), group.devices.map(({ token }) => token).toSorted())
  t.match(await store.campaigns.describe(group.campaignId), { state: 'sending' })
  const sizes = await database.query<{ total: number }>('SELECT total FROM chunks WHERE run_id = $1', [run.id])
  t.ok(sizes.every(({ total }) => total <= 4))
  t.equal(await store.runs.fanOut(run, FAN_OUT), undefined, 'nothing is cut twice')
})

t.test('cut: devices that move between partitions are neither doubled nor forgotten', async (t) => {
  const group = await makeGroup(60)
  const run = await start(group)
  await store.runs.partition(run, FAN_OUT)
  await store.runs.fanOut(run, FAN_OUT)
  await store.runs.fanOut(run, FAN_OUT)
  const fanOut = new Set(await tokensOf(run.id))
  const byFanOut = Map.groupBy(group.devices, ({ token }) => fanOut.has(token))
  const [inChunk = [], left = []] = [byFanOut.get(true), byFanOut.get(false)]
  t.ok(inChunk.length >= 5 && left.length >= 5, `${inChunk.length} cut, ${left.length} left`)
  const register = (device: Group['devices'][number], token: string, activationId = device.activationId) =>
    store.devices.register([registration(group.applicationId, { ...device, activationId, token })], {
      several: 'refuse',
    })
  // Who is in a chunk gets a new token, in any partition: the chunk has the old one, and that is all.
  const renewed = inChunk.slice(0, 5)
  for (const device of renewed) await register(device, newToken())
  // Who is not in a chunk yet gets a token that belongs to a partition that is cut.
  const moved = left.slice(0, 5)
  const movedTo = await Promise.all(
    moved.map(async (device) => {
      const token = await tokenOfFannedOutPartition(run.id)
      await register(device, token)
      return token
    }),
  )
  // A phone in a chunk is taken over by another user of the campaign.
  const [, , , , , handedOver] = inChunk
  if (!handedOver) throw new Error('Nobody left to hand over')
  await register({ ...handedOver, userId: 'user-59' }, handedOver.token, randomUUID())

  for (let more = await store.runs.fanOut(run, FAN_OUT); more; more = await store.runs.fanOut(run, FAN_OUT));
  await store.runs.finish(run.id)
  const tokens = await tokensOf(run.id)
  t.equal(new Set(tokens).size, tokens.length, 'no token twice')
  const gone = new Set(moved.map(({ token }) => token))
  const expected = [...group.devices.map(({ token }) => token).filter((token) => !gone.has(token)), ...movedTo]
  t.same(tokens.toSorted(), expected.toSorted())
})

/** A token whose bucket lies in a partition that is cut already. */
async function tokenOfFannedOutPartition(runId: number): Promise<string> {
  const ranges = await database.query<{ from: number; to: number }>(
    'SELECT bucket_from AS from, bucket_to AS to FROM run_partitions WHERE run_id = $1 AND cut_at IS NOT NULL',
    [runId],
  )
  const { bucketOf } = await import('../src/devices/devices.ts')
  for (;;) {
    const token = newToken()
    if (ranges.some(({ from, to }) => bucketOf(token) >= from && bucketOf(token) <= to)) return token
  }
}

const BLANK: StoredOutcomes = {
  bytes: Buffer.from([0, 0, 0]),
  reasonNames: [],
  retries: {},
  reasons: {},
  sent: 0,
  failed: 0,
}

async function claimFirst(users = 3) {
  const group = await makeGroup(users)
  const run = await start(group)
  await store.runs.partition(run, FAN_OUT)
  const fanOut = await store.runs.fanOut(run, FAN_OUT)
  await store.runs.finish(run.id)
  const [chunk] = fanOut?.chunks ?? []
  if (!chunk) throw new Error('Nothing was cut')
  const claimed = await claimOne(store, chunk.id, 'worker', LEASE_MS)
  if (!claimed) throw new Error('Not claimed')
  return { ...group, run, chunk: claimed }
}

t.test('record: what is due of a chunk, and what became of it', async (t) => {
  const { chunk, run, devices, campaignId } = await claimFirst()
  t.match(chunk, { lane: 'campaign', runId: run.id, laterDueAt: null, rate: null, messages: [{ body: BODY }] })
  t.same(chunk.deliveries.map(({ token }) => token).toSorted(), devices.map(({ token }) => token).toSorted())
  const later = Date.now() + HOUR
  const records = {
    outcomes: {
      ...BLANK,
      bytes: Buffer.from([1, 0, 2]),
      reasonNames: ['Unregistered'],
      reasons: { Unregistered: 1 },
      retries: { 1: [2, later] } as const,
      sent: 1,
      failed: 1,
    },
    deadTokens: [{ token: chunk.deliveries[2]?.token ?? '', reason: 'Unregistered', since: Date.now() }],
  }
  t.ok(await store.runChunks.record(chunk, 'worker', records))
  t.equal(await store.runChunks.record(chunk, 'another', records), undefined, 'only its owner writes')
  t.equal(await store.runChunks.record({ ...chunk, epoch: 9 }, 'worker', records), undefined, 'under its epoch')
  const release = await store.runChunks.release(chunk, 'worker', { ...records, dueAt: null })
  t.match(release, { settled: false, try: 1, dropped: 0 }, 'the dead token was dropped by the checkpoint')
  const [dropped] = await database.query('SELECT count(*)::int AS n FROM devices WHERE drop_reason = $1', [
    'Unregistered',
  ])
  t.same(dropped, { n: 1 })

  const again = await claimOne(store, chunk.id, 'worker', LEASE_MS)
  t.same(again?.deliveries, [], 'nothing is due before its time')
  t.equal(again?.laterDueAt, later)
  const tallies = [{ platform: 'ios', total: 3, sent: 1, failed: 1 }]
  t.match(await store.campaigns.describe(campaignId), { state: 'sending', tallies })
  if (!again) throw new Error('Not claimed')
  const sent = { ...records.outcomes, bytes: Buffer.from([1, 1, 2]), retries: {}, sent: 2 }
  t.match(await store.runChunks.release(again, 'worker', { outcomes: sent, deadTokens: [], dueAt: null }), {
    settled: true,
  })
  t.same(await store.runs.failures(run.id, 0, 10), [
    {
      userId: devices.find(({ token }) => token === chunk.deliveries[2]?.token)?.userId,
      platform: 'ios',
      reason: 'Unregistered',
    },
  ])
  t.same((await store.runs.settle()).filter(({ id }) => id === run.id).length, 1)
  t.match(await store.campaigns.describe(campaignId), { state: 'sent', sent: true })
  t.same(await tokensOf(run.id), [], 'tokens are not kept')
})

t.test('the rate is taken from five to ten seconds ago', async (t) => {
  const { chunk, run, campaignId } = await claimFirst()
  const age = (column: string, seconds: number) =>
    database.query(`UPDATE runs SET ${column} = now() - $2 * interval '1 s' WHERE id = $1`, [run.id, seconds])
  const rateOf = async () => {
    await store.runs.sample()
    const { rateBase } = (await store.campaigns.describe(campaignId)) ?? {}
    return rateBase && { done: rateBase.done, seconds: Math.floor(rateBase.seconds) }
  }
  t.match(await rateOf(), { done: 0, seconds: 0 }, 'too early for a sample')
  await store.runChunks.record(chunk, 'worker', { outcomes: { ...BLANK, sent: 2 }, deadTokens: [] })
  await age('started_at', 6)
  t.match(await rateOf(), { done: 0, seconds: 6 }, 'since the start')
  await age('sampled_at', 7)
  t.match(await rateOf(), { done: 2, seconds: 7 }, 'since the sample before the last')
  t.match(await rateOf(), { done: 2, seconds: 7 }, 'no sample is taken twice')
})

t.test('rate: what is promised to all workers together is exact over a minute', async (t) => {
  const { campaignId } = await makeGroup(1)
  const started = await store.runs.start({ campaignId, rate: 100, scheduledAt: null, resend: null })
  if (!('runId' in started)) throw new Error('Refused')
  const starts: number[] = []
  const work = async () => {
    for (let slice = 0; slice < 30; slice++) {
      const waitMs = await store.runs.reserve(started.runId, 25)
      starts.push(performance.now() + waitMs)
    }
  }
  // Eight workers, 240 slices of a quarter of a second each.
  await Promise.all(Array.from({ length: 8 }, work))
  starts.sort((a, b) => a - b)
  const [first = 0, last = 0] = [starts[0], starts.at(-1)]
  // What an answer takes on its way is all that may differ.
  t.ok(Math.abs(last - first - 59_750) < 1000, `the last of 6000 pushes at 100 a second start after ${last - first} ms`)
  const [row] = await database.query<{ seconds: number }>(
    'SELECT extract(epoch FROM paced_until - started_at)::float8 AS seconds FROM runs WHERE id = $1',
    [started.runId],
  )
  t.ok(row && row.seconds >= 60 && row.seconds < 62, `promised until ${row?.seconds} s after the start`)
})

t.test('of two starts the second sees the first one’s run, even when it is over by then', async (t) => {
  const { campaignId } = await makeGroup(1)
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  t.teardown(() => other.end())
  await other.query('BEGIN')
  await other.query('SELECT id FROM campaigns WHERE id = $1 FOR UPDATE', [campaignId])
  await other.query("INSERT INTO runs (campaign_id, state, settled_at) VALUES ($1, 'sent', now())", [campaignId])
  const second = store.runs.start({ campaignId, rate: null, scheduledAt: null, resend: null })
  await waitFor('it to wait', async () => {
    const [row] = await database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()',
    )
    return (row?.n ?? 0) > 0
  })
  await other.query('COMMIT')
  t.same(await second, { refusedBy: 'sent' })
})

t.test('tokens go from chunks that settled while their run was cut, also when it is cancelled then', async (t) => {
  const { campaignId, applicationId } = await makeGroup(3)
  const started = await start({ campaignId, applicationId, devices: [] })
  await store.runs.partition(started, FAN_OUT)
  const fanOut = await store.runs.fanOut(started, FAN_OUT)
  const claimed = await claimOne(store, fanOut?.chunks[0]?.id ?? 0, 'worker', LEASE_MS)
  if (!claimed) throw new Error('Not claimed')
  const outcomes = { ...BLANK, bytes: Buffer.from([1, 1, 1]), sent: 3 }
  await store.runChunks.release(claimed, 'worker', { outcomes, deadTokens: [], dueAt: null })
  await store.runChunks.forgetTokens(10)
  t.equal((await tokensOf(started.id)).length, 3, 'the cut may still look at them')
  await store.runs.cancel(campaignId)
  t.equal(await store.runChunks.forgetTokens(10), 1)
  t.same(await tokensOf(started.id), [])
})

t.test('a run that is held or cancelled is not claimed; what is in hand is told', async (t) => {
  const { chunk, run, campaignId } = await claimFirst()
  const isStopped = async () => (await store.chunks.stopped([chunk])).has(chunk.id)
  t.equal(await isStopped(), false)
  await store.runs.pause(campaignId)
  t.equal(await isStopped(), true)
  await store.runs.resume(campaignId)
  t.equal(await isStopped(), false)
  await store.runs.cancel(campaignId)
  t.equal(await isStopped(), true)
  t.equal(await store.runChunks.close(10), 0, 'a chunk in hand is left to its worker')
  const sent = { ...BLANK, bytes: Buffer.from([0, 1, 0]), sent: 1 }
  await store.runChunks.release(chunk, 'worker', { outcomes: sent, deadTokens: [], dueAt: null })
  t.equal(await claimOne(store, chunk.id, 'worker', LEASE_MS), undefined)
  t.equal(await store.runChunks.close(10), 1)
  t.same(await store.runs.reasons(run.id), { Cancelled: 2 })
  const failures = await store.runs.failures(run.id, 0, 10)
  t.same(
    failures.map(({ reason }) => reason),
    ['Cancelled', 'Cancelled'],
  )
  t.same(await store.runs.failures(run.id, 1, 10), failures.slice(1), 'pages start where they say')
})

t.test('a scheduled run fires once, late ones are missed', async (t) => {
  const [soon, late] = [await makeGroup(1), await makeGroup(1)]
  for (const { campaignId } of [soon, late])
    await store.runs.start({ campaignId, rate: 10, scheduledAt: new Date(Date.now() + HOUR), resend: null })
  t.same(await store.runs.fire(HOUR), [])
  await database.query(
    `UPDATE runs SET scheduled_at = now() - CASE WHEN campaign_id = $1 THEN interval '1 s' ELSE interval '2 h' END
     WHERE state = 'scheduled'`,
    [soon.campaignId],
  )
  const fired = (await Promise.all([store.runs.fire(HOUR), store.runs.fire(HOUR), store.runs.fire(HOUR)])).flat()
  t.same(
    fired.map(({ campaignId, state }) => [campaignId, state]).toSorted(),
    [
      [soon.campaignId, 'fanning-out'],
      [late.campaignId, 'missed'],
    ].toSorted(),
  )
})

t.test('a campaign is not deleted while a run is active, and not sent once it is deleted', async (t) => {
  const group = await makeGroup(1)
  await start(group)
  t.equal(await store.campaigns.delete(group.campaignId), 'active')
  await store.runs.cancel(group.campaignId)
  const outcomes = await Promise.all([
    store.campaigns.delete(group.campaignId),
    store.runs.start({ campaignId: group.campaignId, rate: null, scheduledAt: null, resend: 'all' }),
  ])
  t.ok(outcomes[0] === 'deleted' ? 'refusedBy' in outcomes[1] : 'runId' in outcomes[1], JSON.stringify(outcomes))
})

t.test('a deleted campaign goes in steps, and only once nobody has a chunk of it in hand', async (t) => {
  const { retention } = store
  const { campaignId, chunk, run } = await claimFirst(5)
  await store.runs.cancel(campaignId)
  t.equal(await store.campaigns.delete(campaignId), 'deleted')
  const removeAll = async () => {
    while ((await retention.removeCampaignUsers(2)) > 0);
    while ((await retention.removeCampaignChunks(1)) > 0);
    return retention.removeCampaigns(10)
  }
  await removeAll()
  const left = async () => (await database.query('SELECT id FROM runs WHERE id = $1', [run.id])).length
  t.equal(await left(), 1, 'a worker has a chunk in hand')
  const outcomes = { ...BLANK, bytes: Buffer.alloc(chunk.deliveries.length) }
  await store.runChunks.release(chunk, 'worker', { outcomes, deadTokens: [], dueAt: null })
  await store.runChunks.close(10)
  await removeAll()
  t.equal(await left(), 0)
  const users = await database.query('SELECT 1 FROM campaign_users WHERE campaign_id = $1', [campaignId])
  t.equal(users.length, 0)
})
