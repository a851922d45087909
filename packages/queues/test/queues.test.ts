// The queues on both of their stores, and what becomes of them when Redis is away, hangs or comes back.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LANES, PLATFORMS, type ChunkJob } from '@push-server/contract'
import { createLogger } from '@push-server/runtime'
import { BACKENDS, createDatabase, freePort, startOwnRedis, waitFor, type TestDatabase } from '@push-server/testing'
import { Redis } from 'ioredis'
import pg from 'pg'
import t, { type Test } from 'tap'
import { openQueues, type Handled, type JobData, type Queues, type QueueSettings } from '../src/index.ts'

/** Long enough for a queue that responds, on any machine. */
const ENQUEUE_TIMEOUT = 1_500
/** What hangs takes longer; what is refused in time does not, however busy the machine. */
const IN_TIME = ENQUEUE_TIMEOUT + 10_000

const silent = createLogger({ logLevel: 'silent', logPretty: false }, 'test')
const job = (chunkId: number, more: Partial<ChunkJob> = {}): ChunkJob => ({
  chunkId,
  applicationId: 7,
  try: 0,
  platform: 'ios',
  lane: 'direct',
  delayMs: 0,
  ...more,
})

/** A consumer that writes down what it gets; it is closed before the queues are. */
function collect(t: Test, queues: Queues, handle: (chunkId: number) => Promise<Handled> = async () => {}) {
  const got: number[] = []
  const consumer = queues.consume({ platform: 'ios', lane: 'direct', concurrency: 1 }, async ({ chunkId }) => {
    got.push(chunkId)
    return handle(chunkId)
  })
  t.teardown(() => consumer.close())
  return { got, consumer }
}

const gets = (got: number[], chunkId: number) => waitFor(`chunk ${chunkId}`, () => got.includes(chunkId))

async function elapsed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** What an eviction for want of memory may do: the job is there, but in no list. */
async function loseLists({ REDIS_URL = '', QUEUE_PREFIX }: Record<string, string>): Promise<void> {
  const redis = new Redis(REDIS_URL)
  await redis.del(`${QUEUE_PREFIX}:ios-direct:wait`, `${QUEUE_PREFIX}:ios-direct:marker`)
  redis.disconnect()
}

