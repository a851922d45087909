// What the store does when PostgreSQL is slow, locked or out of reach: limits that the server keeps, writes whose response was
// lost, migrations beside work. On a real PostgreSQL; locks are held by connections of the test's own.
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { createDatabase, createTcpProxy, waitFor, type TcpProxy } from '@push-server/testing'
import { DiscardedWrite } from '../src/connection/errors.ts'
import { openDatabase } from '../src/connection/database.ts'
import type { Statement } from '../src/connection/statement.ts'
import { isUnavailable, migrate, UnconfirmedWrite, type MigrateOptions, type Store } from '../src/index.ts'
import {
  audienceOf,
  makeApplication,
  message,
  newToken,
  open,
  openFixture,
  openTransaction,
  recipient,
  registration,
  storeOnce,
  storeOne,
} from './_fixtures.ts'

/** None of the store's: a test has no types in its file. */
const SESSION = { name: 'test-session', text: 'SELECT pg_backend_pid() AS pid' } as unknown as Statement<
  readonly [],
  { pid: number }
>

const fixture = await openFixture()
t.teardown(() => fixture.close())
t.setTimeout(120_000)
const { database } = fixture

/** The server gives up a lock after a third of it, a statement after two thirds. */
const TIMEOUT_MS = 3_000

const openShort = (t: Test, url = database.url, more: Parameters<typeof open>[1] = {}) => {
  const store = open(url, { timeoutMs: TIMEOUT_MS, ...more })
  t.teardown(() => store.close())
  return store
}

const requestOf = (applicationId: number) => {
  const stored = message()
  const seed = randomUUID()
  return {
    applicationId,
    messages: [stored],
    chunks: [{ seed, platform: 'ios' as const }],
    deliveries: [
      {
        messageId: stored.id,
        chunk: { seed, position: 0 },
        recipient: recipient(),
        status: 'pending' as const,
        reason: null,
      },
    ],
    waiter: null,
    maxAgeMs: 3_600_000,
  }
}

const newKey = () => ({ key: randomUUID(), digest: Buffer.from('digest'), ageMs: 60_000 })

const storedCount = async (applicationId: number) => {
  const [row] = await database.query<{ count: number }>(
    'SELECT count(*)::int AS count FROM messages WHERE application_id = $1',
    [applicationId],
  )
  return row?.count
}

/** Statements of the store that the server has under way. */
const underWay = () =>
  database.query(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND wait_event_type = 'Lock'`,
  )

t.test('time limits: a lock on the deliveries neither takes all connections nor stores what was refused', async (t) => {
  const { id } = await makeApplication(fixture)
  const store = openShort(t, database.url, { connections: 4 })
  const lock = await openTransaction(t, fixture)
  await lock.query('LOCK TABLE deliveries IN SHARE MODE')
  const errors = await Promise.all(
    Array.from({ length: 12 }, () => storeOne(store, requestOf(id)).catch((error: unknown) => error)),
  )
  t.ok(errors.every(isUnavailable), 'all are refused as a database that does not get to it')
  t.same(new Set(errors.map((error) => (error as { code?: string }).code)), new Set(['55P03']), 'by the server')
  t.same(await underWay(), [], 'and nothing of them is left on the server')
  await lock.query('ROLLBACK')
  t.equal(await storedCount(id), 0, 'nor afterwards')
  await storeOne(store, requestOf(id))
  t.equal(await storedCount(id), 1, 'the connections are good for the next')
})

t.test('time limits: a slow statement is cancelled by the server, before the client gives it up', async (t) => {
  const { id } = await makeApplication(fixture)
  const store = openShort(t)
  await database.query(
    `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'`,
  )
  await database.query('CREATE TRIGGER slow BEFORE INSERT ON deliveries FOR EACH ROW EXECUTE FUNCTION slow()')
  t.teardown(() => database.query('DROP FUNCTION IF EXISTS slow CASCADE'))
  const error = await storeOne(store, requestOf(id)).catch((reason: unknown) => reason)
  await database.query('DROP FUNCTION slow CASCADE')
  t.match(error, { code: '57014' })
  t.ok(isUnavailable(error))
  t.equal(await storedCount(id), 0)
})

