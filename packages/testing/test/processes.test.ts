// Every service in a process of its own on Redis, as production runs them: shared work, metrics, ends in good and bad order.
import t, { type Test } from 'tap'
import { PLATFORMS, type Platform } from '@push-server/contract'
import {
  analyzeDevices,
  BACKENDS,
  freePort,
  openTestStack,
  spawnService,
  waitFor,
  type TestStack,
  type TestStackOptions,
} from '@push-server/testing'

t.setTimeout(1_800_000)
// The first takes about as long as the others one after the other, and has most of the processes.
t.jobs = 2

const PORTFOLIO = 'portfolio'
const BATCH = 20
/** Huawei requires both a title and a text. */
const HELLO = { title: 'Hello', body: 'Is anybody there?' }
const WORKERS = { ios: 'apns-worker', android: 'fcm-worker', huawei: 'hms-worker' } satisfies Record<Platform, string>
/** How long a push hangs whose provider does not respond; waiting for it would take about as long. */
const HUNG_MS = 12_000

interface Member {
  name: string
  url: string
  pid: number
  kill(): Promise<void>
  stop(): Promise<number | null>
}

/** A service in a process of its own; resolves when it says that it is ready. */
async function launch(
  t: Test,
  stack: TestStack,
  name: string,
  environment: Record<string, string> = {},
): Promise<Member> {
  const healthPort = String(await freePort())
  const child = spawnService(name, { ...stack.environment, ...environment, HEALTH_PORT: healthPort })
  t.teardown(() => child.kill())
  const url = name === 'api-gateway' ? stack.api.url : `http://127.0.0.1:${healthPort}`
  const isReady = () =>
    fetch(`${url}/health/ready`).then(
      (response) => response.ok,
      () => false,
    )
  await waitFor(`${name} to be ready`, isReady)
  return { name, url, pid: child.pid, kill: child.kill, stop: child.stop }
}

interface Phones {
  appId: string
  users: number
  each?: number
  platforms?: readonly Platform[]
  /** Hexadecimal: what tokens begin with, which keeps those of two calls apart. */
  prefix?: string
}

