// Everything that writes chunks and devices at once, over the same many chunks: no two statements wait for each other in a circle.
import pg from 'pg'
import t from 'tap'
import {
  analyzeDevices,
  APP,
  countDeadlocks,
  createDatabase,
  createRandom,
  openTestStack,
  waitFor,
  type TestStack,
} from '@push-server/testing'

t.setTimeout(1_800_000)

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

t.test('a deadlock is counted', async (t) => {
  const database = await createDatabase()
  t.teardown(() => database.close())
  await database.query('CREATE TABLE two (id int PRIMARY KEY); INSERT INTO two VALUES (1), (2)')
  const clients = [1, 2].map(() => new pg.Client({ connectionString: database.url }))
  for (const client of clients) {
    client.on('error', () => {})
    await client.connect()
    await client.query("BEGIN; SET LOCAL deadlock_timeout = '10ms'")
  }
  const lock = (place: number, id: number) =>
    clients[place]
      ?.query('SELECT 1 FROM two WHERE id = $1 FOR UPDATE', [id])
      .catch((error: { code: string }) => error.code)
  await lock(0, 1)
  await lock(1, 2)
  const codes = await Promise.all([lock(0, 2), lock(1, 1)])
  t.ok(codes.includes('40P01'))
  t.equal(await countDeadlocks(database), 1)
  for (const client of clients) await client.end().catch(() => {})
})

const CHUNKS = 120
const ROUNDS = 10
const SENT_AT_ONCE = 40
const PHONES = 4
/** They are called unregistered, and several chunks have each of them. */
const DEAD = 6

/** Users with the same dead phones, and some that live. */
async function registerPhones(stack: TestStack): Promise<string[]> {
  const users = Array.from({ length: CHUNKS }, (_, n) => `user-${n}`)
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active)
     SELECT 1, u.name, u.name || '-' || n, 'ios',
       CASE WHEN n = 1 THEN 'faded410' || lpad(to_hex(u.place % $2), 56, '0') ELSE lpad(to_hex(u.place * 100 + n), 64, '0') END, 0, true
     FROM unnest($1::text[]) WITH ORDINALITY AS u(name, place), generate_series(1, $3::int) AS n`,
    [users, DEAD, PHONES],
  )
  await analyzeDevices(stack.database)
  return users
}

t.test(`pause, resume, expiry, renewal, records and hand-over at once, seed ${SEED}`, async (t) => {
  const random = createRandom(SEED)
  const stack = await openTestStack({
    services: ['gateway', 'scheduler', 'apns', 'apns'],
    simulator: { latencyMs: { min: 5, max: 300 } },
    // A chunk for each request; many are claimed, renewed and recorded with one statement.
    environment: {
      DIRECT_BATCH_REQUESTS: '1',
      DIRECT_BATCH_CHUNKS: '100',
      LEASE_TIME: '1s',
      SWEEP_AFTER: '50ms',
      SWEEP_INTERVAL: '50ms',
      APNS_CONCURRENCY: '40',
      CIRCUIT_BREAKER_PERCENT: '100',
    },
  })
  t.teardown(() => stack.close())
  await stack.configure()
  const users = await registerPhones(stack)
  // Each row takes a while, so that statements meet.
  await stack.database.query(`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_sleep(0.002); RETURN NEW; END $$`)
  await stack.database.query('CREATE TRIGGER dawdle BEFORE UPDATE ON chunks FOR EACH ROW EXECUTE FUNCTION dawdle()')
  const { store } = stack.context
  const [credentials] = await stack.database.query<{ version: number }>('SELECT version FROM credentials')
  if (!credentials) throw new Error('There are no credentials')
  const key = { applicationId: 1, platform: 'ios' } as const
  const sendSome = () =>
    Promise.all(
      users
        .toSorted(() => random() - 0.5)
        .slice(0, SENT_AT_ONCE)
        .map((userId) =>
          stack.api.post('/push/message/send', {
            appId: APP,
            message: { userId, body: { title: 'T' } },
            mode: 'ASYNCHRONOUS',
          }),
        ),
    )
  const isOpen = async () => {
    const [row] = await stack.database.query<{ open: number }>(
      'SELECT count(*)::int AS open FROM chunks WHERE settled_at IS NULL',
    )
    return (row?.open ?? 0) > 0
  }
  const acts = [
    () => store.pauses.pause({ ...key, version: credentials.version, reason: 'InvalidProviderToken' }),
    () => store.pauses.resume(key, { all: true }),
    () => stack.api.post('/admin/app/ios/resume', { appId: APP }),
    // Some are too old, and expire as soon as nobody holds them.
    () =>
      stack.database.query(
        `WITH chosen AS MATERIALIZED (SELECT id FROM chunks WHERE settled_at IS NULL AND id % 10 = $1 ORDER BY id FOR UPDATE)
         UPDATE chunks SET expires_at = now() FROM chosen WHERE chunks.id = chosen.id`,
        [Math.floor(random() * 10)],
      ),
    () => store.chunks.expire(50),
    () => store.pauses.probe(),
    () => store.breakers.takeBack(),
    () =>
      stack.register({
        userId: `new-${Math.floor(random() * CHUNKS)}`,
        token: `faded410${Math.floor(random() * DEAD)
          .toString(16)
          .padStart(56, '0')}`,
      }),
    () =>
      stack.api.post('/push/device/delete', {
        appId: APP,
        token: Math.floor(random() * CHUNKS * 100)
          .toString(16)
          .padStart(64, '0'),
      }),
  ]
  for (let round = 0; round < ROUNDS; round++) {
    const [responses] = await Promise.all([sendSome(), ...acts.toSorted(() => random() - 0.5).map((act) => act())])
    t.same(new Set(responses.map(({ status }) => status)), new Set([200]))
  }
  await store.pauses.resume(key, { all: true })
  await waitFor('every chunk to settle', async () => !(await isOpen()))
  const statuses = await stack.database.query<{ status: string }>('SELECT DISTINCT status FROM deliveries')
  t.notOk(statuses.some(({ status }) => status === 'pending'))
  t.equal(await countDeadlocks(stack.database), 0)
})