t.test('time limits: a transaction that nobody continues is ended by the server', async (t) => {
  const short = openDatabase({ url: database.url, connections: 1, timeoutMs: TIMEOUT_MS, onError: () => {} })
  t.teardown(() => short.close())
  const work = short.transaction(async (connection) => {
    const [row] = await connection.query(SESSION)
    await waitFor('the end of the session', async () => {
      const rows = await database.query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [row?.pid])
      return rows.length === 0
    })
    await connection.query(SESSION)
  })
  await t.rejects(work)
  await t.resolves(short.query(SESSION), 'the pool goes on with another connection')
})

t.test('time limits: who waits for another’s token waits longer than for anything else', async (t) => {
  const [one, other] = [openShort(t), openShort(t)]
  const key = `fcm/${randomUUID()}`
  const token = { value: 'minted', issuedAt: Date.now(), expiresAt: Date.now() + 60_000 }
  const isFresh = ({ expiresAt }: typeof token) => expiresAt > Date.now()
  const { promise: gate, resolve } = Promise.withResolvers<void>()
  const minting = one.providerTokens.take(key, isFresh, () => gate.then(() => token))
  await waitFor('the first to mint', async () => {
    const rows = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'`,
    )
    return rows.length > 0
  })
  const waiting = other.providerTokens.take(key, isFresh, () => Promise.reject(new Error('minted twice')))
  waiting.catch(() => {})
  // Longer than either limit of an ordinary statement.
  await waitFor('the second to have waited', async () => {
    const rows = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
        AND now() - query_start > interval '${TIMEOUT_MS} ms'`,
    )
    return rows.length > 0
  })
  resolve()
  t.same(await minting, token)
  t.same(await waiting, token)
})

t.test('time limits: a registration waits for another one as long as for a statement', async (t) => {
  const { id } = await makeApplication(fixture)
  const store = openShort(t)
  const device = registration(id, { token: newToken() })
  const lock = await openTransaction(t, fixture)
  await lock.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`activation/${device.activationId}`])
  const registered = store.devices.register([device], { several: 'refuse' })
  registered.catch(() => {})
  await waitFor('it to have waited longer than for other locks', async () => {
    const rows = await database.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'
        AND now() - query_start > interval '${TIMEOUT_MS / 3 + 100} ms'`,
    )
    return rows.length > 0
  })
  await lock.query('ROLLBACK')
  t.equal(await registered, 'registered')
})

t.test('a process whose limits are not in force is not ready', async (t) => {
  const empty = await createDatabase()
  t.teardown(() => empty.close())
  // As behind a pooler: there the connections are everybody's, and the role has to have the limits.
  const pooled = openShort(t, empty.url, { directUrl: empty.url, connections: 1 })
  await t.rejects(pooled.ping(), {
    message: /^statement_timeout, lock_timeout, idle_in_transaction_session_timeout not in force/,
  })
  await migrate(empty.url, { roleTimeoutMs: TIMEOUT_MS })
  const next = openShort(t, empty.url, { directUrl: empty.url, connections: 1 })
  await t.resolves(next.ping(), 'the role has got them')
  await t.resolves(openShort(t).ping(), 'without a pooler they are set on each connection')
  await t.rejects(
    openShort(t, empty.url, { directUrl: empty.url, timeoutMs: 300 }).ping(),
    { message: /^statement_timeout, lock_timeout/ },
    'limits that are longer than the client’s wait are none',
  )
})

/** A way to the database that loses responses. */
async function openGate(t: Test): Promise<TcpProxy> {
  const gate = await createTcpProxy(database.url)
  t.teardown(() => gate.shut())
  await gate.open()
  return gate
}

const STORES: readonly [string, (store: Store, request: ReturnType<typeof requestOf>) => Promise<unknown>][] = [
  ['without a key', (store, request) => storeOne(store, request)],
  ['under a key', (store, request) => storeOnce(store, request, newKey())],
]

