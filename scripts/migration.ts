// `npm run migration -- <name>`: writes the migration from what changed in prisma/schema.prisma. Read it before you commit
// it, and add what Prisma cannot describe: partial indexes, CHECK constraints, the order in which data moves.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MIGRATION_LOCK, MIGRATIONS, pendingMigration } from './database/pending-migration.ts'

const name = process.argv[2] ?? ''
if (!/^[a-z0-9_]+$/.test(name)) {
  process.stderr.write('Name the migration: npm run migration -- words_in_lower_case\n')
  process.exit(2)
}
const sql = await pendingMigration()
if (sql === undefined) {
  process.stdout.write('The migrations lead to the schema already.\n')
} else {
  const timestamp = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const folder = join(MIGRATIONS, `${timestamp}_${name}`)
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'migration.sql'), sql)
  await writeFile(join(MIGRATIONS, MIGRATION_LOCK.file), MIGRATION_LOCK.content)
  process.stdout.write(`${folder}/migration.sql\n`)
}
