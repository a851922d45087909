// The statements for Oracle run in PostgreSQL, which has the SQL/JSON of the standard since version 16, with functions of Oracle's names beside
// it: their rows have to be those of the statements for PostgreSQL. What Oracle alone decides (types, lengths, empty texts, the
// function that writes base64) is not shown by this.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openDatabase } from '../src/database.ts'
import { KINDS, type OldRow } from '../src/kinds.ts'
import { VERSIONS, type SourceVersion } from '../src/source.ts'
import { createOldDatabase } from './_old-database.ts'

t.setTimeout(300_000)
const EXPORT = join(import.meta.dirname, '../export/oracle')
const ZONE = 'America/New_York'

const FUNCTIONS = [
  'CREATE DOMAIN clob AS text',
  `CREATE FUNCTION to_char(boolean) RETURNS text LANGUAGE sql AS $$ SELECT upper($1::text) $$`,
  `CREATE FUNCTION to_char(integer) RETURNS text LANGUAGE sql AS $$ SELECT $1::text $$`,
  `CREATE FUNCTION from_tz(timestamp, text) RETURNS timestamptz LANGUAGE sql AS $$ SELECT $1 AT TIME ZONE $2 $$`,
  `CREATE FUNCTION b64(bytea) RETURNS text LANGUAGE sql AS $$ SELECT replace(encode($1, 'base64'), E'\\n', '') $$`,
]

async function statementOf(version: SourceVersion, name: string): Promise<string> {
  const [type, read] = version === '1.7' ? ['type', 'read'] : ['message_type', 'is_read']
  const text = await readFile(join(EXPORT, version === '1.10' ? '1.10' : '1.7-1.9', `${name}.sql`), 'utf8')
  return text
    .replaceAll('{zone}', ZONE)
    .replaceAll('{type}', type)
    .replaceAll('{read}', read)
    .replaceAll(/^(SET|WHENEVER) .*$|^\/$/gm, '')
    .replace(/^WITH FUNCTION [\s\S]*?^END;$/m, '')
}

/** In an export what is null or empty is left out. */
const filled = (row: OldRow) =>
  Object.fromEntries(
    Object.entries(row).filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0)),
  )

for (const version of VERSIONS)
  t.test(`rows of ${version}`, async (t) => {
    const old = await createOldDatabase(version)
    t.teardown(old.close)
    const [server] = await old.query<{ major: number }>(
      `SELECT current_setting('server_version_num')::int / 10000 AS major`,
    )
    if ((server?.major ?? 0) < 16)
      return t.pass('it runs', { skip: 'PostgreSQL has the SQL/JSON of the standard from version 16 on' })
    for (const sql of FUNCTIONS) await old.query(sql)
    const source = await openDatabase(old.url, ZONE)
    t.teardown(source.close)
    for (const { name } of KINDS) {
      const expected: OldRow[] = []
      for await (const row of source.rows(name)) expected.push(filled(row))
      const exported = await old.query<{ line: string }>(
        `SELECT line::text FROM (${(await statementOf(version, name)).trim().replace(/;$/, '')}) AS exported (line)`,
      )
      t.ok(expected.length > 0, name)
      t.same(
        exported.map(({ line }) => JSON.parse(line) as OldRow),
        expected,
        name,
      )
    }
  })