for (const [how, send] of STORES) {
  t.test(`the response of a COMMIT is lost, ${how}: what was stored is found`, async (t) => {
    const { id } = await makeApplication(fixture)
    const gate = await openGate(t)
    const store = openShort(t, gate.url)
    const request = requestOf(id)
    await store.ping()
    const lost = gate.loseResponseTo('INSERT INTO messages')
    const chunks = await send(store, request)
    await lost
    const rows = await database.query<{ id: number }>('SELECT id::int FROM chunks WHERE application_id = $1', [id])
    t.match(
      chunks,
      [{ id: rows[0]?.id, platform: 'ios', paused: false }],
      'the chunks as they would have been returned',
    )
    t.equal(await storedCount(id), 1)
  })

  t.test(`the connection is lost before the COMMIT, ${how}: nothing is stored, then or later`, async (t) => {
    const { id } = await makeApplication(fixture)
    const gate = await openGate(t)
    const store = openShort(t, gate.url, { timeoutMs: 60_000 })
    await store.ping()
    const lock = await openTransaction(t, fixture)
    await lock.query('LOCK TABLE deliveries IN SHARE MODE')
    const sent = send(store, requestOf(id)).catch((error: unknown) => error)
    await waitFor('the statement to wait', async () => (await underWay()).length > 0)
    gate.disconnect()
    const error = await sent
    t.ok(error instanceof DiscardedWrite, `it is known: ${(error as Error).message}`)
    t.ok(isUnavailable(error))
    t.same(await underWay(), [], 'the server has given it up')
    await lock.query('ROLLBACK')
    t.equal(await storedCount(id), 0)
  })

  t.test(`the server is out of reach from then on, ${how}: nobody knows, and that is said`, async (t) => {
    const { id } = await makeApplication(fixture)
    const gate = await openGate(t)
    const store = openShort(t, gate.url)
    await store.ping()
    const lost = gate.loseResponseTo('INSERT INTO messages').then(() => gate.shut())
    await t.rejects(send(store, requestOf(id)), { name: 'UnconfirmedWrite' })
    await lost
    t.equal(await storedCount(id), 1, 'here it was stored')
  })
}

t.test('the response is lost of a request whose key another one has: the other one is found', async (t) => {
  const { id } = await makeApplication(fixture)
  const gate = await openGate(t)
  const store = openShort(t, gate.url)
  const [key, first] = [newKey(), requestOf(id)]
  await storeOnce(store, first, key)
  gate.disconnect()
  await waitFor('a new connection', () =>
    store.ping().then(
      () => true,
      () => false,
    ),
  )
  const lost = gate.loseResponseTo('INSERT INTO messages')
  t.same(await storeOnce(store, requestOf(id), key), {
    digest: key.digest,
    messageIds: [first.messages[0]?.id],
  })
  await lost
  t.equal(await storedCount(id), 1)
})

t.test('other writes whose response is lost say so; reads do not', async (t) => {
  const { id, appId } = await makeApplication(fixture)
  const gate = await openGate(t)
  const store = openShort(t, gate.url, { connections: 1 })
  const inbox = {
    userId: 'u',
    type: 'text' as const,
    subject: 's',
    summary: 's',
    body: 'b',
    appIds: [appId],
    validUntil: null,
  }
  const lossOf = async (text: string, work: () => Promise<unknown>) => {
    const lost = gate.loseResponseTo(text)
    const error = await work().catch((reason: unknown) => reason)
    await lost
    t.ok(isUnavailable(error))
    return error instanceof UnconfirmedWrite
  }
  t.equal(await lossOf('inbox-create', () => store.inbox.create(inbox)), true)
  t.equal(await lossOf('INSERT INTO', () => store.applications.create(randomUUID())), true, 'by Prisma')
  t.equal(await lossOf('COMMIT', () => store.devices.register([registration(id)], { several: 'refuse' })), true)
  t.equal(await lossOf('device-lock', () => store.devices.register([registration(id)], { several: 'refuse' })), false)
  t.equal(await lossOf('message-audience', () => audienceOf(store, appId, ['u'])), false)
})

