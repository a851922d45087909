// What lies between prisma/migrations and prisma/schema.prisma: the SQL of the migration that has yet to be written.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { openSchemaEngine, type SchemaEngine } from './schema-engine.ts'
import { isWithoutTransaction } from '../../packages/store/src/connection/concurrent-indexes.ts'
import { openTemporaryPostgres } from './temporary-postgres.ts'

type DiffSource = Parameters<SchemaEngine['diff']>[0]['from']

export const MIGRATIONS = 'prisma/migrations'
const SCHEMA = 'prisma/schema.prisma'
/** Prisma's mark of the kind of database the migrations are for. */
export const MIGRATION_LOCK = { file: 'migration_lock.toml', content: 'provider = "postgresql"\n' }

/** Undefined when the migrations lead to the schema. Of what Prisma cannot describe, such as partial indexes, it knows nothing. */
export async function pendingMigration(): Promise<string | undefined> {
  const schema = { path: resolve(SCHEMA), content: readFileSync(SCHEMA, 'utf8') }
  const postgres = await openTemporaryPostgres()
  try {
    const engine = await openSchemaEngine(postgres.url, schema)
    const { exitCode, stdout } = await engine.diff({
      from: readMigrations(),
      to: { tag: 'schemaDatamodel', files: [schema] },
      script: true,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    })
    return exitCode === 0 ? undefined : (stdout ?? '')
  } finally {
    await postgres.close()
  }
}

/** The engine sends a migration as one query, which is a transaction; on empty tables the index is the same without the word. */
const inTransaction = (sql: string) => (isWithoutTransaction(sql) ? sql.replaceAll(/\bCONCURRENTLY\b/gi, '') : sql)

function readMigrations(): DiffSource {
  const files = globSync(join(MIGRATIONS, '*/migration.sql')).toSorted()
  if (files.length === 0) return { tag: 'empty' }
  return {
    tag: 'migrations',
    baseDir: resolve(MIGRATIONS),
    lockfile: { path: MIGRATION_LOCK.file, content: MIGRATION_LOCK.content },
    shadowDbInitScript: '',
    migrationDirectories: files.map((file) => ({
      path: dirname(file).slice(MIGRATIONS.length + 1),
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: inTransaction(readFileSync(file, 'utf8')) },
      },
    })),
  }
}
