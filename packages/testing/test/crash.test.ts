// Processes that die in the middle of it: what was accepted is delivered, and little of it twice.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import {
  APP,
  BACKENDS,
  emptyQueue,
  openHouse,
  spawnService,
  startOwnRedis,
  until,
  type House,
  type ServiceName,
  type TestBackend,
} from '@push-server/testing'
import pg from 'pg'

t.setTimeout(1_800_000)

const WINDOW = 50
const LATENCY_MS = 100
/** For a service to start and to be in the middle of it. */
const HANG_MS = 120_000
/** What a window of pushes brings in answers within one checkpoint of 250 ms. */
const CHECKPOINT = WINDOW * Math.ceil(250 / LATENCY_MS)

const ofUser = (userId: string) => ({ userId, body: { title: 'Crash test' } })
const sendLater = (house: House, userId: string) =>
  house.api.post('/push/message/send', { appId: APP, message: ofUser(userId), mode: 'ASYNCHRONOUS' })

const openChunks = async (house: House) =>
  (await house.database.query<{ open: number }>('SELECT count(*)::int AS open FROM chunks WHERE settled_at IS NULL'))[0]
    ?.open

/** One user with many phones: one chunk. */
async function registerPhones(house: House, userId: string, count: number): Promise<void> {
  await house.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
     SELECT 1, $1::text, $1 || '-' || n, 'ios', lpad(to_hex(n), 64, '0'), 0, true FROM generate_series(1, $2::int) AS n`,
    [userId, count],
  )
}

/** The same back end, on a Redis that other tests do not wait for. */
async function ownBackend(t: Test, backend: TestBackend): Promise<TestBackend> {
  if (backend.name === 'postgresql') return backend
  const server = await startOwnRedis({ appendOnly: false })
  t.teardown(() => server.close())
  return { ...backend, environment: () => ({ REDIS_URL: server.url }) }
}

/** Holds back whatever wants to write to the queue. */
async function blockQueue(house: House, backend: TestBackend): Promise<() => Promise<void>> {
  if (backend.name === 'redis') {
    const redis = new Redis(house.environment.REDIS_URL ?? '')
    await redis.call('CLIENT', 'PAUSE', String(HANG_MS), 'WRITE')
    return async () => {
      await redis.call('CLIENT', 'UNPAUSE')
      redis.disconnect()
    }
  }
  const client = new pg.Client({ connectionString: house.database.url })
  await client.connect()
  await client.query('BEGIN; LOCK TABLE bullmq.job IN ACCESS EXCLUSIVE MODE')
  return () => client.end()
}

const open = (backend: TestBackend, services: readonly ServiceName[], environment = {}) =>
  openHouse({ backend, services, environment, simulator: { latencyMs: LATENCY_MS } })

for (const backend of BACKENDS) {
  t.test(`crashes on ${backend.name}`, { skip: backend.skip }, async (t) => {
    t.test('two workers are offered the same chunk: one takes it', async (t) => {
      const house = await open(backend, ['gateway', 'apns', 'apns'], { LEASE_TIME: '60s' })
      t.teardown(() => house.close())
      await house.configure()
      await registerPhones(house, 'shared', 100)
      await sendLater(house, 'shared')
      const [chunk] = await house.database.query<{ id: number }>('SELECT id::int FROM chunks')
      if (!chunk) throw new Error('No chunk was stored')
      const again = Array.from({ length: 6 }, (_, number) => ({
        chunkId: chunk.id,
        applicationId: 1,
        try: number + 1,
        delayMs: 0,
      }))
      await house.context.queues.enqueue(again.map((job) => ({ ...job, platform: 'ios', lane: 'direct' })))
      await until('the chunk to settle', async () => (await openChunks(house)) === 0)
      t.equal(house.simulator.pushes.length, 100)
      t.equal(house.simulator.stats().ios.distinctTokens, 100)
      const [row] = await house.database.query('SELECT epoch, sent FROM chunks')
      t.same(row, { epoch: 1, sent: 100 })
    })

    t.test('a worker is killed in the middle of a chunk', async (t) => {
      const house = await open(backend, ['gateway', 'scheduler'], { APNS_WINDOW: String(WINDOW) })
      t.teardown(() => house.close())
      await house.configure()
      await registerPhones(house, 'killed', 500)
      const worker = spawnService('apns-worker', house.environment)
      await sendLater(house, 'killed')
      await house.simulator.waitFor((pushes) => pushes.length >= 200, HANG_MS)
      await worker.kill()
      const before = house.simulator.pushes.length
      t.ok(before < 500, `killed in the middle, at ${before}`)
      await house.start('apns')
      await until('the chunk to settle', async () => (await openChunks(house)) === 0)
      t.equal(house.simulator.stats().ios.distinctTokens, 500, 'nothing is lost')
      const repeats = house.simulator.pushes.length - 500
      t.ok(repeats <= WINDOW + CHECKPOINT, `${repeats} repeats, allowed are ${WINDOW} + ${CHECKPOINT}`)
      const byToken = Map.groupBy(house.simulator.pushes, (push) => push.token)
      const ids = [...byToken.values()].map((pushes) => new Set(pushes.map((push) => push.headers['apns-id'])).size)
      t.ok(
        ids.every((count) => count === 1),
        'a repeat bears the same id',
      )
      const [row] = await house.database.query('SELECT sent, failed, total FROM chunks')
      t.same(row, { sent: 500, failed: 0, total: 500 })
    })

    t.test('the gateway is killed between storing and enqueueing', async (t) => {
      const house = await open(await ownBackend(t, backend), ['apns', 'scheduler'])
      t.teardown(() => house.close())
      await house.configure()
      await registerPhones(house, 'stored', 3)
      const gateway = spawnService('api-gateway', { ...house.environment, ENQUEUE_TIMEOUT: '60s' })
      await until('the gateway', () =>
        house.api.get('/push/service/status').then(
          () => true,
          () => false,
        ),
      )
      const release = await blockQueue(house, backend)
      const answer = sendLater(house, 'stored').then(
        () => 'answered',
        () => 'cut off',
      )
      await until('the message to be stored', async () => (await openChunks(house)) === 1)
      await gateway.kill()
      await release()
      t.equal(await answer, 'cut off')
      await until('the sweep', async () => (await openChunks(house)) === 0)
      t.equal(house.simulator.stats().ios.distinctTokens, 3)
    })

    t.test('the queue is emptied by hand', async (t) => {
      const house = await open(backend, ['gateway'])
      t.teardown(() => house.close())
      await house.configure()
      await registerPhones(house, 'flushed', 3)
      await sendLater(house, 'flushed')
      t.ok((await emptyQueue(house)) > 0, 'there was something to lose')
      await house.start('apns')
      await house.start('scheduler')
      await until('the sweep', async () => (await openChunks(house)) === 0)
      t.equal(house.simulator.pushes.length, 3)
    })
  })
}

t.test('whatever the queue is on', async (t) => {
  const [backend] = BACKENDS
  if (!backend) throw new Error('There is no back end')
  t.test('a worker is frozen past its lease: thawed, it pushes nothing that another has taken over', async (t) => {
    const house = await open(backend, ['gateway', 'scheduler'], { APNS_WINDOW: String(WINDOW) })
    t.teardown(() => house.close())
    await house.configure()
    await registerPhones(house, 'frozen', 500)
    const frozen = spawnService('apns-worker', house.environment)
    t.teardown(() => frozen.kill())
    await sendLater(house, 'frozen')
    await house.simulator.waitFor((pushes) => pushes.length >= 150, HANG_MS)
    process.kill(frozen.pid, 'SIGSTOP')
    const before = house.simulator.pushes.length
    t.ok(before < 500 - 3 * WINDOW, `frozen in the middle, at ${before}`)
    const stopOther = await house.start('apns')
    const [chunk] = await until('the lease to run out', () =>
      house.database
        .query<{ id: number }>('SELECT id::int FROM chunks WHERE lease_until < now()')
        .then((rows) => rows.length > 0 && rows),
    )
    if (!chunk) throw new Error('There is no chunk')
    // The frozen worker's job still counts as taken; this is the sweep's, without the wait.
    await house.context.queues.enqueue([
      { chunkId: chunk.id, applicationId: 1, platform: 'ios', lane: 'direct', try: 1, delayMs: 0 },
    ])
    await until('the chunk to settle', async () => (await openChunks(house)) === 0)
    await stopOther()
    const settled = house.simulator.pushes.length
    t.equal(house.simulator.stats().ios.distinctTokens, 500, 'nothing is lost')
    t.ok(settled - 500 <= WINDOW + CHECKPOINT, `${settled - 500} repeats`)

    process.kill(frozen.pid, 'SIGCONT')
    await house.register({ userId: 'later', token: 'f'.repeat(64) })
    await sendLater(house, 'later')
    await until('the thawed worker to deliver something else', async () => (await openChunks(house)) === 0)
    t.equal(await frozen.stop(), 0, 'it has nothing in hand any more')
    // What it had begun to write when it was frozen was in flight, and leaves with the rest of its buffer.
    const late = house.simulator.pushes.length - settled - 1
    t.ok(late <= WINDOW, `of the chunk it had it starts no push: ${late} were on their way`)
    const [taken] = await house.database.query<{ epoch: number }>(
      'SELECT epoch, sent, failed, total FROM chunks ORDER BY id LIMIT 1',
    )
    t.match(taken, { sent: 500, failed: 0, total: 500 })
    t.ok(taken && taken.epoch >= 2, 'another had claimed it')
  })

  t.test('the sweep comes to a message behind 4000 chunks of a platform without workers', async (t) => {
    const house = await open(backend, ['gateway'])
    t.teardown(() => house.close())
    await house.configure()
    await registerPhones(house, 'behind', 3)
    await sendLater(house, 'behind')
    await emptyQueue(house)
    await house.database.query(
      `INSERT INTO chunks (application_id, platform, lane, total, due_at, expires_at)
       SELECT 1, 'android', 'direct', 1, now() - interval '1 h', now() + interval '1 h' FROM generate_series(1, 4000)`,
    )
    await house.start('apns')
    await house.start('scheduler')
    await until('the sweep', () => house.simulator.pushes.length === 3)
    const [row] = await house.database.query(
      "SELECT count(*)::int AS waiting FROM chunks WHERE platform = 'android' AND settled_at IS NULL",
    )
    t.same(row, { waiting: 4000 }, 'those of the other platform still wait')
  })

  t.test('the database fails between storing and counting: the answer is OK, for it is delivered', async (t) => {
    const house = await open(backend, ['gateway', 'apns'])
    t.teardown(() => house.close())
    await house.configure()
    await registerPhones(house, 'uncounted', 3)
    let asked = 0
    house.context.store.messages.tally = async () => {
      asked++
      throw new Error('Connection terminated unexpectedly')
    }
    const { status, body } = await house.api.post('/push/message/send', { appId: APP, message: ofUser('uncounted') })
    t.equal(asked, 1)
    t.equal(status, 200)
    t.match(body, { status: 'OK', responseObject: { result: { ios: { sent: 0, pending: 3, failed: 0, total: 3 } } } })
    await until('the chunk to settle', async () => (await openChunks(house)) === 0)
    t.equal(house.simulator.stats().ios.distinctTokens, 3, 'each phone has it')
  })
})
