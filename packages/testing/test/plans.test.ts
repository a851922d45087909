// How often PostgreSQL plans the statements of a message's way: once for each connection, not once for each message.
import t from 'tap'
import { APP, openTestStack, startOwnPostgres, type TestDatabase } from '@push-server/testing'

const MESSAGES = 100
const SETTINGS = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track_planning': 'on' }
/** Each connection plans a statement five times before it keeps a plan; a vacuum or an analysis makes it plan again. */
const MOST_PLANS = 0.25
/** Of our tables. What the library of the queues does in its own is not ours. */
const TABLES = 'applications|devices|messages|deliveries|chunks'
/** Parts of the statements that every message runs through. */
const HOT = {
  'recipients are found': 'FROM devices',
  'a message is stored': 'INSERT INTO messages',
  'a chunk is claimed': 'WITH free AS MATERIALIZED',
  'its content is read': 'LEFT JOIN credentials',
  'its outcomes are recorded': 'WITH fence AS MATERIALIZED',
}

interface Planned {
  query: string
  calls: number
  plans: number
}

const readPlans = ({ query }: Pick<TestDatabase, 'query'>) =>
  query<Planned>(
    `SELECT query, calls::int, plans::int FROM pg_stat_statements
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND calls >= $1 AND query ~ $2`,
    [MESSAGES / 2, `\\m(${TABLES})\\M`],
  )

t.test('the statements that each message runs through are planned once for each connection', async (t) => {
  const postgres = await startOwnPostgres(SETTINGS)
  t.teardown(() => postgres.close())
  const stack = await openTestStack({
    cluster: postgres.url,
    services: ['apns', 'gateway'],
    environment: { DATABASE_POOL: '2' },
  })
  t.teardown(() => stack.close())
  await stack.configure()
  await stack.register({ userId: 'user', token: 'a1'.repeat(32) })
  await stack.database.query('CREATE EXTENSION pg_stat_statements')
  // One after the other: each has statements of its own.
  for (let count = 0; count < MESSAGES; count++) {
    const message = { userId: 'user', body: { title: 'Balance update', body: `$${count}.00` } }
    const { body } = await stack.api.post('/push/message/send', { appId: APP, message })
    if (body.responseObject.ios.sent !== 1) return t.match(body.responseObject.ios, { sent: 1 })
  }
  const planned = await readPlans(stack.database)
  for (const { query, calls, plans } of planned)
    t.ok(plans <= calls * MOST_PLANS, `${plans} plans of ${calls} calls: ${query.replaceAll(/\s+/g, ' ').slice(0, 80)}`)
  for (const [what, part] of Object.entries(HOT))
    t.ok(
      planned.some(({ query }) => query.includes(part)),
      what,
    )
})