for (const backend of BACKENDS) {
  t.test(`queues on ${backend.name}`, { skip: backend.skip }, async (t) => {
    const database = await createDatabase()
    t.teardown(() => database.close())
    const onPostgres = backend.name === 'postgresql' && 'there the database is the namespace'
    const settingsOf = (namespace: Record<string, string>): QueueSettings => ({
      redisUrl: namespace.REDIS_URL,
      databaseUrl: database.url,
      databasePoolQueues: 10,
      queuePrefix: namespace.QUEUE_PREFIX ?? 'push',
      enqueueTimeout: 5_000,
    })
    /** Queues of their own for each test, so that nothing is left over from another. */
    const openAlone = async (t: Test, { log = silent, namespace = backend.environment() } = {}) => {
      if (backend.name === 'postgresql') await database.query('DROP SCHEMA IF EXISTS bullmq CASCADE')
      const queues = await openQueues(settingsOf(namespace), log, Date.now)
      t.teardown(() => queues.close())
      return queues
    }

    t.test('a job arrives, whether producer or consumer comes first', async (t) => {
      const queues = await openAlone(t)
      t.equal(queues.backend, backend.name)
      await t.resolves(queues.ping())
      await queues.enqueue([job(1), job(2)])
      const { got } = collect(t, queues)
      await gets(got, 2)
      await queues.enqueue([job(3)])
      await gets(got, 3)
      t.same(got, [1, 2, 3], 'in their order')
      await t.resolves(queues.enqueue([]))
    })

    t.test('a job that is offered again comes behind what waited meanwhile', async (t) => {
      const queues = await openAlone(t)
      await queues.enqueue([job(1), job(2), job(3)])
      let dueAt = Infinity
      const { got } = collect(t, queues, async (chunkId) => {
        if (chunkId === 2) await waitFor('the first to be due again', () => performance.now() > dueAt)
        if (chunkId !== 1 || dueAt < Infinity) return
        dueAt = performance.now() + 100
        return { retryInMs: 50 }
      })
      await waitFor('all of them', () => got.length === 4)
      t.same(got, [1, 2, 3, 1])
    })

    t.test('a chunk that is long overdue gets a job although the queue believes to have one', async (t) => {
      const namespace = backend.environment()
      const queues = await openAlone(t, { namespace })
      await queues.enqueue([job(1)])
      if (namespace.REDIS_URL) await loseLists(namespace)
      else await database.query("UPDATE bullmq.job SET state = 'completed'")
      const { got } = collect(t, queues)
      await queues.enqueue([job(1), job(2)])
      await gets(got, 2)
      t.same(got, [2], 'the id of the lost one is taken')
      await queues.enqueue([job(1, { overdue: 1 })])
      await gets(got, 1)
    })

    t.test('a delayed job: not before its time, and in nobody’s way', async (t) => {
      const queues = await openAlone(t)
      const { got } = collect(t, queues)
      const start = performance.now()
      await queues.enqueue([job(1, { delayMs: 2_000.5 }), job(2)])
      await gets(got, 2)
      t.same(got, [2])
      await gets(got, 1)
      const waited = performance.now() - start
      t.ok(waited >= 1_995, `after ${waited} ms`)
    })

    t.test('the same id added twice while it waits runs once, and after it ran once more', async (t) => {
      const queues = await openAlone(t)
      await queues.enqueue([job(1)])
      await queues.enqueue([job(1), job(1, { try: 1 })])
      await queues.enqueue([job(2)])
      const { got } = collect(t, queues)
      await gets(got, 2)
      t.same(got, [1, 1, 2], 'another attempt is another id')
      await waitFor('the first to run again', async () => {
        await queues.enqueue([job(1)])
        return got.length > 3
      })
    })

    t.test('a job carries chunk and application', async (t) => {
      const queues = await openAlone(t)
      const got: JobData[] = []
      const consumer = queues.consume(
        { platform: 'ios', lane: 'direct', concurrency: 1 },
        async (hint) => void got.push(hint),
      )
      t.teardown(() => consumer.close())
      await queues.enqueue([job(1, { applicationId: 42, try: 3 })])
      await waitFor('the job', () => got.length > 0)
      t.same(got, [{ chunkId: 1, applicationId: 42 }])
    })

    t.test('a job that is not taken now is offered again, after the others', async (t) => {
      const queues = await openAlone(t)
      const offers: number[] = []
      const { got } = collect(t, queues, async (chunkId) => {
        if (chunkId !== 1) return
        offers.push(performance.now())
        if (offers.length < 3) return { retryInMs: 200 }
      })
      await queues.enqueue([job(1), job(2)])
      await waitFor('the third offer', () => offers.length === 3)
      t.same(got, [1, 2, 1, 1])
      for (const [index, time] of offers.slice(1).entries())
        t.ok(time - (offers[index] ?? 0) >= 195, 'not before its time')
      await queues.enqueue([job(3)])
      await gets(got, 3)
      t.equal(offers.length, 3, 'taken, it is gone')
    })

    t.test('lanes and platforms do not mix', async (t) => {
      const queues = await openAlone(t)
      const all = PLATFORMS.flatMap((platform) => LANES.map((lane) => ({ platform, lane })))
      const got = all.map(({ platform, lane }) => {
        const seen: number[] = []
        const consumer = queues.consume(
          { platform, lane, concurrency: 2 },
          async ({ chunkId }) => void seen.push(chunkId),
        )
        t.teardown(() => consumer.close())
        return seen
      })
      await queues.enqueue(all.flatMap((queue, index) => [job(index, queue), job(index + 100, queue)]))
      await waitFor('all of them', () => got.flat().length === 2 * all.length)
      t.same(
        got.map((seen) => seen.toSorted((a, b) => a - b)),
        all.map((_, index) => [index, index + 100]),
      )
    })

    t.test('close waits for the running job and takes no other', async (t) => {
      const queues = await openAlone(t)
      const done = Promise.withResolvers<void>()
      const { got, consumer } = collect(t, queues, () => done.promise)
      await queues.enqueue([job(1)])
      await gets(got, 1)
      await queues.enqueue([job(2)])
      let closed = false
      const closing = consumer.close().then(() => (closed = true))
      await queues.enqueue([job(3, { lane: 'campaign' })])
      t.equal(closed, false)
      done.resolve()
      await closing
      t.same(got, [1])
      const next = collect(t, queues)
      await gets(next.got, 2)
      t.same(next.got, [2], 'what it left goes to another')
      t.same(got, [1])
    })

    t.test('no more at once than the concurrency', async (t) => {
      const queues = await openAlone(t)
      let [inHand, most] = [0, 0]
      const got: number[] = []
      const gate = Promise.withResolvers<void>()
      const consumer = queues.consume({ platform: 'ios', lane: 'direct', concurrency: 3 }, async ({ chunkId }) => {
        most = Math.max(most, ++inHand)
        if (inHand === 3) gate.resolve()
        await gate.promise
        inHand--
        got.push(chunkId)
      })
      t.teardown(() => consumer.close())
      await queues.enqueue(Array.from({ length: 12 }, (_, index) => job(index)))
      await waitFor('all of them', () => got.length === 12)
      t.equal(most, 3)
    })

    t.test('a handler that rejects is logged; the job is gone and the next one comes', async (t) => {
      const errors: unknown[] = []
      const log = Object.assign(createLogger({ logLevel: 'silent', logPretty: false }, 'test'), {
        error: (object: object, text: string) => void errors.push({ ...object, text }),
      })
      const queues = await openAlone(t, { log })
      const { got, consumer } = collect(t, queues, async (chunkId) => {
        if (chunkId === 1) throw new Error('broken')
      })
      await queues.enqueue([job(1), job(2)])
      await gets(got, 2)
      await waitFor('the log', () => errors.length > 0)
      t.match(errors, [{ chunkId: 1, err: { message: 'broken' }, text: 'job failed' }])
      await consumer.close()
      const next = collect(t, queues)
      await queues.enqueue([job(3)])
      await gets(next.got, 3)
      t.same([got, next.got], [[1, 2], [3]])
      await waitFor('the failed one to be added again', async () => {
        await queues.enqueue([job(1)])
        return next.got.includes(1)
      })
    })

    t.test('several processes that start at once on an empty store', async (t) => {
      if (backend.name === 'postgresql') await database.query('DROP SCHEMA IF EXISTS bullmq CASCADE')
      const settings = settingsOf(backend.environment())
      const opened = await Promise.allSettled(Array.from({ length: 4 }, () => openQueues(settings, silent, Date.now)))
      const all = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
      t.teardown(() => Promise.all(all.map((queues) => queues.close())))
      t.same(
        opened.flatMap((one) => (one.status === 'rejected' ? [String(one.reason)] : [])),
        [],
      )
      const [first, last] = [all[0], all.at(-1)]
      if (!first || !last) return t.fail('none opened')
      const { got } = collect(t, last)
      await first.enqueue([job(1)])
      await gets(got, 1)
    })

    // In PostgreSQL each database is one installation.
    if (backend.name === 'postgresql') return
    t.test('installations with prefixes of their own do not mix', { skip: onPostgres }, async (t) => {
      const settings = settingsOf(backend.environment())
      const [one, two] = await Promise.all(
        ['one', 'two'].map((name) =>
          openQueues({ ...settings, queuePrefix: `${settings.queuePrefix}_${name}` }, silent, Date.now),
        ),
      )
      if (!one || !two) return t.fail('not opened')
      t.teardown(() => Promise.all([one.close(), two.close()]))
      const ofTwo = collect(t, two)
      await one.enqueue([job(1)])
      await two.enqueue([job(2)])
      await gets(ofTwo.got, 2)
      const ofOne = collect(t, one)
      await gets(ofOne.got, 1)
      t.same(ofTwo.got, [2])
    })
  })
}

