// A database of its own for each test file, on the cluster of the test run or on one started for this file alone.
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres } from '@push-server/embedded-postgres'
import pg from 'pg'

export interface TestDatabase {
  url: string
  /** Runs SQL that no part of the product has. */
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** Empty: without tables until something migrates it. On the cluster at `url`, or on that of the run. */
export async function createDatabase(url?: string): Promise<TestDatabase> {
  const cluster = await reachCluster(url)
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await inCluster(cluster.url, `CREATE DATABASE ${name}`)
  const own = new URL(cluster.url)
  own.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: own.href, max: 4 })
  pool.on('error', () => {
    // Tests end connections on purpose; the next query fails if one is missing.
  })
  return {
    url: own.href,
    query: async <Row extends object>(sql: string, values: unknown[] = []) => (await pool.query<Row>(sql, values)).rows,
    async close() {
      await pool.end()
      await inCluster(cluster.url, `DROP DATABASE ${name} WITH (FORCE)`)
      await cluster.stop()
    },
  }
}

/** Debian 12 ships it; the npm package is several versions ahead. */
const DEBIAN_PROGRAMS = '/usr/lib/postgresql/15/bin'

/** Why tests on it are skipped; false where it is installed. */
export const noDebianPostgres =
  !existsSync(join(DEBIAN_PROGRAMS, 'postgres')) && 'PostgreSQL 15 is not installed: apt-get install postgresql-15'

/** A database on Debian's PostgreSQL 15. */
export async function createDebianDatabase(): Promise<TestDatabase> {
  const cluster = await startCluster(DEBIAN_PROGRAMS)
  const database = await createDatabase(cluster.url)
  return {
    ...database,
    async close() {
      await database.close()
      await cluster.stop()
    },
  }
}

async function reachCluster(url = process.env.TEST_DATABASE_URL) {
  return url === undefined ? startCluster() : { url, stop: async () => {} }
}

async function startCluster(programs?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'push-test-'))
  const server = await startPostgres({ dir, settings: { fsync: 'off' }, ...(programs !== undefined && { programs }) })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      await rm(dir, { recursive: true })
    },
  }
}

async function inCluster(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
