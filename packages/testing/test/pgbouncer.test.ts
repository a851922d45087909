// The whole test stack behind a real PgBouncer in transaction mode, named statements off: what needs a connection of its own goes
// past it, the rest through it. Once on each back end of the queues.
import t from 'tap'
import {
  APP,
  BACKENDS,
  createDatabase,
  createTcpProxy,
  openTestStack,
  skipPgBouncer,
  startPgBouncer,
  waitFor,
} from '@push-server/testing'

t.setTimeout(300_000)

const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')
const SENT_ONE = { sent: 1, pending: 0, failed: 0, total: 1 }
/** Fewer than the test stack has clients, so that they share them. */
const CONNECTIONS = 4

for (const backend of BACKENDS) {
  t.test(`PgBouncer, queues on ${backend.name}`, { skip: skipPgBouncer || backend.skip }, async (t) => {
    const cluster = await createDatabase()
    t.teardown(() => cluster.close())
    const bouncer = await startPgBouncer(cluster.url, CONNECTIONS)
    t.teardown(() => bouncer.close())
    const proxy = await createTcpProxy(bouncer.url)
    await proxy.open()
    t.teardown(() => proxy.shut())
    const stack = await openTestStack({ backend, cluster: cluster.url, pooler: proxy.url })
    t.teardown(() => stack.close())
    await stack.configure()
    const { api, database, simulator } = stack
    const received = (name: string) => simulator.pushes.filter((push) => push.token === token(name)).length

    /** A role's setting counts for new connections: PgBouncer has to make some. */
    const setLockTimeout = async (ms: number) => {
      const name = new URL(database.url).pathname.slice(1)
      await database.query(`ALTER ROLE CURRENT_USER IN DATABASE ${name} SET lock_timeout = ${ms}`)
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'push-server'",
      )
    }

    t.test('ready: the role has the time limits', async (t) => {
      t.match(await api.get('/health/ready'), { status: 200, body: { parts: { database: { status: 'up' } } } })
      await setLockTimeout(0)
      const lacking = await waitFor('new connections without it', async () => {
        const health = await api.get('/health/ready')
        const { detail = '' } = health.body.parts.database
        return String(detail).startsWith('lock_timeout') && health
      })
      t.equal(lacking.status, 503, 'without one of them it is not')
      await setLockTimeout(5_000)
      await waitFor('connections with it', async () => (await api.get('/health/ready')).status === 200)
    })

    t.test('messages: twenty users at once, each gets its outcome', async (t) => {
      const users = Array.from({ length: 20 }, (_, index) => `user-${index}`)
      for (const userId of users) await stack.register({ userId, token: token(userId) })
      const sent = await Promise.all(
        users.map((userId) =>
          api.post('/push/message/send', { appId: APP, message: { userId, body: { title: 'T', body: 'B' } } }),
        ),
      )
      for (const { body } of sent) t.same(body.responseObject?.result?.ios, SENT_ONE)
      t.same(
        users.map(received),
        users.map(() => 1),
      )
    })

    t.test('the response of a COMMIT is lost: the message is found', async (t) => {
      await stack.register({ userId: 'lost', token: token('lost') })
      const message = { userId: 'lost', body: { title: 'T', body: 'B' } }
      const lost = proxy.loseResponseTo('INSERT INTO messages')
      const { status, body } = await api.post('/push/message/send', { appId: APP, message })
      await lost
      t.equal(status, 200)
      t.same(body.responseObject.result.ios, SENT_ONE)
      t.equal(received('lost'), 1)
    })

    t.test('a campaign: users imported, fanned out, sent', async (t) => {
      const created = await api.post('/push/campaign/create', { appId: APP, message: { title: 'T', body: 'B' } })
      const id: string = created.body.responseObject.id
      const users = ['in-campaign-1', 'in-campaign-2']
      for (const userId of users) await stack.register({ userId, token: token(userId) })
      const imported = await api.call('PUT', `/push/campaign/${id}/user/import`, {
        body: users.map((userId) => JSON.stringify(userId)).join('\n'),
        headers: { 'content-type': 'application/x-ndjson' },
      })
      t.equal(imported.status, 200)
      await api.post(`/push/campaign/send/live/${id}`, {})
      await waitFor('the pushes', () => users.every((userId) => received(userId) === 1))
    })

    t.test('credentials and applications, by Prisma', async (t) => {
      t.equal((await api.post('/admin/app/create', { appId: 'another' })).status, 200)
      t.match(await api.get('/admin/app/list'), { status: 200 })
    })
  })
}