/** A folder of migrations, and a database for them. */
async function migrations(t: Test) {
  const directory = await mkdtemp(join(tmpdir(), 'migrations-'))
  const empty = await createDatabase()
  t.teardown(async () => {
    await empty.close()
    await rm(directory, { recursive: true })
  })
  const write = async (name: string, sql: string) => {
    await mkdir(join(directory, name), { recursive: true })
    await writeFile(join(directory, name, 'migration.sql'), sql)
  }
  const connect = async () => {
    const client = new pg.Client({ connectionString: empty.url })
    client.on('error', () => {})
    await client.connect()
    t.teardown(() => client.end())
    return client
  }
  await write('1_first', 'CREATE TABLE one (id INT, other INT)')
  await migrate(empty.url, { directory })
  const run = (more: MigrateOptions = {}) =>
    migrate(empty.url, { directory, lockTimeoutMs: 100, pauseMs: 100, ...more })
  const isValid = async (name: string) => {
    const rows = await empty.query<{ valid: boolean }>(
      'SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass($1)',
      [name],
    )
    return rows[0]?.valid
  }
  return { empty, write, connect, run, isValid }
}

t.test('migrate: one that does not get its lock lets others through, and tries again', async (t) => {
  const { write, connect, run } = await migrations(t)
  await write('2_second', 'ALTER TABLE one ADD COLUMN more INT')
  const [reader, other] = [await connect(), await connect()]
  await reader.query('BEGIN; SELECT FROM one')
  let retries = 0
  const { promise: twice, resolve } = Promise.withResolvers<void>()
  const migrated = run({
    onRetry: (name) => {
      t.equal(name, '2_second')
      if (++retries === 2) resolve()
    },
  })
  await Promise.race([twice, migrated])
  await other.query('SELECT FROM one')
  t.pass('a statement behind it gets through while the reader is still there')
  await reader.query('ROLLBACK')
  t.same(await migrated, ['2_second'])
})

t.test('migrate: an index is built while the table is written to; two at once build one', async (t) => {
  const { write, connect, run, isValid, empty } = await migrations(t)
  await write('2_second', '-- no transaction\n-- The second.\nCREATE INDEX CONCURRENTLY "by_id" ON "one" ("id");\n')
  const writer = await connect()
  await writer.query('BEGIN; INSERT INTO one VALUES (1, 1)')
  const both = Promise.all([run(), run(), run()])
  await waitFor('the build to wait for the writer', async () => {
    const rows = await empty.query(
      "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'",
    )
    return rows.length > 0
  })
  const another = await connect()
  await another.query('INSERT INTO one VALUES (2, 2)')
  t.pass('writing goes on')
  await writer.query('COMMIT')
  t.same((await both).flat(), ['2_second'])
  t.equal(await isValid('by_id'), true)
})

t.test('migrate: a build that died is cleared away and goes on where it ended', async (t) => {
  const { write, connect, run, isValid, empty } = await migrations(t)
  const sql =
    'CREATE INDEX CONCURRENTLY "by_id" ON "one" ("id");\nCREATE INDEX CONCURRENTLY "by_other" ON "one" ("other");\n'
  await write('2_second', `-- no transaction\n${sql}`)
  const writer = await connect()
  await writer.query('BEGIN; INSERT INTO one VALUES (1, 1)')
  // Built already by an attempt that ended after it.
  const first = run()
  first.catch(() => {})
  const building = () =>
    empty.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND wait_event_type = 'Lock'",
    )
  await waitFor('the build', async () => (await building()).length > 0)
  await empty.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1', [
    (await building())[0]?.pid,
  ])
  await t.rejects(first, { message: /Migration 2_second failed/ })
  t.equal(await isValid('by_id'), false, 'a broken index is left')
  await writer.query('COMMIT')
  t.same(await run(), ['2_second'])
  t.equal(await isValid('by_id'), true, 'it was built again')
  t.equal(await isValid('by_other'), true)
  t.same(await run(), [])
})

t.test('migrate: without a transaction only what can be repeated is taken', async (t) => {
  const { write, run, isValid } = await migrations(t)
  await write(
    '2_second',
    '-- no transaction\nCREATE INDEX CONCURRENTLY by_id ON one (id);\nUPDATE one SET id = id + 1;\n',
  )
  await t.rejects(run(), { message: /can be repeated, not: UPDATE one SET id = id \+ 1$/ })
  t.equal(await isValid('by_id'), undefined, 'and nothing of it is done')
})
