// Processes that die with many requests, or with the deliveries of many applications, in hand at once: nothing that was accepted is lost,
// nothing is stored twice under its key, and what comes twice stays within a bound that docs/reliability.md names.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import t, { type Test } from 'tap'
import { readConfig } from '@push-server/runtime'
import {
  analyzeDevices,
  APP,
  openTestStack,
  spawnService,
  waitFor,
  type TestStack,
  type TestStackOptions,
} from '@push-server/testing'

t.setTimeout(1_800_000)
// Much of the time they wait for processes to start and for leases of the dead.
t.jobs = 3

const HANG_MS = 300_000
/** What is tried here is what shares a statement. */
const SHARED = { DIRECT_BATCH_REQUESTS: '200', DIRECT_BATCH_CHUNKS: '100' }

async function open(t: Test, options: TestStackOptions): Promise<TestStack> {
  const stack = await openTestStack({ ...options, environment: { ...SHARED, ...options.environment } })
  t.teardown(() => stack.close())
  return stack
}

const settled = (stack: TestStack) =>
  waitFor('every chunk to settle', async () => {
    const rows = await stack.database.query('SELECT 1 FROM chunks WHERE settled_at IS NULL LIMIT 1')
    return rows.length === 0
  })

interface Request {
  title: string
  key: string | undefined
}

interface Response {
  /** 0: the connection broke before there was one. */
  status: number
  messageId: string | undefined
}

async function send({ api }: TestStack, { title, key }: Request): Promise<Response> {
  const message = { userId: 'user', body: { title, body: 'B' } }
  const response = await api
    .call('POST', '/push/message/send', {
      body: JSON.stringify({ requestObject: { appId: APP, mode: 'ASYNCHRONOUS', message } }),
      headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    })
    .catch(() => undefined)
  return { status: response?.status ?? 0, messageId: response?.body.responseObject?.messageIds?.[0] }
}

/** A statement that stores a message of such a title waits before it until the gate is opened. */
async function installGates({ database }: TestStack) {
  await database.query(`CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.body ->> 'title' LIKE 'gate %' THEN
      PERFORM pg_advisory_xact_lock_shared(hashtext(NEW.body ->> 'title'));
    END IF;
    RETURN NEW; END $$`)
  await database.query('CREATE TRIGGER gate BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION wait_at_gate()')
}

/** Shut, until it is opened. */
async function shutGate(t: Test, { database }: TestStack, title: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [title])
  let ended: Promise<void> | undefined
  const openGate = () => (ended ??= client.end())
  t.teardown(openGate)
  return openGate
}

