// The sum of connections that docs/deploy.md names, and the warning of a server that takes fewer.
import t from 'tap'
import { connectionBudget, warnOfConnections } from '@push-server/domain'
import type { Logger } from '@push-server/runtime'
import { openTestStack } from '@push-server/testing'

const DEFAULTS = {
  databasePool: 6,
  databasePoolQueues: 10,
  databaseProcesses: 10,
  databaseUrlDirect: undefined,
  redisUrl: 'redis://localhost',
}

t.test('the sum', async (t) => {
  t.equal(connectionBudget(DEFAULTS), 90, 'with Redis: what PostgreSQL takes by default')
  t.equal(connectionBudget({ ...DEFAULTS, redisUrl: undefined }), 190, 'queues in PostgreSQL')
  t.equal(connectionBudget({ ...DEFAULTS, databaseUrlDirect: 'postgres://direct' }), 30, 'what goes past a pooler')
})

t.test('a server that takes fewer is warned of at the start', async (t) => {
  const stack = await openTestStack({ services: [] })
  t.teardown(() => stack.close())
  const { store } = stack.context
  const capacity = await store.capacity()
  const [row] = await stack.database.query<{ max: number }>("SELECT current_setting('max_connections')::int AS max")
  t.ok(capacity > 0 && capacity < (row?.max ?? 0), 'what is reserved is not counted')
  const warnings: unknown[] = []
  const log = { warn: (details: object) => void warnings.push(details) } as unknown as Logger
  await warnOfConnections({ ...DEFAULTS, databaseProcesses: 1 }, store, log)
  t.same(warnings, [])
  await warnOfConnections({ ...DEFAULTS, databaseProcesses: capacity }, store, log)
  t.same(warnings, [{ budget: capacity * 9, capacity, processes: capacity }])
})