t.test('PostgreSQL that hangs: enqueueing rejects in time, and works again after', async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  const queues = await openQueues(
    {
      redisUrl: undefined,
      databaseUrl: database.url,
      databasePoolQueues: 10,
      queuePrefix: 'push',
      enqueueTimeout: ENQUEUE_TIMEOUT,
    },
    silent,
    Date.now,
  )
  t.teardown(() => queues.close())
  const unlock = await lockJobs(database)
  const waited = await elapsed(() => t.rejects(queues.enqueue([job(1)]), { message: /within 1500 ms/ }))
  t.ok(waited >= ENQUEUE_TIMEOUT - 5 && waited < IN_TIME, `after ${waited} ms`)
  await unlock()
  await queues.enqueue([job(2)])
  const { got } = collect(t, queues)
  await gets(got, 2)
})

async function lockJobs(database: TestDatabase): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('BEGIN; LOCK TABLE bullmq.job IN ACCESS EXCLUSIVE MODE')
  return () => client.end()
}

const noServer = spawnSync('redis-server', ['--version']).error !== undefined && 'redis-server is not installed'

/** A Redis server of this test's own, to be stopped at will. */
async function startRedis(port: number, dir: string): Promise<ChildProcess> {
  const server = spawn('redis-server', ['--port', String(port), '--save', '', '--appendonly', 'no', '--dir', dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  server.stdout.setEncoding('utf8')
  for await (const line of server.stdout) if (String(line).includes('Ready to accept connections')) break
  server.stdout.destroy()
  return server
}

async function kill(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
}

/** A process that stops cannot wait for a Redis that may never return. */
const closes = (closing: Promise<unknown>) =>
  Promise.race([
    closing.then(() => 'closed'),
    new Promise((resolve) => setTimeout(resolve, 20_000, 'still closing after 20 s').unref()),
  ])

t.test('Redis that is away, comes, hangs and goes', { skip: noServer }, async (t) => {
  const port = await freePort()
  const dir = await mkdtemp(join(tmpdir(), 'queues-redis-'))
  t.teardown(() => rm(dir, { recursive: true }))
  const settings = {
    redisUrl: `redis://127.0.0.1:${port}`,
    databaseUrl: '',
    databasePoolQueues: 10,
    queuePrefix: 'push',
    enqueueTimeout: ENQUEUE_TIMEOUT,
  }
  let failures = 0
  const log = Object.assign(createLogger({ logLevel: 'silent', logPretty: false }, 'test'), {
    warn: () => void failures++,
  })
  const moreFailures = (expected = failures + 6) => waitFor('attempts to connect that fail', () => failures >= expected)
  let queues: Queues | undefined
  const got: number[] = []
  const opening = await elapsed(async () => (queues = await openQueues(settings, log, Date.now)))
  t.ok(opening < 3_000 + 10_000, `opened without it after ${opening} ms`)
  if (!queues) return
  const { enqueue, consume, close, ping } = queues
  await t.rejects(ping())
  const consumer = consume(
    { platform: 'ios', lane: 'direct', concurrency: 1 },
    async ({ chunkId }) => void got.push(chunkId),
  )

  for (let n = 0; n < 3; n++) {
    const refused = await elapsed(() => t.rejects(enqueue([job(1)])))
    t.ok(refused < IN_TIME, `away: refused after ${refused} ms`)
  }

  const other = consume({ platform: 'ios', lane: 'campaign', concurrency: 1 }, async () => {})
  await moreFailures()
  t.equal(await closes(other.close()), 'closed', 'away: a process can stop')

  const server = await startRedis(port, dir)
  t.teardown(() => kill(server))
  await waitFor('Redis to be found', () =>
    enqueue([job(2)]).then(
      () => true,
      () => false,
    ),
  )
  await gets(got, 2)
  await t.resolves(ping())

  server.kill('SIGSTOP')
  const late = await elapsed(() => t.rejects(enqueue([job(3)])))
  t.ok(late >= ENQUEUE_TIMEOUT - 5 && late < IN_TIME, `hanging: refused after ${late} ms`)
  server.kill('SIGCONT')
  await enqueue([job(4)])
  await gets(got, 4)

  await kill(server)
  await waitFor('the loss to be noticed', () =>
    enqueue([job(5)]).then(
      () => false,
      () => true,
    ),
  )
  await moreFailures()
  t.equal(await closes(consumer.close().then(close)), 'closed', 'gone: a process can stop')
})

t.test('a Redis that is full, or takes no writes, is no queue', { skip: noServer }, async (t) => {
  const server = await startOwnRedis({ appendOnly: false })
  t.teardown(() => server.close())
  const settings = {
    redisUrl: server.url,
    databaseUrl: '',
    databasePoolQueues: 10,
    queuePrefix: 'full',
    enqueueTimeout: ENQUEUE_TIMEOUT,
  }
  const queues = await openQueues(settings, silent, Date.now)
  t.teardown(() => queues.close())
  const admin = new Redis(server.url)
  t.teardown(() => admin.disconnect())
  await t.resolves(queues.ping())
  await admin.config('SET', 'maxmemory-policy', 'noeviction')
  await admin.config('SET', 'maxmemory', '1')
  await t.rejects(queues.ping(), { message: /OOM/ }, 'it still responds, and takes no job')
  await t.rejects(queues.enqueue([job(1)]))
  await admin.config('SET', 'maxmemory', '0')
  await t.resolves(queues.ping(), 'there is room again')
  await admin.config('SET', 'min-replicas-to-write', '1')
  await t.rejects(queues.ping(), { message: /NOREPLICAS/ })
  await admin.config('SET', 'min-replicas-to-write', '0')
})
