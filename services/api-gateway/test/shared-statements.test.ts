// Requests that share a statement: each gets its own response, and what one of them meets costs the others nothing.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { waitFor } from '@push-server/testing'
import { APP, json, newToken, openGateway, SEND } from './_gateway.ts'

t.setTimeout(120_000)

const gateway = await openGateway({ DATABASE_TIMEOUT: '9s', DIRECT_BATCH_REQUESTS: '200' })
const { stack, database, api } = gateway
t.teardown(() => stack.close())
await stack.register({ userId: 'user', token: newToken() })
/** Number of requests whose recipients have been read: they are stored next. */
let readied = 0
const { messages } = stack.context.store
const { audiences } = messages
messages.audiences = async (queries) => {
  const read = await audiences(queries)
  readied += queries.length
  return read
}
const readiedOf = (count: number) => {
  const before = readied
  return () => waitFor(`${count} requests that are to be stored`, () => readied - before >= count)
}

const OTHER = await gateway.makeApplication('other-app')

interface Send {
  appId?: string
  userId?: string
  title?: string
  key?: string
}

const send = ({ appId = APP, userId = 'user', title = 'T', key }: Send = {}) =>
  api.call(
    'POST',
    SEND,
    json(
      { requestObject: { appId, mode: 'ASYNCHRONOUS', message: { userId, body: { title, body: 'B' } } } },
      key === undefined ? {} : { 'idempotency-key': key },
    ),
  )
const countOf = async (sql: string) => {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${sql}`)
  return row?.count
}
const statusesOf = (responses: readonly { status: number }[]) => responses.map(({ status }) => status)

/** Nothing can be stored while `work` runs, which is called once a statement waits for it; `first` is that of this request. */
async function whileLocked<T>(first: () => Promise<T>, work: () => Promise<Promise<T>[]>): Promise<T[]> {
  const lock = new pg.Client({ connectionString: database.url })
  await lock.connect()
  try {
    await lock.query('BEGIN; LOCK TABLE messages IN SHARE MODE')
    const response = first()
    await waitFor('a statement that waits', () => countOf(WAITING))
    const others = await work()
    await lock.query('COMMIT')
    return await Promise.all([response, ...others])
  } finally {
    await lock.end()
  }
}

const WAITING = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

/** The requests share statements, as they gather behind that of the first. */
const gathered = <T>(requests: () => Promise<T>[]): Promise<T[]> => {
  const before = readied
  const allReadied = (count: number) => waitFor(`${count} requests`, () => readied - before >= count)
  let others: Promise<T>[] = []
  const first = () => {
    const [one, ...more] = requests()
    others = more
    return one as Promise<T>
  }
  return whileLocked(first, async () => {
    await allReadied(1 + others.length)
    return others
  })
}

t.test('as many requests as come share few statements and few chunks', async (t) => {
  const chunks = (await countOf('chunks')) ?? 0
  const responses = await gathered(() => Array.from({ length: 60 }, () => send()))
  t.same(new Set(statusesOf(responses)), new Set([200]))
  t.equal(new Set(responses.map(({ body }) => body.responseObject.messageIds[0])).size, 60, 'each has an id of its own')
  const made = ((await countOf('chunks')) ?? 0) - chunks
  t.ok(made <= 6, `${made} chunks for 60 messages`)
  t.equal(await countOf("deliveries WHERE status = 'pending'"), 60)
})

t.test('neighbours of requests that PostgreSQL rejects are stored, once', async (t) => {
  await database.query(`CREATE FUNCTION reject() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.body ->> 'title' = 'rejected' THEN RAISE 'rejected' USING ERRCODE = '23514'; END IF; RETURN NEW; END $$`)
  await database.query('CREATE TRIGGER reject BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION reject()')
  t.teardown(() => database.query('DROP FUNCTION reject CASCADE'))
  const before = (await countOf('messages')) ?? 0
  const bad = new Set([3, 17, 18])
  const requests = (key?: () => string) => () =>
    Array.from({ length: 40 }, (_, n) => send({ title: bad.has(n) ? 'rejected' : 'T', ...(key && { key: key() }) }))
  for (const [how, key] of [
    ['without keys', undefined],
    ['under keys', () => randomUUID() as string],
  ] as const) {
    const statuses = statusesOf(await gathered(requests(key)))
    t.same(
      statuses.flatMap((status, n) => (status === 200 ? [] : n)),
      [...bad],
      how,
    )
  }
  t.equal((await countOf('messages')) ?? 0, before + 2 * 37)
})

t.test('an application that is removed meanwhile is refused, and its neighbours are stored', async (t) => {
  const [before, gone] = [(await countOf('messages')) ?? 0, await gateway.makeApplication()]
  const ended = await whileLocked(send, async () => {
    const waitForThem = readiedOf(3)
    const others = [send({ appId: gone }), send({ appId: OTHER }), send()]
    await waitForThem()
    await database.query('UPDATE applications SET app_id = NULL WHERE app_id = $1', [gone])
    return others
  })
  t.same(statusesOf(ended), [200, 400, 200, 200])
  t.match(ended[1]?.body.responseObject.message, new RegExp(gone))
  t.equal((await countOf('messages')) ?? 0, before + 3)
})

t.test('equal keys in one batch: one request is stored, the others get its ids', async (t) => {
  const before = (await countOf('messages')) ?? 0
  const key = randomUUID()
  const responses = await gathered(() => Array.from({ length: 12 }, () => send({ key })))
  t.same(new Set(statusesOf(responses)), new Set([200]))
  t.equal(new Set(responses.map(({ body }) => body.responseObject.messageIds.join())).size, 1)
  t.equal((await countOf('messages')) ?? 0, before + 1)
})

t.test(
  'a statement that takes too long: each of its requests gets 503, and nothing is stored then or later',
  async (t) => {
    const before = (await countOf('messages')) ?? 0
    const refused: number[] = []
    const requests = () =>
      Array.from({ length: 30 }, async () => {
        const response = await send()
        refused.push(response.status)
        return response
      })
    const responses = await whileLocked(send, async () => {
      const others = requests()
      await waitFor('all responses', () => refused.length === 30)
      return others
    })
    t.same(new Set(statusesOf(responses)), new Set([503]))
    t.equal((await send()).status, 200, 'and the next one goes through')
    t.equal((await countOf('messages')) ?? 0, before + 1)
  },
)