/** Users `<appId>-1` and so on, each with `each` phones of every platform. */
async function registerPhones(stack: TestStack, phones: Phones): Promise<void> {
  const { appId, users, each = 1, platforms = ['ios'], prefix = '' } = phones
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
     SELECT a.id, $1 || '-' || n, left(md5($1 || platform || n || '-' || phone), 37), platform,
       $5 || lpad(to_hex(n * 1000 + phone), 64 - length($5), '0'), 0, true
     FROM applications a, generate_series(1, $2::int) n, generate_series(1, $3::int) phone, unnest($4::text[]) platform
     WHERE a.app_id = $1`,
    [appId, users, each, platforms, prefix],
  )
  if (users * each >= 100) await analyzeDevices(stack.database)
}

/** One message for each of the application's users, in batches that are under way ten at a time. */
async function sendToAll(t: Test, stack: TestStack, { appId, users }: Phones): Promise<void> {
  const batches = Array.from({ length: users / BATCH }, (_, batch) =>
    Array.from({ length: BATCH }, (_, index) => ({
      userId: `${appId}-${batch * BATCH + index + 1}`,
      body: { title: 'Market closed', body: 'It opens again at nine.' },
    })),
  )
  const statuses = new Set<number>()
  const send = async (): Promise<void> => {
    for (let batch = batches.pop(); batch; batch = batches.pop()) {
      const response = await stack.api.post('/push/message/batch/send', { appId, batch, mode: 'ASYNCHRONOUS' })
      statuses.add(response.status)
    }
  }
  await Promise.all(Array.from({ length: 10 }, send))
  t.same([...statuses], [200], 'every request is accepted')
}

const sendToOne = (stack: TestStack, appId: string, mode = 'SYNCHRONOUS') =>
  stack.api.post('/push/message/send', { appId, message: { userId: `${appId}-1`, body: HELLO }, mode })

async function count(stack: TestStack, what: string, condition: string, values: unknown[] = []): Promise<number> {
  const [row] = await stack.database.query<{ count: number }>(
    `SELECT coalesce(${what}, 0)::int AS count FROM chunks WHERE ${condition}`,
    values,
  )
  return row?.count ?? 0
}
const unsettled = (stack: TestStack) => count(stack, 'count(*)', 'settled_at IS NULL')
/** Chunks that the process has claimed: its id is part of its name as an owner. */
const held = (stack: TestStack, { pid }: Member) => count(stack, 'count(*)', 'owner LIKE $1', [`%-${pid}-%`])
const settledOf = (stack: TestStack) => waitFor('every chunk to settle', async () => (await unsettled(stack)) === 0)

/** The part of /health/ready on providers. */
interface Part {
  detail: { open: number }
}

interface Sample {
  labels: string
  value: number
}

/** What `/metrics` says of one metric; labels as they stand there. */
async function read({ url }: Member, metric: string): Promise<Sample[]> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)]
    .filter(([, name]) => name === metric)
    .map(([, , labels = '', value]) => ({ labels, value: Number(value) }))
}

async function sentBy(worker: Member, platform: Platform): Promise<number> {
  const samples = await read(worker, 'push_deliveries_total')
  return samples
    .filter(({ labels }) => labels.includes(`platform="${platform}"`) && labels.includes('outcome="sent"'))
    .reduce((sum, { value }) => sum + value, 0)
}

const backend = BACKENDS.find(({ name }) => name === 'redis')
const skip = backend?.skip ?? 'no back end of this name'
async function open(t: Test, options: TestStackOptions): Promise<TestStack> {
  const stack = await openTestStack({ ...(backend && { backend }), ...options })
  t.teardown(() => stack.close())
  return stack
}

t.test('two workers of each kind, a gateway and a scheduler', { skip }, async (t) => {
  // Responses at different times: otherwise a worker's chunks all settle at once, and between them it holds none.
  const latencyMs = { min: 5, max: 50 }
  const stack = await open(t, { services: [], simulator: { latencyMs } })
  const [gateway, scheduler, ...workers] = await Promise.all(
    ['api-gateway', 'campaign-scheduler', ...PLATFORMS.flatMap((platform) => [WORKERS[platform], WORKERS[platform]])]
      // They start at the same moment, as after the power came back.
      .map((name) => launch(t, stack, name)),
  )
  if (!gateway || !scheduler) throw new Error('Some did not start')
  const workersOf = (platform: Platform) => workers.filter(({ name }) => name === WORKERS[platform])

  t.test('each names its parts at /health/ready', async (t) => {
    for (const member of [gateway, scheduler, ...workers]) {
      const response = await fetch(`${member.url}/health/ready`)
      t.equal(response.status, 200, member.name)
      const report = (await response.json()) as { status: string; parts: Record<string, unknown> }
      const own = {
        'api-gateway': ['encryption keys', 'queue'],
        'campaign-scheduler': [],
        'apns-worker': ['queue of ios', 'encryption keys', 'providers of ios'],
        'fcm-worker': ['queue of android', 'encryption keys', 'providers of android'],
        'hms-worker': ['queue of huawei', 'encryption keys', 'providers of huawei'],
      }[member.name]
      t.same(
        Object.keys(report.parts),
        ['database', 'database writes', ...(own ?? ['?'])],
        `${member.name} names its parts`,
      )
      t.match(report.parts, {
        database: { status: 'up', essential: true },
        'database writes': { status: 'up', essential: member.name !== 'api-gateway' },
      })
    }
  })

  t.test(
    '1200 messages to three platforms: each phone has its own once, and both workers of a kind help',
    async (t) => {
      const everyone = { appId: PORTFOLIO, users: 1200, platforms: PLATFORMS }
      await stack.configure(PORTFOLIO, PLATFORMS)
      await registerPhones(stack, everyone)
      await sendToAll(t, stack, everyone)
      await settledOf(stack)
      t.equal(await count(stack, 'sum(total)', 'sent = total'), 3600, 'all chunks are settled with everything sent')
      t.equal(await count(stack, 'count(*)', 'sent <> total OR owner IS NOT NULL'), 0, 'no chunk is left out or held')
      const stats = stack.simulator.stats()
      for (const platform of PLATFORMS) {
        t.match(stats[platform], { received: 1200, distinctTokens: 1200, refused: 0 }, platform)
        const shares = await Promise.all(workersOf(platform).map((worker) => sentBy(worker, platform)))
        t.equal(shares.length, 2)
        t.equal(
          shares.reduce((a, b) => a + b, 0),
          stats[platform].received,
          `${platform}: the workers count the same`,
        )
        t.ok(
          shares.every((share) => share > 0),
          `${platform}: both took part, ${shares.join(' and ')}`,
        )
      }
    },
  )

  t.test('metrics of every process: backlog, pauses, the event loop', async (t) => {
    for (const member of [gateway, scheduler, ...workers]) {
      const [lag, ...others] = await read(member, 'nodejs_eventloop_lag_seconds')
      t.equal(others.length, 0)
      t.ok(lag && lag.value >= 0, `${member.name}: ${lag?.value} s behind`)
      t.same(await read(member, 'push_backlog_chunks'), [], 'nothing waits')
      t.same(await read(member, 'push_paused_platforms'), [], 'nothing is paused')
      t.same(await read(member, 'push_backlog_unknown'), [{ labels: '', value: 0 }])
      const text = await (await fetch(`${member.url}/metrics`)).text()
      for (const name of ['push_backlog_chunks', 'push_paused_platforms'])
        t.ok(text.includes(`# TYPE ${name} gauge`), `${member.name} has ${name}`)
    }
  })

  t.test('a worker is killed half way: the other one delivers what it held', async (t) => {
    const iphones = { appId: 'iphones', users: 1000, prefix: 'b' }
    await stack.configure(iphones.appId)
    await registerPhones(stack, iphones)
    stack.simulator.setLatency({ min: 500, max: 2_000 })
    const [victim] = workersOf('ios')
    if (!victim) throw new Error('There is no APNs worker')
    await sendToAll(t, stack, iphones)
    const received = () => stack.simulator.stats().ios.received - 1200
    await waitFor('half of it', async () => received() >= 500 && (await held(stack, victim)) > 0)
    const [waiting] = await read(scheduler, 'push_backlog_chunks')
    t.match(waiting, { labels: /platform="ios"/ }, 'the backlog is reported')
    t.ok(waiting && waiting.value > 0)
    await victim.kill()
    const lost = await count(stack, 'sum(total)', 'owner LIKE $1', [`%-${victim.pid}-%`])
    t.ok(lost > 0, `it died with ${lost} deliveries in hand, after ${received()} pushes`)
    stack.simulator.setLatency(latencyMs)
    await settledOf(stack)
    t.equal(stack.simulator.stats().ios.distinctTokens, 2200, 'nothing is lost')
    t.equal(await count(stack, 'sum(sent)', "platform = 'ios'"), 2200)
    const duplicates = received() - 1000
    t.ok(duplicates <= lost, `${duplicates} duplicates, none of a chunk that was settled`)
  })
})

