// Redis is away at load for ten minutes, then everything that gathered is enqueued in one go: a backlog does not wait for one sweep after
// the other. What ten minutes mean to the sweep, the ages of chunks, is set in the rows; `npm run test:long` waits for them.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import {
  analyzeDevices,
  APP,
  BACKENDS,
  openTestStack,
  startOwnRedis,
  waitFor,
  type TestBackend,
  type TestStack,
} from '@push-server/testing'

// What the queue loses is the same over the other transport.
const LONG = process.env.TEST_LONG !== undefined && process.env.HTTP2_TRANSPORT !== 'node'
t.setTimeout(1_800_000)

const OUTAGE_MS = 600_000
/** Messages that the API takes while Redis is away, each a chunk of its own. */
const REQUESTS = LONG ? 2_000 : 60
/** Chunks to which a sweep gives a job with its first statement. */
const ROUND = 1_000
/** The rest of what ten minutes bring, as rows: several rounds of the sweep. */
const CHUNKS = 4 * ROUND
const SWEEP_INTERVAL_MS = 10_000
const AT_ONCE = 8

async function registerPhones({ database }: TestStack, count: number): Promise<void> {
  await database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT 1, 'user-' || n, 'user-' || n, 'ios', lpad(to_hex(n), 64, '0'), 0, true, now() - interval '1 day'
     FROM generate_series(1, $1::int) AS n`,
    [count],
  )
  await analyzeDevices({ query: database.query })
}

/** The API goes on accepting; each response within a moment, as the queue is known to be away. */
async function sendAll({ api }: TestStack, count: number, pauseMs: number): Promise<number[]> {
  const statuses: number[] = []
  let next = 1
  const sendSome = async () => {
    for (let n = next++; n <= count; n = next++) {
      const message = { userId: `user-${n}`, body: { title: 'T' } }
      const { status } = await api.post('/push/message/send', { appId: APP, message, mode: 'ASYNCHRONOUS' })
      statuses.push(status)
      // The load of ten minutes is spread over them.
      if (pauseMs > 0) await sleep(pauseMs)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome))
  return statuses
}

/** Further messages as gateways have stored them meanwhile, to the users after `first`. */
async function storeRows({ database }: TestStack, first: number, count: number): Promise<void> {
  await database.query(
    `WITH n AS (SELECT n, gen_random_uuid() AS message_id, gen_random_uuid() AS seed FROM generate_series($1::int, $1::int + $2::int - 1) AS n),
       m AS (INSERT INTO messages (id, application_id, user_id, priority, silent, personal, body, keyed)
         SELECT message_id, 1, 'user-' || n, 'HIGH', false, false, '{"title":"T"}', false FROM n),
       c AS (INSERT INTO chunks (application_id, platform, lane, seed, total, expires_at)
         SELECT 1, 'ios', 'direct', seed, 1, now() + interval '1 day' FROM n RETURNING id, seed)
     INSERT INTO deliveries (message_id, chunk_id, position, device_id, activation_id, platform, token, status)
     SELECT n.message_id, c.id, 0, d.id, d.activation_id, 'ios', d.token, 'pending'
     FROM n JOIN c ON c.seed = n.seed JOIN devices d ON d.user_id = 'user-' || n.n`,
    [first, count],
  )
}

/** As if the outage had been as long. What a sweep had noted of them is as old. */
const age = ({ database }: TestStack, ms: number) =>
  database.query(
    `UPDATE chunks SET due_at = due_at - $1 * interval '1 ms', swept_at = swept_at - $1 * interval '1 ms'`,
    [ms],
  )

/**
 * Counts the chunks that a scheduler gives a job to, and the sweeps that it takes until they are so many: what follows the one before
 * at once is the same sweep.
 */
function watchSweeps({ context: { store } }: TestStack, all: number) {
  const { sweep } = store.chunks
  const swept = new Set<number>()
  let sweeps = 0
  let endedAt = -Infinity
  store.chunks.sweep = async (afterMs, limit) => {
    const startedAt = performance.now()
    const some = await sweep(afterMs, limit)
    if (swept.size < all && startedAt - endedAt > SWEEP_INTERVAL_MS / 2) sweeps++
    for (const { id } of some) swept.add(id)
    endedAt = performance.now()
    return some
  }
  return { chunks: () => swept.size, sweeps: () => sweeps }
}

const redis = BACKENDS.find(({ name }) => name === 'redis')
t.test(
  'Redis is away for ten minutes at load: what gathered is enqueued in one go',
  { skip: redis?.skip ?? 'no back end of this name' },
  async (t) => {
    const server = await startOwnRedis({ appendOnly: false })
    t.teardown(() => server.close())
    const backend: TestBackend = { name: 'redis', skip: false, environment: () => ({ REDIS_URL: server.url }) }
    const stack = await openTestStack({
      backend,
      services: ['gateway', 'apns'],
      environment: { DIRECT_BATCH_REQUESTS: '1', SWEEP_INTERVAL: `${SWEEP_INTERVAL_MS}ms`, ENQUEUE_TIMEOUT: '60s' },
    })
    t.teardown(() => stack.close())
    await stack.configure()
    const all = REQUESTS + CHUNKS
    await registerPhones(stack, all)
    await stack.start('scheduler')

    await server.kill()
    const statuses = await sendAll(stack, REQUESTS, LONG ? (OUTAGE_MS * AT_ONCE) / REQUESTS : 0)
    t.same(new Set(statuses), new Set([200]), 'while it is away everything is accepted')
    await storeRows(stack, REQUESTS + 1, CHUNKS)
    if (!LONG) await age(stack, OUTAGE_MS)
    t.equal(stack.simulator.pushes.length, 0)
    const watched = watchSweeps(stack, all)
    await server.start()

    await waitFor('everything to be delivered', async () => {
      const rows = await stack.database.query('SELECT 1 FROM chunks WHERE settled_at IS NULL LIMIT 1')
      return rows.length === 0
    })
    t.equal(stack.simulator.stats().ios.distinctTokens, all, 'each phone has its message')
    t.equal(stack.simulator.pushes.length, all, 'once')
    t.equal(watched.chunks(), all, 'the sweep gave each chunk a job')
    t.ok(watched.sweeps() <= 2, `in ${watched.sweeps()} sweeps, of which one gives at least ${ROUND} chunks a job`)
  },
)
