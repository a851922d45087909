// Processes that die in the middle of it: what was accepted is delivered, and little of it twice.
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import {
  analyzeDevices,
  APP,
  BACKENDS,
  emptyQueue,
  openTestStack,
  spawnService,
  startOwnRedis,
  waitFor,
  type TestStack,
  type ServiceName,
  type TestBackend,
} from '@push-server/testing'
import pg from 'pg'

t.setTimeout(1_800_000)
// Much of the time they wait for processes to start and for leases of the dead.
t.jobs = 3

const CONCURRENCY = 50
const LATENCY_MS = 100
/** For a service to start and to be in the middle of it. */
const HANG_MS = 120_000
/** What pushes in flight bring in responses within one checkpoint of 250 ms. */
const CHECKPOINT = CONCURRENCY * Math.ceil(250 / LATENCY_MS)

const ofUser = (userId: string) => ({ userId, body: { title: 'Crash test' } })
const sendLater = (stack: TestStack, userId: string) =>
  stack.api.post('/push/message/send', { appId: APP, message: ofUser(userId), mode: 'ASYNCHRONOUS' })

const openChunks = async (stack: TestStack) =>
  (await stack.database.query<{ open: number }>('SELECT count(*)::int AS open FROM chunks WHERE settled_at IS NULL'))[0]
    ?.open

