// What the tables that each message writes are set to: room for the second write of a delivery, and vacuums that come in time.
import t from 'tap'
import { waitFor } from '@push-server/testing'
import { claimOne, LEASE_MS, makeApplication, open, openFixture, outcome, releaseOne, storeChunk } from './_fixtures.ts'

const CHUNKS = 40
const DELIVERIES = 50

t.test('outcomes of deliveries are mostly written without touching an index', async (t) => {
  const fixture = await openFixture()
  t.teardown(() => fixture.close())
  const { database } = fixture
  const { id } = await makeApplication(fixture)
  const store = open(database.url)
  for (let count = 0; count < CHUNKS; count++) {
    const chunk = await storeChunk({ ...fixture, store }, id, { deliveries: DELIVERIES })
    const claim = await claimOne(store, chunk.id, 'a', LEASE_MS)
    if (!claim) return t.fail('not claimed')
    const deliveries = chunk.deliveries.map((delivery) => outcome(delivery, { providerId: 'b'.repeat(36) }))
    await releaseOne(store, claim, 'a', { deliveries, deadTokens: [], dueAt: null })
  }
  // Counts arrive when a session ends, or has been idle for a while.
  await store.close()
  const { updates, hot } = await waitFor('the counts', async () => {
    const [row] = await database.query<{ updates: number; hot: number }>(
      "SELECT n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot FROM pg_stat_user_tables WHERE relname = 'deliveries'",
    )
    return row && row.updates >= CHUNKS * DELIVERIES && row
  })
  t.ok(hot > updates / 2, `${hot} of ${updates}`)
})

t.test('large tables are vacuumed and analysed after a bounded number of changes', async (t) => {
  const fixture = await openFixture()
  t.teardown(() => fixture.close())
  const rows = await fixture.database.query<{ table: string; scale: number | null }>(
    `SELECT relname AS table, (SELECT max(option_value::float8) FROM pg_options_to_table(reloptions)
       WHERE option_name LIKE 'autovacuum%scale_factor') AS scale
     FROM pg_class WHERE relname IN ('messages', 'deliveries', 'chunks') ORDER BY relname`,
  )
  t.same(
    rows.map(({ table }) => table),
    ['chunks', 'deliveries', 'messages'],
  )
  for (const { table, scale } of rows) t.ok(scale !== null && scale <= 0.01, `${table}: ${scale}`)
})
