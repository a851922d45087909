// Requests whose storing PostgreSQL does not confirm, or does not get to: what the caller gets, over HTTP.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { APP, createDatabase, createTcpProxy, openTestStack, waitFor } from '@push-server/testing'
import { newToken } from './_gateway.ts'

t.setTimeout(120_000)

const cluster = await createDatabase()
t.teardown(() => cluster.close())
const proxy = await createTcpProxy(cluster.url)
await proxy.open()
t.teardown(() => proxy.shut())
const stack = await openTestStack({
  cluster: proxy.url,
  services: ['gateway'],
  environment: { DATABASE_TIMEOUT: '3s', DATABASE_POOL: '4', DIRECT_BATCH_REQUESTS: '200' },
})
t.teardown(() => stack.close())
await stack.configure()
await stack.register({ userId: 'user', token: newToken() })
const { api } = stack

const direct = new pg.Pool({ connectionString: directUrl() })
t.teardown(() => direct.end())
function directUrl() {
  const url = new URL(stack.database.url)
  url.port = new URL(cluster.url).port
  return url.href
}
const stored = async () => (await direct.query('SELECT 1 FROM messages')).rowCount

const REQUEST = {
  requestObject: { appId: APP, mode: 'ASYNCHRONOUS', message: { userId: 'user', body: { title: 'T', body: 'B' } } },
}
const send = (key?: string, appId = APP) =>
  api.call('POST', '/push/message/send', {
    body: JSON.stringify({ requestObject: { ...REQUEST.requestObject, appId } }),
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
  })

const UNAVAILABLE = { status: 'ERROR', responseObject: { code: 'ERROR_UNAVAILABLE' } }

for (const key of [undefined, randomUUID() as string])
  t.test(`the response of the COMMIT is lost, ${key ? 'under a key' : 'without a key'}: OK all the same`, async (t) => {
    const before = (await stored()) ?? 0
    const lost = proxy.loseResponseTo('INSERT INTO messages')
    const { status, body } = await send(key)
    await lost
    t.equal(status, 200)
    t.equal(await stored(), before + 1)
    t.equal((await api.get(`/push/message/${body.responseObject.messageIds[0]}`)).status, 200)
  })

for (const [key, text] of [
  [undefined, /may have been stored\. Without an Idempotency-Key a repeat may be delivered as well$/],
  [randomUUID() as string, /may have been stored\. Repeat it under the same Idempotency-Key, then it is stored once$/],
] as const)
  t.test(`and PostgreSQL is away from then on, ${key ? 'under a key' : 'without a key'}: 503 says so`, async (t) => {
    const before = (await stored()) ?? 0
    const lost = proxy.loseResponseTo('INSERT INTO messages').then(() => proxy.shut())
    const { status, headers, body } = await send(key)
    await lost
    await proxy.open()
    t.equal(status, 503)
    t.equal(headers.get('retry-after'), '5')
    t.match(body, { ...UNAVAILABLE, responseObject: { ...UNAVAILABLE.responseObject, message: text } })
    t.equal(await stored(), before + 1)
    if (key === undefined) return
    t.equal((await send(key)).status, 200)
    t.equal(await stored(), before + 1, 'sent again under its key it is still one')
  })

/** Requests that are stored by one statement under their keys, whose response is lost. `meanwhile` comes before the statement. */
async function loseTogether(requests: readonly { appId: string; key: string }[], meanwhile: () => Promise<unknown>) {
  const lock = await direct.connect()
  await lock.query('BEGIN; LOCK TABLE messages IN SHARE MODE')
  const first = send(randomUUID())
  await waitFor('a statement that waits', async () => {
    const { rowCount } = await direct.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    return rowCount === 1
  })
  const { audiences } = stack.context.store.messages
  let readied = 0
  stack.context.store.messages.audiences = async (queries) => {
    const read = await audiences(queries)
    readied += queries.length
    return read
  }
  const others = requests.map(({ appId, key }) => send(key, appId))
  await waitFor('the other requests', () => readied === requests.length)
  stack.context.store.messages.audiences = audiences
  await meanwhile()
  const lost = proxy.loseResponseTo('message-store-keyed')
  await lock.query('ROLLBACK')
  lock.release()
  await lost
  if ((await first).status !== 200) throw new Error('The first one was not stored')
  return Promise.all(others)
}