/** One user with many phones: one chunk. */
async function registerPhones(stack: TestStack, userId: string, count: number): Promise<void> {
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
     SELECT 1, $1::text, $1 || '-' || n, 'ios', lpad(to_hex(n), 64, '0'), 0, true FROM generate_series(1, $2::int) AS n`,
    [userId, count],
  )
  await analyzeDevices(stack.database)
}

/** The same back end, on a Redis that other tests do not wait for. */
async function ownBackend(t: Test, backend: TestBackend): Promise<TestBackend> {
  if (backend.name === 'postgresql') return backend
  const server = await startOwnRedis({ appendOnly: false })
  t.teardown(() => server.close())
  return { ...backend, environment: () => ({ REDIS_URL: server.url }) }
}

/** Blocks every write to the queue. */
async function blockQueue(stack: TestStack, backend: TestBackend): Promise<() => Promise<void>> {
  if (backend.name === 'redis') {
    const redis = new Redis(stack.environment.REDIS_URL ?? '')
    await redis.call('CLIENT', 'PAUSE', String(HANG_MS), 'WRITE')
    return async () => {
      await redis.call('CLIENT', 'UNPAUSE')
      redis.disconnect()
    }
  }
  const client = new pg.Client({ connectionString: stack.database.url })
  await client.connect()
  await client.query('BEGIN; LOCK TABLE bullmq.job IN ACCESS EXCLUSIVE MODE')
  return () => client.end()
}

const open = (backend: TestBackend, services: readonly ServiceName[], environment = {}) =>
  openTestStack({ backend, services, environment, simulator: { latencyMs: LATENCY_MS } })

for (const backend of BACKENDS) {
  t.test(`crashes on ${backend.name}`, { skip: backend.skip }, async (t) => {
    t.test('two workers are offered the same chunk: one takes it', async (t) => {
      const stack = await open(backend, ['gateway', 'apns', 'apns'], { LEASE_TIME: '60s' })
      t.teardown(() => stack.close())
      await stack.configure()
      await registerPhones(stack, 'shared', 100)
      await sendLater(stack, 'shared')
      const [chunk] = await stack.database.query<{ id: number }>('SELECT id::int FROM chunks')
      if (!chunk) throw new Error('No chunk was stored')
      const again = Array.from({ length: 6 }, (_, number) => ({
        chunkId: chunk.id,
        applicationId: 1,
        try: number + 1,
        delayMs: 0,
      }))
      await stack.context.queues.enqueue(again.map((job) => ({ ...job, platform: 'ios', lane: 'direct' })))
      await waitFor('the chunk to settle', async () => (await openChunks(stack)) === 0)
      t.equal(stack.simulator.pushes.length, 100)
      t.equal(stack.simulator.stats().ios.distinctTokens, 100)
      const [row] = await stack.database.query('SELECT epoch, sent FROM chunks')
      t.same(row, { epoch: 1, sent: 100 })
    })

    t.test('a worker is killed in the middle of a chunk', async (t) => {
      const stack = await open(backend, ['gateway', 'scheduler'], { APNS_CONCURRENCY: String(CONCURRENCY) })
      t.teardown(() => stack.close())
      await stack.configure()
      await registerPhones(stack, 'killed', 500)
      const worker = spawnService('apns-worker', stack.environment)
      await sendLater(stack, 'killed')
      await stack.simulator.waitFor((pushes) => pushes.length >= 200, HANG_MS)
      await worker.kill()
      const before = stack.simulator.pushes.length
      t.ok(before < 500, `killed in the middle, at ${before}`)
      await stack.start('apns')
      await waitFor('the chunk to settle', async () => (await openChunks(stack)) === 0)
      t.equal(stack.simulator.stats().ios.distinctTokens, 500, 'nothing is lost')
      const duplicates = stack.simulator.pushes.length - 500
      t.ok(
        duplicates <= CONCURRENCY + CHECKPOINT,
        `${duplicates} duplicates, allowed are ${CONCURRENCY} + ${CHECKPOINT}`,
      )
      const byToken = Map.groupBy(stack.simulator.pushes, (push) => push.token)
      const ids = [...byToken.values()].map((pushes) => new Set(pushes.map((push) => push.headers['apns-id'])).size)
      t.ok(
        ids.every((count) => count === 1),
        'a duplicate bears the same id',
      )
      const [row] = await stack.database.query('SELECT sent, failed, total FROM chunks')
      t.same(row, { sent: 500, failed: 0, total: 500 })
    })

    t.test('the gateway is killed between storing and enqueueing', async (t) => {
      const stack = await open(await ownBackend(t, backend), ['apns', 'scheduler'])
      t.teardown(() => stack.close())
      await stack.configure()
      await registerPhones(stack, 'stored', 3)
      const gateway = spawnService('api-gateway', { ...stack.environment, ENQUEUE_TIMEOUT: '60s' })
      await waitFor('the gateway', () =>
        stack.api.get('/push/service/status').then(
          () => true,
          () => false,
        ),
      )
      const release = await blockQueue(stack, backend)
      const response = sendLater(stack, 'stored').then(
        () => 'responded',
        () => 'disconnected',
      )
      await waitFor('the message to be stored', async () => (await openChunks(stack)) === 1)
      await gateway.kill()
      await release()
      t.equal(await response, 'disconnected')
      await waitFor('the sweep', async () => (await openChunks(stack)) === 0)
      t.equal(stack.simulator.stats().ios.distinctTokens, 3)
    })

    t.test('the queue is emptied by hand', async (t) => {
      const stack = await open(backend, ['gateway'])
      t.teardown(() => stack.close())
      await stack.configure()
      await registerPhones(stack, 'flushed', 3)
      await sendLater(stack, 'flushed')
      t.ok((await emptyQueue(stack)) > 0, 'there was something to lose')
      await stack.start('apns')
      await stack.start('scheduler')
      await waitFor('the sweep', async () => (await openChunks(stack)) === 0)
      t.equal(stack.simulator.pushes.length, 3)
    })
  })
}

t.test('whatever the queue is on', async (t) => {
  const [backend] = BACKENDS
  if (!backend) throw new Error('There is no back end')
  t.test('a worker is frozen past its lease: thawed, it pushes nothing that another has taken over', async (t) => {
    const stack = await open(backend, ['gateway', 'scheduler'], { APNS_CONCURRENCY: String(CONCURRENCY) })
    t.teardown(() => stack.close())
    await stack.configure()
    await registerPhones(stack, 'frozen', 500)
    const frozen = spawnService('apns-worker', stack.environment)
    t.teardown(() => frozen.kill())
    await sendLater(stack, 'frozen')
    await stack.simulator.waitFor((pushes) => pushes.length >= 150, HANG_MS)
    process.kill(frozen.pid, 'SIGSTOP')
    const before = stack.simulator.pushes.length
    t.ok(before < 500 - 3 * CONCURRENCY, `frozen in the middle, at ${before}`)
    const stopOther = await stack.start('apns')
    const [chunk] = await waitFor('the lease to run out', () =>
      stack.database
        .query<{ id: number }>('SELECT id::int FROM chunks WHERE lease_until < now()')
        .then((rows) => rows.length > 0 && rows),
    )
    if (!chunk) throw new Error('There is no chunk')
    // The frozen worker's job still counts as taken; this is the sweep's, without the wait.
    await stack.context.queues.enqueue([
      { chunkId: chunk.id, applicationId: 1, platform: 'ios', lane: 'direct', try: 1, delayMs: 0 },
    ])
    await waitFor('the chunk to settle', async () => (await openChunks(stack)) === 0)
    await stopOther()
    const settled = stack.simulator.pushes.length
    t.equal(stack.simulator.stats().ios.distinctTokens, 500, 'nothing is lost')
    t.ok(settled - 500 <= CONCURRENCY + CHECKPOINT, `${settled - 500} duplicates`)

    process.kill(frozen.pid, 'SIGCONT')
    await stack.register({ userId: 'later', token: 'f'.repeat(64) })
    await sendLater(stack, 'later')
    await waitFor('the thawed worker to deliver something else', async () => (await openChunks(stack)) === 0)
    t.equal(await frozen.stop(), 0, 'it has nothing in hand any more')
    // What it had begun to write when it was frozen was in flight, and leaves with the rest of its buffer.
    const late = stack.simulator.pushes.length - settled - 1
    t.ok(late <= CONCURRENCY, `of the chunk it had it starts no push: ${late} were on their way`)
    // What a claim leaves pending gets a chunk of its own, so that there may be several.
    const [taken] = await stack.database.query<{ epoch: number }>(
      `SELECT max(epoch) AS epoch, sum(sent)::int AS sent, sum(failed)::int AS failed, sum(total)::int AS total FROM chunks
       WHERE id < (SELECT max(id) FROM chunks)`,
    )
    t.match(taken, { sent: 500, failed: 0, total: 500 })
    t.ok(taken && taken.epoch >= 2, 'another had claimed it')
  })

  t.test('the sweep comes to a message behind 4000 chunks of a platform without workers', async (t) => {
    const stack = await open(backend, ['gateway'])
    t.teardown(() => stack.close())
    await stack.configure()
    await registerPhones(stack, 'behind', 3)
    await sendLater(stack, 'behind')
    await emptyQueue(stack)
    await stack.database.query(
      `INSERT INTO chunks (application_id, platform, lane, total, due_at, expires_at)
       SELECT 1, 'android', 'direct', 1, now() - interval '1 h', now() + interval '1 h' FROM generate_series(1, 4000)`,
    )
    await stack.start('apns')
    await stack.start('scheduler')
    await waitFor('the sweep', () => stack.simulator.pushes.length === 3)
    const [row] = await stack.database.query(
      "SELECT count(*)::int AS waiting FROM chunks WHERE platform = 'android' AND settled_at IS NULL",
    )
    t.same(row, { waiting: 4000 }, 'those of the other platform still wait')
  })

  t.test('the database fails between storing and counting: the answer is OK, for it is delivered', async (t) => {
    // The response is due before the first outcome is known, so the rows are to be read.
    const stack = await open(backend, ['gateway', 'apns'], { SYNC_TIMEOUT: '1ms' })
    t.teardown(() => stack.close())
    await stack.configure()
    await registerPhones(stack, 'uncounted', 3)
    let requested = 0
    stack.context.store.messages.tallies = async () => {
      requested++
      throw new Error('Connection terminated unexpectedly')
    }
    const { status, body } = await stack.api.post('/push/message/send', { appId: APP, message: ofUser('uncounted') })
    t.equal(requested, 1)
    t.equal(status, 200)
    t.match(body, { status: 'OK', responseObject: { result: { ios: { sent: 0, pending: 3, failed: 0, total: 3 } } } })
    await waitFor('the chunk to settle', async () => (await openChunks(stack)) === 0)
    t.equal(stack.simulator.stats().ios.distinctTokens, 3, 'each phone has it')
  })
})
