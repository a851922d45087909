// A connection that breaks, and migrations, on a real PostgreSQL. What is slow or locked: database.test.ts.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { createDatabase } from '@push-server/testing'
import { migrate, type MigrateOptions } from '../src/index.ts'
import { KEY, openFixture } from './_fixtures.ts'

const fixture = await openFixture()
const { database } = fixture
t.teardown(() => fixture.close())

t.test('a connection that breaks within a transaction ends the transaction, not the process', async (t) => {
  const program = `
    import { openStore } from ${JSON.stringify(new URL('../src/index.ts', import.meta.url).href)}
    import pg from ${JSON.stringify(import.meta.resolve('pg'))}
    const url = ${JSON.stringify(database.url)}
    const store = openStore({ url, connections: 2, encryptionKey: ${JSON.stringify(KEY)}, onError() {} })
    const killer = new pg.Client({ connectionString: url })
    await killer.connect()
    const token = { value: 'minted', issuedAt: 0, expiresAt: 0 }
    const outcome = await store.providerTokens.take('broken', () => true, async () => {
      await killer.query("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'")
      return token
    }).then(() => 'kept', () => 'rejected')
    const next = await store.providerTokens.take('broken', () => true, async () => token)
    await killer.end()
    await store.close()
    console.log(outcome, next.value)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  t.equal(stderr, '')
  t.equal(stdout, 'rejected minted\n')
  t.equal(code, 0)
})
/** A folder of migrations and a way to write one. */
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
  const tables = async () => {
    const rows = await empty.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_name <> '_prisma_migrations' ORDER BY 1",
    )
    return rows.map(({ name }) => name)
  }
  return {
    directory,
    write,
    tables,
    empty,
    run: (more: MigrateOptions = {}) => migrate(empty.url, { directory, ...more }),
  }
}

t.test('migrate: six at once apply once', async (t) => {
  const empty = await createDatabase()
  t.teardown(() => empty.close())
  const applied = await Promise.all(Array.from({ length: 6 }, () => migrate(empty.url)))
  const names = applied.flat()
  t.ok(names.length > 0)
  t.equal(new Set(names).size, names.length, 'each by one')
  t.equal(applied.filter((list) => list.length > 0).length, 1, 'all by the same one')
  const ledger = await empty.query<{ name: string; steps: number }>(
    'SELECT migration_name AS name, applied_steps_count AS steps FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1',
  )
  t.same(
    ledger,
    names.map((name) => ({ name, steps: 1 })),
  )
  t.same(await migrate(empty.url), [], 'nothing is left')
})

t.test('migrate: in the order of the names, only what is missing', async (t) => {
  const { write, run, tables } = await migrations(t)
  await write('2_second', 'ALTER TABLE one RENAME TO two')
  await write('1_first', 'CREATE TABLE one (id INT)')
  t.same(await run(), ['1_first', '2_second'])
  await write('3_third', 'CREATE TABLE three (id INT)')
  t.same(await run(), ['3_third'])
  t.same(await tables(), ['three', 'two'])
})

t.test('migrate: an edited migration is refused, and nothing else is applied', async (t) => {
  const { write, run, tables } = await migrations(t)
  await write('1_first', 'CREATE TABLE one (id INT)')
  await run()
  await write('1_first', 'CREATE TABLE one (id BIGINT)')
  await write('2_second', 'CREATE TABLE two (id INT)')
  await t.rejects(run(), { message: 'Migration 1_first was edited after it was applied' })
  t.same(await tables(), ['one'])
})

t.test('migrate: a failing one leaves nothing, those before it stay', async (t) => {
  const { write, run, tables, empty } = await migrations(t)
  await write('1_first', 'CREATE TABLE one (id INT)')
  await write('2_second', 'CREATE TABLE two (id INT); INSERT INTO two VALUES (1); SELECT 1 / 0')
  await t.rejects(run(), { message: 'Migration 2_second failed: division by zero' })
  t.same(await tables(), ['one'])
  t.same(await empty.query('SELECT migration_name AS name FROM _prisma_migrations'), [{ name: '1_first' }])
  await write('2_second', 'CREATE TABLE two (id INT)')
  t.same(await run(), ['2_second'], 'repaired, it is applied')
})

t.test('migrate: one that another tool left half done is for a person', async (t) => {
  const { write, run, empty } = await migrations(t)
  await write('1_first', 'CREATE TABLE one (id INT)')
  await run()
  await empty.query('UPDATE _prisma_migrations SET finished_at = NULL')
  await t.rejects(run(), { message: /^Migration 1_first was begun and not finished/ })
})