t.test('the response of the COMMIT of many keys is lost: each gets what became of it', async (t) => {
  const gone = `gone-${randomUUID()}`
  await stack.configure(gone)
  const [earlier, taken, key] = [randomUUID() as string, randomUUID() as string, randomUUID() as string]
  const [messageId] = (await send(earlier)).body.responseObject.messageIds
  const before = (await stored()) ?? 0
  /** As another gateway would do it. */
  const takeKey = (name: string) =>
    direct.query(
      `INSERT INTO idempotency_keys SELECT (jsonb_populate_record(k, jsonb_build_object('key', $2::text))).*
       FROM idempotency_keys k WHERE key = $1`,
      [earlier, name],
    )
  const remove = (appId: string) => direct.query('UPDATE applications SET app_id = NULL WHERE app_id = $1', [appId])
  const together = [
    { appId: gone, key: randomUUID() as string },
    { appId: APP, key: taken },
    { appId: APP, key },
  ]
  const responses = await loseTogether(together, async () => {
    await remove(gone)
    await takeKey(taken)
  })
  t.same(
    responses.map(({ status }) => status),
    [400, 200, 200],
  )
  t.same(responses[1]?.body.responseObject.messageIds, [messageId], 'a key that was taken: what stands under it')
  t.equal(await stored(), before + 2, 'the other one is stored, once')
  t.same((await send(key)).body.responseObject.messageIds, responses[2]?.body.responseObject.messageIds)
  t.equal(await stored(), before + 2)

  const left = `left-${randomUUID()}`
  await stack.configure(left)
  const another = randomUUID() as string
  const refused = await loseTogether(
    [
      { appId: left, key: randomUUID() },
      { appId: APP, key: another },
    ],
    async () => {
      await remove(left)
      await takeKey(another)
    },
  )
  t.same(
    refused.map(({ status }) => status),
    [503, 503],
    'nothing of the batch is there: it looks like one that was lost before its COMMIT',
  )
  t.equal(await stored(), before + 3)
  t.same((await send(another)).body.responseObject.messageIds, [messageId])
  t.equal((await send(randomUUID(), left)).status, 400)
  t.equal(await stored(), before + 3, 'and nothing was')
})

t.test('other requests: the text of the 503 says that it may have been stored', async (t) => {
  const inbox = { userId: 'user', subject: 's', summary: 's', body: 'b', type: 'text', applications: [APP] }
  const lost = proxy.loseResponseTo('inbox-create')
  const { status, body } = await api.post('/inbox/messages', inbox)
  await lost
  t.equal(status, 503)
  t.match(body.responseObject, { code: 'ERROR_UNAVAILABLE', message: /it may have been stored$/ })
})

t.test('a lock on the deliveries: refused with 503 in time, and nothing is stored when it is gone', async (t) => {
  const before = await stored()
  const lock = await direct.connect()
  await lock.query('BEGIN; LOCK TABLE deliveries IN SHARE MODE')
  const refused = await Promise.all(Array.from({ length: 8 }, () => send()))
  // While the lock is still held.
  await waitFor('no statement to be left on the server', async () => {
    const waiting = await direct.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'push-server' AND wait_event_type = 'Lock'",
    )
    return waiting.rowCount === 0
  })
  await lock.query('ROLLBACK')
  lock.release()
  for (const { status, headers, body } of refused) {
    t.equal(status, 503)
    t.equal(headers.get('retry-after'), '5')
    t.match(body, UNAVAILABLE)
  }
  t.equal((await send()).status, 200)
  t.equal(await stored(), (before ?? 0) + 1)
})
