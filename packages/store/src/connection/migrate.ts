// Brings a database up to the tables of prisma/migrations, as `prisma migrate deploy` would: same table of migrations, same
// checksums; but it waits for locks in short turns, so that no statement waits long behind it.
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { changeIndexes, isWithoutTransaction } from './concurrent-indexes.ts'
import { isUnavailable } from './errors.ts'
import {
  limitsOf,
  READ_LIMITS,
  SERVER_LIMITS,
  serverLimitsOf,
  type ServerLimits,
  type TimeLimits,
} from './time-limits.ts'

const DIRECTORY = fileURLToPath(new URL('../../../../prisma/migrations', import.meta.url))

/** The advisory lock that Prisma's own engine takes, so that the two never apply at the same moment. */
const LOCK = 72_707_369

const LEDGER = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

interface Migration {
  name: string
  sql: string
  checksum: string
}

export interface MigrateOptions {
  directory?: string
  /** How long a migration waits for a lock: as long do all others wait behind it. */
  lockTimeoutMs?: number
  /** Between two attempts; what waited behind the first one gets through meanwhile. */
  pauseMs?: number
  /** A migration did not get its locks and will try again. */
  onRetry?(migration: string, error: Error): void
  /** How long PostgreSQL may take to come up, for a step of a deployment that starts together with it; by default no time. */
  await?: { forMs: number; onWait(error: Error): void }
  /** Behind a pooler limits cannot be set after connecting: the role gets those that it lacks, in this database. */
  roleTimeoutMs?: number | undefined
}

const LOCK_TIMEOUT_MS = 2_000
const PAUSE_MS = 3_000
/** About ten minutes. */
const ATTEMPTS = 120
const POLL_MS = 100
const CONNECT_PAUSE_MS = 1_000

/**
 * Applies what is missing and returns the names: each migration in a transaction of its own, or statement by statement where
 * its first line says `-- no transaction`. Any number of processes may call this at once: one applies, the others wait and
 * find nothing to do. Rejects when an applied migration was edited since. Requires a direct connection (advisory locks do not
 * survive a transaction-mode pooler).
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<string[]> {
  const client = await connect(url, options.await)
  try {
    const inForce = await readLimits(client)
    // Building an index takes as long as it takes.
    await client.query('SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0')
    await lock(client)
    if (options.roleTimeoutMs !== undefined) await setRoleLimits(client, inForce, limitsOf(options.roleTimeoutMs))
    await client.query(LEDGER)
    const missing = await missingMigrations(client, await readMigrations(options.directory ?? DIRECTORY))
    for (const migration of missing) await applyPatiently(client, migration, options)
    return missing.map((migration) => migration.name)
  } finally {
    // The lock goes with the connection.
    await client.end()
  }
}

export interface MigrationSettings {
  databaseUrl: string
  databaseUrlDirect?: string | undefined
  databaseTimeout: number
}

/** As the settings of a process say: past a pooler, where there is one. */
export const migrateDatabase = (
  settings: MigrationSettings,
  options: Required<Pick<MigrateOptions, 'onRetry'>> & Pick<MigrateOptions, 'await'>,
) => {
  const { databaseUrl, databaseUrlDirect, databaseTimeout } = settings
  const roleTimeoutMs = databaseUrlDirect === undefined ? undefined : databaseTimeout
  return migrate(databaseUrlDirect ?? databaseUrl, { roleTimeoutMs, ...options })
}

/** Connects; where `awaited` says so, again and again while PostgreSQL is not there or is still starting. */
async function connect(url: string, awaited: MigrateOptions['await']): Promise<pg.Client> {
  const until = performance.now() + (awaited?.forMs ?? 0)
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
    // A broken connection shows at the query under way; without a listener it would end the process.
    client.on('error', () => {})
    try {
      await client.connect()
      return client
    } catch (error) {
      if (!isUnavailable(error) || performance.now() > until) throw error
      awaited?.onWait(error as Error)
      await sleep(CONNECT_PAUSE_MS)
    }
  }
}

/** A statement that waits would hold a snapshot, and an index that is built concurrently waits for the end of those. */
async function lock(client: pg.Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK])
    if (rows[0]?.locked) return
    await sleep(POLL_MS)
  }
}

async function readLimits(client: pg.Client): Promise<ServerLimits | undefined> {
  const { rows } = await client.query<ServerLimits>(READ_LIMITS)
  return rows[0]
}

/** What an administrator has set, for the role, the database or the server, stays as it is. */
async function setRoleLimits(client: pg.Client, inForce: ServerLimits | undefined, limits: TimeLimits): Promise<void> {
  const expected = serverLimitsOf(limits)
  const { rows } = await client.query<{ name: string }>('SELECT current_database() AS name')
  const database = pg.escapeIdentifier(rows[0]?.name ?? '')
  for (const name of SERVER_LIMITS)
    if (inForce?.[name] === 0)
      await client.query(`ALTER ROLE CURRENT_USER IN DATABASE ${database} SET ${name} = ${expected[name]}`)
}

/** Not to be had in time, or a deadlock: with a process of an earlier version that waits for our lock, for one. */
const isLockError = (error: unknown) => /^(55P03|40P01)$/.test((error as { code?: string }).code ?? '')

async function applyPatiently(client: pg.Client, migration: Migration, options: MigrateOptions): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await apply(client, migration, options.lockTimeoutMs ?? LOCK_TIMEOUT_MS)
    } catch (error) {
      if (!isLockError(error) || attempt === ATTEMPTS)
        throw new Error(`Migration ${migration.name} failed: ${(error as Error).message}`, { cause: error })
      options.onRetry?.(migration.name, error as Error)
      await sleep(options.pauseMs ?? PAUSE_MS)
    }
  }
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  return Promise.all(
    names.map(async (name) => {
      const file = await readFile(join(directory, name, 'migration.sql'))
      return { name, sql: file.toString('utf8'), checksum: createHash('sha256').update(file).digest('hex') }
    }),
  )
}

async function missingMigrations(client: pg.Client, migrations: Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<{ migration_name: string; checksum: string; finished_at: Date | null }>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  )
  const unfinished = rows.find((row) => row.finished_at === null)
  if (unfinished) throw new Error(`Migration ${unfinished.migration_name} was begun and not finished: repair it first`)
  const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]))
  return migrations.filter(({ name, checksum }) => {
    const known = applied.get(name)
    if (known !== undefined && known !== checksum) throw new Error(`Migration ${name} was edited after it was applied`)
    return known === undefined
  })
}

async function apply(client: pg.Client, { name, sql, checksum }: Migration, lockTimeoutMs: number): Promise<void> {
  if (isWithoutTransaction(sql)) await changeIndexes(client, sql)
  await client.query(`BEGIN; SET LOCAL lock_timeout = ${lockTimeoutMs}`)
  try {
    if (!isWithoutTransaction(sql)) await client.query(sql)
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES ($1, $2, $3, now(), 1)`,
      [randomUUID(), checksum, name],
    )
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}