t.test(
  'SIGTERM in the middle of a chunk: the rest goes to another worker at once, nothing twice',
  { skip },
  async (t) => {
    // Neither lease nor sweep may help: the stopping worker hands the chunk over itself.
    const patience = { LEASE_TIME: '60s', SWEEP_AFTER: '60s', APNS_CONCURRENCY: '50' }
    const stack = await open(t, {
      services: ['gateway', 'scheduler'],
      environment: patience,
      // Three seconds for the whole: it is still in the middle when the signal comes.
      simulator: { latencyMs: 300 },
    })
    const workers = await Promise.all([launch(t, stack, 'apns-worker'), launch(t, stack, 'apns-worker')])
    await stack.configure('large')
    await registerPhones(stack, { appId: 'large', users: 1, each: 500 })
    await sendToOne(stack, 'large', 'ASYNCHRONOUS')
    await stack.simulator.waitFor((pushes) => pushes.length >= 100)
    const [first, second] = workers
    const owner = (await held(stack, first)) === 1 ? first : second
    t.equal(await held(stack, owner), 1, 'one of them has it')
    t.equal(await owner.stop(), 0, 'exit code')
    await settledOf(stack)
    t.equal(stack.simulator.pushes.length, 500, 'no duplicate')
    t.equal(stack.simulator.stats().ios.distinctTokens, 500, 'nothing is lost')
    const chunks = await stack.database.query<{ sent: number }>(
      'SELECT epoch, sent, failed, total FROM chunks ORDER BY id',
    )
    const before = chunks[0]?.sent ?? Number.NaN
    t.ok(before >= 100 && before < 500, `stopped in the middle, at ${before}`)
    t.same(
      chunks,
      [before, 500 - before].map((sent) => ({ epoch: 1, sent, failed: 0, total: sent })),
      'the rest went into a chunk of its own, which the other worker finished with one claim',
    )
    const attempts = await stack.database.query('SELECT DISTINCT status, attempts FROM deliveries')
    t.same(attempts, [{ status: 'sent', attempts: 1 }], 'each with one attempt')
    const other = workers.find((worker) => worker !== owner)
    t.equal(await other?.stop(), 0, 'an idle worker stops as well')
  },
)