const sessionsOf = async ({ database }: TestStack, condition: string) => {
  const [row] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'push-server' AND ${condition}`,
  )
  return row?.count ?? 0
}
const waitAtGates = (stack: TestStack, sessions: number) =>
  waitFor(
    `${sessions} statements at a gate`,
    async () => (await sessionsOf(stack, "wait_event = 'advisory'")) === sessions,
  )
/** So many requests have arrived at the gateway, and it has done with all but what waits at a gate, and with what that holds up. */
async function gather(stack: TestStack, requests: number): Promise<void> {
  await waitFor(`${requests} requests under way`, async () => {
    const { body } = await stack.api.get('/metrics')
    return /^push_requests_under_way\S* (\d+)$/m.exec(body)?.[1] === String(requests)
  })
  // The metrics read the database themselves.
  await waitFor('the database to be idle', async () => {
    const busy = await sessionsOf(
      stack,
      "wait_event IS DISTINCT FROM 'advisory' AND query_start > now() - interval '300 ms'",
    )
    return busy === 0
  })
}

const respondsAt = ({ api }: TestStack) =>
  waitFor('the gateway', () =>
    api.get('/push/service/status').then(
      () => true,
      () => false,
    ),
  )

/** With a key and without, by turns. */
const requests = (name: string, count: number): Request[] =>
  Array.from({ length: count }, (_, n) => ({ title: `${name} ${n}`, key: n % 3 === 0 ? undefined : randomUUID() }))
const both = (title: string): Request[] => [
  { title, key: undefined },
  { title, key: randomUUID() },
]

interface Sending {
  request: Request
  response: Promise<Response>
}

interface Death {
  /** Of the gateway that is to die. */
  environment?: Record<string, string>
  /** Number of requests that get no OK at least. */
  leastRefused?: number
  /** The gateway has a batch in a statement that waits. */
  die(at: {
    stack: TestStack
    kill: () => Promise<void>
    openGate: () => Promise<void>
    sent: readonly Sending[]
    sendAgain: () => Promise<Response[]>
  }): Promise<Response[]>
  stored: 'all' | 'none'
}

const DEATHS: Record<string, Death> = {
  'and PostgreSQL goes on with its statement': {
    async die({ stack, kill, openGate, sendAgain }) {
      await kill()
      await stack.start('gateway')
      const sentAgain = sendAgain()
      // What was sent again stands behind the keys that the dead gateway's statement has taken.
      await waitFor('the repetition', async () => (await sessionsOf(stack, "wait_event = 'transactionid'")) > 0)
      await openGate()
      return sentAgain
    },
    stored: 'all',
  },
  'and PostgreSQL ends its statement': {
    async die({ stack, kill, openGate, sendAgain }) {
      await kill()
      await stack.database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory' AND application_name = 'push-server'",
      )
      await waitAtGates(stack, 0)
      await openGate()
      await stack.start('gateway')
      return sendAgain()
    },
    stored: 'none',
  },
  'after it has refused what took too long': {
    environment: { DATABASE_TIMEOUT: '9s' },
    leastRefused: 4,
    async die({ stack, kill, openGate, sent, sendAgain }) {
      await Promise.all(sent.map(({ response }) => response))
      await kill()
      await openGate()
      await stack.start('gateway')
      return sendAgain()
    },
    stored: 'none',
  },
}

for (const [how, { environment = {}, leastRefused = 40, die, stored }] of Object.entries(DEATHS))
  t.test(`a gateway is killed with a batch half way, ${how}`, { buffered: true }, async (t) => {
    const stack = await open(t, { services: [], environment: { DATABASE_TIMEOUT: '60s' } })
    await stack.configure()
    await stack.register({ userId: 'user', token: 'a'.repeat(64) })
    await installGates(stack)
    const gateway = spawnService('api-gateway', { ...stack.environment, ...environment })
    t.teardown(() => gateway.kill())
    await respondsAt(stack)
    const sent: Sending[] = []
    const sendAll = (some: readonly Request[]) => {
      const sending = some.map((request) => ({ request, response: send(stack, request) }))
      sent.push(...sending)
      return Promise.all(sending.map(({ response }) => response))
    }
    const before = await sendAll(requests('before', 12))
    t.ok(before.every(({ status }) => status === 200))

    const openFirst = await shutGate(t, stack, 'gate 1')
    const openSecond = await shutGate(t, stack, 'gate 2')
    const under = [sendAll(both('gate 1'))]
    await waitAtGates(stack, 2)
    under.push(sendAll([...requests('early', 45), ...both('gate 2'), ...requests('late', 15)]))
    await gather(stack, sent.length - before.length)
    await openFirst()
    if (environment.DATABASE_TIMEOUT === undefined) {
      await waitFor('the batch at the second gate', async () => (await under[0]) && true)
      await waitAtGates(stack, 2)
    }

    const keyed = sent.map(({ request }) => request).filter(({ key }) => key !== undefined)
    const sendAgain = () => Promise.all(keyed.map((request) => send(stack, request)))
    const sentAgain = await die({ stack, kill: gateway.kill, openGate: openSecond, sent, sendAgain })
    const responses = await Promise.all(sent.map(({ response }) => response))
    const refused = responses.filter(({ status }) => status !== 200).length
    t.ok(refused >= leastRefused, `${refused} of ${sent.length} got no OK`)
    t.same(new Set(sentAgain.map(({ status }) => status)), new Set([200]), 'what is sent again under its key gets OK')

    for (const name of ['apns', 'scheduler'] as const) await stack.start(name)
    await settled(stack)
    const rows = await stack.database.query<{ id: string; title: string; batch: string }>(
      "SELECT id, body ->> 'title' AS title, xmin::text AS batch FROM messages",
    )
    const ids = new Set(rows.map(({ id }) => id))
    const lost = responses.filter(({ status, messageId }) => status === 200 && !ids.has(messageId ?? ''))
    t.same(lost, [], 'nothing that got OK is lost')
    const byTitle = Map.groupBy(rows, ({ title }) => title)
    for (const title of new Set(sent.map(({ request }) => request.title))) {
      const own = sent.filter(({ request }) => request.title === title)
      const least = own.filter(({ request }) => request.key !== undefined).length
      const count = byTitle.get(title)?.length ?? 0
      t.ok(count >= least && count <= own.length, `${title}: ${count}`)
    }
    t.same(
      sentAgain.filter(({ messageId }) => !ids.has(messageId ?? '')),
      [],
      'under a key stands what is stored',
    )
    t.equal(new Set(sentAgain.map(({ messageId }) => messageId)).size, keyed.length)
    const firsts = new Map(sent.map(({ request }, n) => [request.key, responses[n]]))
    const changed = keyed.filter(({ key }, n) => {
      const first = firsts.get(key)
      return first?.status === 200 && first.messageId !== sentAgain[n]?.messageId
    })
    t.same(changed, [], 'a request that got OK gets the same id again')
    const batches = Map.groupBy(rows, ({ batch }) => batch)
    const [first] = byTitle.get('gate 2') ?? []
    const neighbours = batches.get(first?.batch ?? '')?.length ?? 0
    if (stored === 'all') t.ok(neighbours >= 5, `${neighbours} messages were in the statement that went on`)
    t.equal(stack.simulator.pushes.length, rows.length, 'each message is pushed once')
  })

const APPS = 50
const PHONES = 20
const IN_HAND = APPS * PHONES

/** For each application one user with as many phones, and another with half of them. */
async function registerPhones(stack: TestStack): Promise<string[]> {
  const appIds = Array.from({ length: APPS }, (_, n) => `app-${n}`)
  for (const appId of appIds) await stack.configure(appId)
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
     SELECT a.id, u.name, a.id || u.name || n, 'ios', md5(a.id || u.name || n) || md5(n || u.name || a.id), 0, true
     FROM applications a, (VALUES ('first', $1::int), ('second', $1::int / 2)) AS u(name, phones), generate_series(1, u.phones) AS n`,
    [PHONES],
  )
  await analyzeDevices(stack.database)
  return appIds
}

