// Statements that many requests share, and what spoils them: time that runs out, a tenant that sends bad data all the time, another gateway
// with the same keys. How often each request was sent to PostgreSQL is counted.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { openContext, SERVICE_SETTINGS } from '@push-server/domain'
import { createLogger, readConfig } from '@push-server/runtime'
import { countDeadlocks, createApi, freePort, waitFor, type Api } from '@push-server/testing'
import { apiGateway } from '../src/index.ts'
import { APP, json, newToken, openGateway, SEND } from './_gateway.ts'

t.setTimeout(300_000)

const MOST = 200
const gateway = await openGateway({ DATABASE_TIMEOUT: '6s', DIRECT_BATCH_REQUESTS: String(MOST) })
const { stack, database, api } = gateway
t.teardown(() => stack.close())
await stack.register({ userId: 'user', token: newToken() })

/** Ids of the messages of each statement that was to store some. */
let statements: string[][] = []
const { messages } = stack.context.store
const { store } = messages
messages.store = (batch) => {
  statements.push(batch.requests.flatMap((request) => request.messages.map(({ id }) => id)))
  return store(batch)
}
/** How often each message was sent to PostgreSQL. */
const timesOf = () => [...Map.groupBy(statements.flat(), (id) => id).values()].map((times) => times.length)

interface Send {
  through?: Api
  appId?: string
  title?: string
  key?: string
}

const send = ({ through = api, appId = APP, title = 'T', key }: Send = {}) =>
  through.call(
    'POST',
    SEND,
    json(
      { requestObject: { appId, mode: 'ASYNCHRONOUS', message: { userId: 'user', body: { title } } } },
      key === undefined ? {} : { 'idempotency-key': key },
    ),
  )
const statusesOf = (responses: readonly { status: number }[]) => new Set(responses.map(({ status }) => status))
const countOf = async (sql: string) => {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${sql}`)
  return row?.count ?? 0
}

/** Nothing can be stored while `work` runs. */
async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
  const lock = new pg.Client({ connectionString: database.url })
  await lock.connect()
  try {
    await lock.query('BEGIN; LOCK TABLE messages IN SHARE MODE')
    return await work()
  } finally {
    await lock.end()
  }
}
const waiting = (statements: number) =>
  waitFor(
    `${statements} statements that wait`,
    async () =>
      (await countOf("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")) >= statements,
  )

t.test('a full batch takes too long: each of its requests gets 503, and none is sent a second time', async (t) => {
  const before = await countOf('messages')
  statements = []
  const count = MOST + 20
  const responses = await whileLocked(async () => {
    const first = send()
    await waiting(1)
    return Promise.all([first, ...Array.from({ length: count }, () => send())])
  })
  t.same(statusesOf(responses), new Set([503]))
  t.ok(
    responses.every(({ headers }) => Number(headers.get('retry-after')) > 0),
    'and says when to come again',
  )
  const most = Math.max(...statements.map(({ length }) => length))
  // All of them, unless the machine is so busy that some arrive after its end.
  t.ok(most >= MOST / 4, `${most} of them in one statement`)
  t.ok(statements.length <= 8, `${statements.length} statements for ${count + 1} requests`)
  t.same(new Set(timesOf()), new Set([1]), 'each message was sent to PostgreSQL once')
  t.equal((await send()).status, 200, 'and the next one goes through')
  t.equal(await countOf('messages'), before + 1)
})

t.test('a tenant that sends bad data all the time: once it is known, it costs the others no statement', async (t) => {
  const bad = await gateway.makeApplication('bad-app')
  await stack.register({ userId: 'user', token: newToken(), appId: bad })
  await database.query(`CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.body ->> 'title' = 'rejected' OR NEW.body IS NULL THEN RAISE 'rejected' USING ERRCODE = '23514'; END IF; RETURN NEW; END $$`)
  await database.query('CREATE TRIGGER reject BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION reject()')
  t.teardown(() => database.query('DROP FUNCTION reject CASCADE'))
  t.not((await send({ appId: bad, title: 'rejected' })).status, 200)
  statements = []
  const over = new AbortController()
  const badStatuses: number[] = []
  const sendBad = async () => {
    while (!over.signal.aborted) badStatuses.push((await send({ appId: bad, title: 'rejected' })).status)
  }
  const sending = Promise.all(Array.from({ length: 8 }, sendBad))
  for (let wave = 0; wave < 12; wave++) {
    const responses = await Promise.all(Array.from({ length: 20 }, () => send()))
    t.same(statusesOf(responses), new Set([200]))
  }
  over.abort()
  await sending
  t.notOk(badStatuses.includes(200))
  t.ok(badStatuses.length >= 12, `${badStatuses.length} bad requests meanwhile`)
  t.same(new Set(timesOf()), new Set([1]), 'each message was sent to PostgreSQL once')
  const good = new Set((await database.query<{ id: string }>('SELECT id FROM messages')).map(({ id }) => id))
  t.notOk(
    statements.some((ids) => ids.length > 1 && ids.some((id) => !good.has(id))),
    'what is bad is stored alone',
  )
  t.ok(
    statements.some((ids) => ids.length > 1),
    'what is good together',
  )
})

t.test('two gateways, equal keys in opposite order: each stands once, and they never wait in a circle', async (t) => {
  const config = readConfig({ ...stack.environment, PORT: String(await freePort()) }, SERVICE_SETTINGS)
  const context = await openContext(config, createLogger(config, 'other gateway'))
  t.teardown(() => context.close())
  const stop = await apiGateway(context)
  t.teardown(stop)
  const other = createApi(`http://127.0.0.1:${config.port}`)
  const before = await countOf('messages')
  const keys = Array.from({ length: 30 }, () => randomUUID() as string)
  const rounds = [keys, keys.toReversed()] as const
  const responses = await whileLocked(async () => {
    // One statement of each holds up the others, which gather behind it.
    const firsts = [send({ key: randomUUID() }), send({ through: other, key: randomUUID() })]
    await waiting(2)
    const rest = rounds.flatMap((order, n) =>
      order.map((key) => send({ through: n === 0 ? api : other, key }).then((response) => ({ key, response }))),
    )
    return { firsts, rest }
  })
  t.same(statusesOf(await Promise.all(responses.firsts)), new Set([200]))
  const stored = await Promise.all(responses.rest)
  t.same(statusesOf(stored.map(({ response }) => response)), new Set([200]))
  for (const [key, some] of Map.groupBy(stored, (one) => one.key))
    t.equal(new Set(some.map(({ response }) => response.body.responseObject.messageIds.join())).size, 1, key)
  t.equal(await countOf('messages'), before + 2 + keys.length)
  t.equal(await countDeadlocks(database), 0)
})