t.test('applications that share one worker do not disturb each other', { skip }, async (t) => {
  const stack = await open(t, {
    services: ['gateway', 'scheduler'],
    environment: { APNS_REQUEST_TIMEOUT: `${HUNG_MS}ms` },
  })
  const worker = await launch(t, stack, 'apns-worker')
  for (const appId of ['slow', 'brisk', 'refused']) await stack.configure(appId)
  const slow = { appId: 'slow', users: 40, each: 25, prefix: 'faded000' }
  await registerPhones(stack, slow)
  await registerPhones(stack, { appId: 'brisk', users: 1, prefix: 'b' })
  await registerPhones(stack, { appId: 'refused', users: 1, prefix: 'c' })
  const SENT = { sent: 1, pending: 0, failed: 0, total: 1 }
  const PENDING = { sent: 0, pending: 1, failed: 0, total: 1 }

  /** The longest of some synchronous sends, ms. */
  async function slowest(t: Test, rounds: number): Promise<number> {
    let longest = 0
    for (let round = 0; round < rounds; round++) {
      const since = performance.now()
      const { body } = await sendToOne(stack, 'brisk')
      longest = Math.max(longest, performance.now() - since)
      t.same(body.responseObject.result.ios, SENT)
    }
    return longest
  }

  t.test('a provider that never responds to one of them', async (t) => {
    for (let user = 1; user <= slow.users; user++) {
      const message = { userId: `slow-${user}`, body: HELLO }
      await stack.api.post('/push/message/send', { appId: 'slow', message, mode: 'ASYNCHRONOUS' })
    }
    await waitFor('half of the slots to hang', async () => (await held(stack, worker)) >= 10)
    await stack.simulator.waitFor(() => stack.simulator.stats().ios.withoutResponse > 0)
    const longest = await slowest(t, 20)
    t.ok((await held(stack, worker)) >= 2, 'they still do')
    t.ok(longest < HUNG_MS / 2, `the slowest of 20 took ${Math.round(longest)} ms`)
  })

  t.test('credentials of one that are refused', async (t) => {
    stack.simulator.respondTo('c', { status: 403, reason: 'InvalidProviderToken' })
    const { body } = await sendToOne(stack, 'refused')
    t.same(body.responseObject.result.ios, PENDING)
    const detailOf = async (appId: string) => (await stack.api.post('/admin/app/detail', { appId })).body.responseObject
    t.match(await detailOf('refused'), { paused: { ios: { reason: 'InvalidProviderToken' } } })
    t.same(await read(worker, 'push_paused_platforms'), [{ labels: 'platform="ios"', value: 1 }])
    const longest = await slowest(t, 5)
    t.ok(longest < HUNG_MS / 2, `the slowest of 5 took ${Math.round(longest)} ms`)
    t.notOk((await detailOf('brisk')).paused)
  })
})

t.test(
  '200 applications in one worker: each gets its push, and connections end when they are idle',
  { skip },
  async (t) => {
    const APPS = 200
    const stack = await open(t, { services: ['gateway', 'scheduler'], environment: { PROVIDER_IDLE: '3s' } })
    // Trusted by the process: with a file of its own each connection keeps a list of authorities of its own, a megabyte.
    const authority = { APNS_CA_FILE: '', NODE_EXTRA_CA_CERTS: stack.environment.APNS_CA_FILE ?? '' }
    const worker = await launch(t, stack, 'apns-worker', authority)
    const names = Array.from({ length: APPS }, (_, number) => `app-${number}`)
    await Promise.all(names.map((appId) => stack.configure(appId)))
    await Promise.all(
      names.map((appId) => registerPhones(stack, { appId, users: 1, prefix: Buffer.from(appId).toString('hex') })),
    )
    const readOne = async (metric: string) => (await read(worker, metric))[0]?.value ?? NaN
    const before = { files: await readOne('process_open_fds'), memory: await readOne('process_resident_memory_bytes') }

    const left = [...names]
    const send = async (): Promise<void> => {
      for (let appId = left.pop(); appId; appId = left.pop()) await sendToOne(stack, appId, 'ASYNCHRONOUS')
    }
    await Promise.all(Array.from({ length: 10 }, send))
    await settledOf(stack)
    t.match(stack.simulator.stats().ios, { received: APPS, distinctTokens: APPS, refused: 0 }, 'each got its push')
    const grown = (await readOne('process_resident_memory_bytes')) - before.memory
    t.ok(grown < APPS * 700_000, `${Math.round(grown / APPS / 1000)} kB for each application`)

    await waitFor('idle providers to be closed', async () => {
      const report = (await (await fetch(`${worker.url}/health/ready`)).json()) as { parts: Record<string, Part> }
      return report.parts['providers of ios']?.detail.open === 0
    })
    // The pool of the database may have grown meanwhile.
    await waitFor('their connections to end', async () => (await readOne('process_open_fds')) < before.files + 30)
  },
)
