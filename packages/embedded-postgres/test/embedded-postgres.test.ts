// Starts, stops and kills real servers; each case has a folder of its own.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import t, { type Test } from 'tap'
import { startPostgres } from '../src/index.ts'

type Started = { url: string; adopted: boolean }

/** Not `t.testdir()`: that is removed before the teardowns, so under a running server. */
async function folder(t: Test): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'embedded-postgres-'))
  t.teardown(() => rm(dir, { recursive: true }))
  return dir
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql)
    return rows.flatMap((row) => Object.values(row))
  } finally {
    await client.end()
  }
}

async function startElsewhere(dir: string): Promise<{ child: ChildProcess } & Started> {
  const child = fork(join(import.meta.dirname, 'starter.ts'), [dir])
  t.teardown(() => child.kill('SIGKILL'))
  const [started] = (await once(child, 'message')) as [Started]
  return { child, ...started }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function requestStop(child: ChildProcess): Promise<void> {
  child.send('stop')
  await once(child, 'exit')
}

async function pidFile(dir: string): Promise<string | undefined> {
  return readFile(join(dir, 'cluster/data/postmaster.pid'), 'utf8').catch(() => undefined)
}

t.test('a fresh start responds on the loopback interface, to its password alone', async (t) => {
  const dir = await folder(t)
  const postgres = await startPostgres({ dir, settings: { work_mem: '7MB' } })
  t.teardown(() => postgres.stop())

  t.equal(postgres.adopted, false)
  t.same(await query(postgres.url, 'SHOW work_mem'), ['7MB'])
  t.same(await query(postgres.url, 'SHOW listen_addresses'), ['127.0.0.1'])
  const wrong = new URL(postgres.url)
  wrong.password = 'guessed'
  await t.rejects(query(wrong.href, 'SELECT 1'), { code: '28P01' })
  const { mode } = await stat(join(dir, 'cluster/password'))
  t.equal(mode & 0o777, 0o600)
})

t.test('data survives a stop; stopping twice is one stop', async (t) => {
  const dir = await folder(t)
  const first = await startPostgres({ dir })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await Promise.all([first.stop(), first.stop()])
  t.equal(await pidFile(dir), undefined, 'the server has gone')

  const second = await startPostgres({ dir })
  t.teardown(() => second.stop())
  t.equal(second.adopted, false)
  t.same(await query(second.url, 'SELECT answer FROM kept'), [42])
})

t.test('the server of a killed starter is adopted, and stopped by who adopted it', async (t) => {
  const dir = await folder(t)
  const starter = await startElsewhere(dir)
  await query(starter.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await kill(starter.child)

  const postgres = await startPostgres({ dir })
  t.equal(postgres.adopted, true)
  t.equal(postgres.url, starter.url)
  t.same(await query(postgres.url, 'SELECT answer FROM kept'), [42])
  await postgres.stop()
  t.equal(await pidFile(dir), undefined, 'the server has gone')
})

t.test('two first starts at once share one server, and the last one to leave stops it', async (t) => {
  const dir = await folder(t)
  const [one, other] = await Promise.all([startElsewhere(dir), startElsewhere(dir)])
  t.equal(one.url, other.url)
  t.same([one.adopted, other.adopted].sort(), [false, true])
  t.same(await readdir(dir), ['cluster', 'postgres.log'], 'no draft of a cluster is left')

  const [starter, guest] = one.adopted ? [other, one] : [one, other]
  await requestStop(starter.child)
  t.same(await query(guest.url, 'SELECT 1'), [1], 'its starter left, its guest still has it')
  await requestStop(guest.child)
  t.equal(await pidFile(dir), undefined, 'the server has gone')
})

t.test('starter and server killed: the next start recovers what was committed', async (t) => {
  const dir = await folder(t)
  const starter = await startElsewhere(dir)
  await query(starter.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  const server = Number.parseInt((await pidFile(dir)) ?? '')
  process.kill(server, 'SIGKILL')
  await kill(starter.child)

  const postgres = await startPostgres({ dir })
  t.teardown(() => postgres.stop())
  t.equal(postgres.adopted, false)
  t.same(await query(postgres.url, 'SELECT answer FROM kept'), [42])
})

t.test('a server whose folder was deleted can still be stopped', async (t) => {
  const dir = await folder(t)
  const postgres = await startPostgres({ dir })
  await rm(join(dir, 'cluster'), { recursive: true })
  await postgres.stop()
  await t.rejects(query(postgres.url, 'SELECT 1'), { code: 'ECONNREFUSED' })
})

t.test('a port that another program has is named', async (t) => {
  const blocker = createServer().listen(0, '127.0.0.1')
  await once(blocker, 'listening')
  t.teardown(() => blocker.close())
  const { port } = blocker.address() as AddressInfo
  await t.rejects(startPostgres({ dir: await folder(t), port }), { message: new RegExp(`port ${port} is taken`) })
})

t.test('what PostgreSQL says of a wrong setting is in the error', async (t) => {
  const starting = startPostgres({ dir: await folder(t), settings: { work_mem: 'plenty' } })
  await t.rejects(starting, { message: /invalid value for parameter "work_mem": "plenty"/ })
})
