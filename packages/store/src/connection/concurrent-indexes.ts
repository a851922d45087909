// Migrations without a transaction: indexes that are built while the table is written to. PostgreSQL builds such an index in
// several transactions of its own, so a build that died leaves a broken index behind, which is dropped and built again.
import type pg from 'pg'

/** The first line of such a migration. */
const MARK = /^-- no transaction\s*$/m

const CREATE = /^CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?\s+ON\s/i
const DROP = /^DROP\s+INDEX\s+CONCURRENTLY\s+IF\s+EXISTS\s/i

const STATE = `SELECT i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE c.relname = $1 AND c.relnamespace = current_schema()::regnamespace`

export const isWithoutTransaction = (sql: string) => MARK.test(sql.split('\n', 1)[0] ?? '')

/** Throws when one of them could not be repeated after a migration that died half way. Pure. */
export function statementsOf(sql: string): string[] {
  const code = sql.replaceAll(/^\s*--.*$/gm, '')
  const statements = code.split(';').flatMap((each) => each.trim() || [])
  for (const statement of statements)
    if (!CREATE.test(statement) && !DROP.test(statement))
      throw new Error(
        'without a transaction only CREATE INDEX CONCURRENTLY and DROP INDEX CONCURRENTLY IF EXISTS can be repeated, ' +
          `not: ${statement.split('\n', 1)[0]}`,
      )
  return statements
}

/** Goes on where an earlier attempt ended. */
export async function changeIndexes(client: pg.Client, sql: string): Promise<void> {
  for (const statement of statementsOf(sql)) {
    const [, name] = CREATE.exec(statement) ?? []
    if (name !== undefined && (await isBuilt(client, name))) continue
    await client.query(statement)
  }
}

async function isBuilt(client: pg.Client, name: string): Promise<boolean> {
  const { rows } = await client.query<{ valid: boolean }>(STATE, [name])
  const [index] = rows
  if (index && !index.valid) await client.query(`DROP INDEX CONCURRENTLY IF EXISTS "${name}"`)
  return index?.valid ?? false
}
