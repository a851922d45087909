// Plans of the store's statements while PostgreSQL believes that few chunks are open: as it does when an outage begins, since plans
// are kept and statistics are of before.
import t from 'tap'
import { registeredStatements } from '../src/connection/statement.ts'
import { makeApplication, openFixture } from './_fixtures.ts'

/** Statements about all open chunks, or those of an application or a run: they read an index of open chunks. */
const OF_SETS = new Set([
  'backlog',
  'backlog-waiting',
  'chunk-expire',
  'chunk-sweep',
  'message-waiting',
  'pause-probe',
  'pause-put',
  'pause-resume',
  'removal-begin',
  'removal-clear-chunks',
  'run-chunk-close',
  'run-open',
  'run-settle',
])
const OPEN_INDEX = /\bchunks_open_\w+/g
const SETTLED = 20_000

t.test('a statement that names chunks by id finds them by id, however many are open by then', async (t) => {
  const fixture = await openFixture()
  t.teardown(() => fixture.close())
  const { database } = fixture
  const { id } = await makeApplication(fixture)
  await database.query(
    `INSERT INTO chunks (application_id, platform, lane, total, sent, settled_at, expires_at)
     SELECT $1, 'ios', 'direct', 1, 1, now(), now() FROM generate_series(1, ${SETTLED})`,
    [id],
  )
  await database.query('VACUUM ANALYZE chunks')
  const reading: string[] = []
  for (const [name, { text, tables }] of registeredStatements()) {
    if (tables !== undefined || !/\bchunks\b/.test(text)) continue
    const plan = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN (GENERIC_PLAN) ${text}`)
    const indexes = plan.flatMap((line) => line['QUERY PLAN'].match(OPEN_INDEX) ?? [])
    if (indexes.length > 0) reading.push(name)
    if (indexes.length > 0 && !OF_SETS.has(name)) t.fail(`${name} reads ${indexes.join(', ')}`)
  }
  t.ok(reading.includes('chunk-sweep'), 'indexes of open chunks are recognised')
})
