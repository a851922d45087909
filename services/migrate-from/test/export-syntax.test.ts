// The statements for Oracle and SQL Server are parsed by sqlglot, which knows both dialects, and their columns are looked up in the tables
// of each version. It comes through Python's registry, so `npm run test:long` has this test; without Python it is left out, with the reason.
// The PL/SQL function in front of Oracle's statement of applications is in no parser's reach: what follows it is parsed.
import { execFile } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { createDatabase } from '@push-server/testing'
import { KINDS } from '../src/kinds.ts'
import type { SourceVersion } from '../src/source.ts'
import { createTables } from './_old-database.ts'

t.setTimeout(600_000)
const LONG = process.env.TEST_LONG !== undefined && process.env.HTTP2_TRANSPORT !== 'node'
/** Kept between runs. */
const TOOLS = join(import.meta.dirname, '../../../.data/sqlglot')
const PACKAGE = 'sqlglot==30.30.0'
const EXPORT = join(import.meta.dirname, '../export')
const DIALECTS = { oracle: 'oracle', sqlserver: 'tsql' } as const
const VERSIONS: readonly SourceVersion[] = ['1.7', '1.9', '1.10']

/** Reads `{dialect, schema, statements}`, and writes what is wrong with each statement, or null. */
const PROGRAM = `
import json, sys
import sqlglot
from sqlglot.optimizer.qualify import qualify
given = json.load(sys.stdin)
def wrong(sql):
    try:
        statements = sqlglot.parse(sql, read=given["dialect"], error_level=sqlglot.ErrorLevel.RAISE)
        if [type(each).__name__ for each in statements] != ["Select"]:
            return "is not one query"
        # It takes the type of a result for a column.
        query = sqlglot.parse_one(sql.replace("RETURNING CLOB", ""), read=given["dialect"])
        qualify(query, schema=given["schema"], dialect=given["dialect"], identify=False, quote_identifiers=False)
        return None
    except Exception as error:
        return str(error)
print(json.dumps([wrong(sql) for sql in given["statements"]]))
`

const run = promisify(execFile)

async function lacking(): Promise<string | false> {
  if (!LONG) return 'sqlglot runs in npm run test:long'
  try {
    await mkdir(TOOLS, { recursive: true })
    await run('python3', ['-m', 'venv', TOOLS])
    await run(join(TOOLS, 'bin/pip'), ['install', '--quiet', PACKAGE])
    return false
  } catch (error) {
    return `sqlglot is not to be had here: ${(error as Error).message.split('\n')[0] ?? ''}`
  }
}

type Schema = Record<string, Record<string, string>>

async function wrongWith(dialect: string, schema: Schema, statements: readonly string[]): Promise<(string | null)[]> {
  const running = run(join(TOOLS, 'bin/python'), ['-c', PROGRAM], { maxBuffer: 64 * 1024 * 1024 })
  running.child.stdin?.end(JSON.stringify({ dialect, schema, statements }))
  return JSON.parse((await running).stdout) as (string | null)[]
}

/** Of the tables of the version, as tests make them in PostgreSQL. */
async function schemaOf(version: SourceVersion): Promise<Schema> {
  const database = await createDatabase()
  try {
    await createTables(database, version)
    const rows = await database.query<{ table: string; column: string }>(
      `SELECT table_name AS "table", column_name AS "column" FROM information_schema.columns WHERE table_schema = 'public'`,
    )
    const schema: Schema = {}
    for (const { table, column } of rows) (schema[table] ??= {})[column] = 'varchar'
    return schema
  } finally {
    await database.close()
  }
}

async function statementOf(database: string, version: SourceVersion, name: string): Promise<string> {
  const [type, read] = version === '1.7' ? ['type', 'read'] : ['message_type', 'is_read']
  const file = join(EXPORT, database, version === '1.10' ? '1.10' : '1.7-1.9', `${name}.sql`)
  const text = (await readFile(file, 'utf8'))
    .replaceAll('{zone}', 'UTC')
    .replaceAll('{type}', type)
    .replaceAll('{read}', read)
  // What SQL*Plus itself reads, and the function.
  return text.replaceAll(/^(SET|WHENEVER) .*$|^\/$/gm, '').replace(/^WITH FUNCTION [\s\S]*?^END;$/m, '')
}

/** One error each, which parts of the statements must not have. */
const ERRORS: readonly [from: RegExp, to: string][] = [
  [/SELECT /, 'SELECT ('],
  [/FROM push_/, 'FORM push_'],
  [/,\n/, '\n'],
  [/user_id|app_id/, 'no_such_column'],
]

const missing = await lacking()
for (const [database, dialect] of Object.entries(DIALECTS))
  for (const version of VERSIONS)
    t.test(`${database}, ${version}`, { skip: missing }, async (t) => {
      const schema = await schemaOf(version)
      const statements = await Promise.all(KINDS.map(({ name }) => statementOf(database, version, name)))
      t.same(
        await wrongWith(dialect, schema, statements),
        statements.map(() => null),
      )
      const wrong = statements.flatMap((sql) => ERRORS.map(([from, to]) => sql.replace(from, to)))
      for (const [index, problem] of (await wrongWith(dialect, schema, wrong)).entries())
        t.type(problem, 'string', `error ${index % ERRORS.length} of ${KINDS[Math.floor(index / ERRORS.length)]?.name}`)
    })
