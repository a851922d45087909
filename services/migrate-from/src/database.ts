// A PostgreSQL database of the reference server, read in one transaction that can change nothing: all of it is of one moment.
import { ConfigError } from '@push-server/runtime'
import pg from 'pg'
import type { Kind, OldRow } from './kinds.ts'
import type { Source } from './source.ts'
import { READ_COLUMNS, statementsOf, versionOf } from './statements.ts'

/** Rows that are held at a time. */
const ROWS = 2_000

export async function openDatabase(url: string, zone: string): Promise<Source> {
  const client = new pg.Client({ connectionString: url, application_name: 'push-server migrate-from' })
  // A connection that breaks between two statements shows at the next one.
  client.on('error', () => {})
  await client.connect()
  try {
    // Between two reads it waits for an import, as long as that takes.
    await client.query(
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0',
    )
    const { rows } = await client.query<{ table: string; column: string }>(READ_COLUMNS)
    const version = versionOf(rows)
    if (!version) throw new ConfigError('The source has not the tables of PowerAuth Push Server 1.7 to 2.x')
    const statements = statementsOf(version, zone)
    return { version, rows: (kind) => read(client, statements[kind]), close: () => client.end() }
  } catch (error) {
    await client.end()
    throw error
  }
}

async function* read(client: pg.Client, statement: string): AsyncGenerator<OldRow> {
  await client.query(`DECLARE old_rows NO SCROLL CURSOR FOR ${statement}`)
  try {
    for (;;) {
      const { rows } = await client.query<Record<Kind['name'], unknown>>(`FETCH ${ROWS} FROM old_rows`)
      if (rows.length === 0) return
      yield* rows
    }
  } finally {
    await client.query('CLOSE old_rows')
  }
}