interface Worker {
  environment: Record<string, string>
  latencyMs: number
  /** Pushes that have arrived when it is killed. */
  at: number
  /** Number of them whose outcome is stored by then, at least. */
  leastRecorded: number
}

const WORKERS: Record<string, Worker> = {
  'all of them in flight': {
    environment: { DIRECT_DELIVERIES: String(IN_HAND) },
    latencyMs: 60_000,
    at: IN_HAND,
    leastRecorded: 0,
  },
  'half of them recorded': {
    environment: { DIRECT_DELIVERIES: String(IN_HAND), APNS_CONCURRENCY: '5' },
    latencyMs: 500,
    at: IN_HAND / 2,
    leastRecorded: 1,
  },
}

for (const [how, { environment, latencyMs, at, leastRecorded }] of Object.entries(WORKERS))
  t.test(`a worker is killed holding 1000 deliveries of 50 applications, ${how}`, { buffered: true }, async (t) => {
    const stack = await open(t, {
      services: ['gateway', 'scheduler'],
      // The one that comes after it must not lose its own claims on a busy machine.
      environment: { ...environment, LEASE_TIME: '40s' },
      simulator: { latencyMs },
    })
    const appIds = await registerPhones(stack)
    for (const userId of ['first', 'second']) {
      const responses = await Promise.all(
        appIds.map((appId) =>
          stack.api.post('/push/message/send', {
            appId,
            message: { userId, body: { title: 'T' } },
            mode: 'ASYNCHRONOUS',
          }),
        ),
      )
      t.same(new Set(responses.map(({ status }) => status)), new Set([200]))
    }
    const worker = spawnService('apns-worker', stack.environment)
    t.teardown(() => worker.kill())
    await stack.simulator.waitFor((pushes) => pushes.length >= at, HANG_MS)
    const [held] = await stack.database.query<{ deliveries: number; applications: number }>(
      `SELECT sum(total)::int AS deliveries, count(DISTINCT application_id)::int AS applications
       FROM chunks WHERE owner IS NOT NULL AND settled_at IS NULL`,
    )
    await worker.kill()
    const [recorded] = await stack.database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM deliveries WHERE status = 'sent'`,
    )
    // What is recorded is not pushed again; anything else in hand may be.
    const most = IN_HAND - (recorded?.count ?? 0)
    t.ok((recorded?.count ?? 0) >= leastRecorded, `${recorded?.count} recorded`)
    const { deliveries = 0, applications = 0 } = held ?? {}
    t.ok(deliveries > 0.9 * IN_HAND && deliveries <= IN_HAND, `${deliveries} in hand, ${IN_HAND} may be`)
    t.ok(applications > 0.7 * APPS, `of ${applications} applications`)
    stack.simulator.setLatency(0)
    await stack.start('apns')
    await settled(stack)
    const all = IN_HAND + IN_HAND / 2
    t.equal(stack.simulator.stats().ios.distinctTokens, all, 'each phone has it')
    const statuses = await stack.database.query('SELECT status, count(*)::int AS count FROM deliveries GROUP BY status')
    t.same(statuses, [{ status: 'sent', count: all }])
    const twice = stack.simulator.pushes.length - all
    t.ok(twice <= most, `${twice} came twice, ${most} may`)
    const byToken = [...Map.groupBy(stack.simulator.pushes, ({ token }) => token).values()]
    t.ok(
      byToken.every((pushes) => new Set(pushes.map(({ headers }) => headers['apns-id'])).size === 1),
      'under the same id',
    )
  })

t.test('docs/reliability.md names the bound that the settings give', async (t) => {
  const text = readFileSync('docs/reliability.md', 'utf8')
  const [, direct, campaign] =
    /repeats at most (\d+) deliveries of single messages \(`DIRECT_DELIVERIES`\) and (\d+) of campaigns/.exec(text) ??
    []
  const { directDeliveries, campaignConcurrency } = readConfig({}, [])
  t.equal(Number(direct), directDeliveries)
  t.equal(Number(campaign), campaignConcurrency * 1000)
})
