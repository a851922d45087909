// Requests whose storing PostgreSQL does not confirm, or does not get to: what the caller gets, over HTTP.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { APP, createDatabase, createTcpProxy, openTestStack } from '@push-server/testing'
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
  environment: { DATABASE_TIMEOUT: '3s', DATABASE_POOL: '4' },
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
const send = (key?: string) =>
  api.call('POST', '/push/message/send', {
    body: JSON.stringify(REQUEST),
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
  const connections = await direct.query(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'push-server' AND state = 'active'",
  )
  await lock.query('ROLLBACK')
  lock.release()
  for (const { status, headers, body } of refused) {
    t.equal(status, 503)
    t.equal(headers.get('retry-after'), '5')
    t.match(body, UNAVAILABLE)
  }
  t.equal(connections.rowCount, 0, 'no statement is left on the server')
  t.equal((await send()).status, 200)
  t.equal(await stored(), (before ?? 0) + 1)
})
