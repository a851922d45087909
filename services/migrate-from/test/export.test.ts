// Exports of Oracle and SQL Server. There is no such database here: the script runs with programs in place of `sqlplus` and `bcp` that
// take what it passes to them, and the statements are compared with the columns and members that there are. That they are not run is
// what docs/migrating.md says of them.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { openFolder } from '../src/folder.ts'
import { KINDS } from '../src/kinds.ts'
import { statementsOf } from '../src/statements.ts'
import type { SourceVersion } from '../src/source.ts'

t.setTimeout(300_000)
const EXPORT = join(import.meta.dirname, '../export')
const DATABASES = ['oracle', 'sqlserver'] as const
const SETS: Record<string, SourceVersion[]> = { '1.7-1.9': ['1.7', '1.9'], '1.10': ['1.10'] }

async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const folder = await mkdtemp(join(tmpdir(), 'push-export-'))
t.teardown(() => rm(folder, { recursive: true }))

/** Without texts in quotes, which hold anything. */
const bare = (sql: string) => sql.replaceAll(/--.*$/gm, '').replaceAll(/'[^']*'/g, "''")
/** The columns that a statement reads of its tables, as `push_…` tables have them. */
const columnsIn = (sql: string) =>
  new Set([...bare(sql).matchAll(/\b[acdiux]\.\[?(\w+)\]?/g)].map(([, column = '']) => column.toLowerCase()))
const membersIn = (sql: string) =>
  new Set(
    [...sql.matchAll(/'(\w+)' VALUE |\bAS \[?(?!bit|varchar|datetime2)([a-z]\w+)\]?(?=,|\n| FROM|$)/gm)].map(
      ([, a, b]) => a ?? b,
    ),
  )

const CASES = DATABASES.flatMap((database) =>
  Object.entries(SETS).flatMap(([set, versions]) => versions.map((version) => ({ database, set, version }))),
)

for (const { database, set, version } of CASES)
  for (const { name } of KINDS)
    t.test(`${database}, ${version}: ${name}`, async (t) => {
      const names = version === '1.7' ? ['type', 'read'] : ['message_type', 'is_read']
      const sql = (await readFile(join(EXPORT, database, set, `${name}.sql`), 'utf8'))
        .replaceAll('{type}', names[0] ?? '')
        .replaceAll('{read}', names[1] ?? '')
      // The statement for PostgreSQL, which tests run, has the same columns; some without their table's letter.
      const run = statementsOf(version, 'UTC')[name].replaceAll(/"(type|read)"/g, '$1')
      for (const column of columnsIn(sql))
        t.match(bare(run), new RegExp(`\\b${column}\\b`), `${column} is a column of ${version}`)
      const known = [...run.matchAll(/ AS "?(\w+)"?(?=,|\n| FROM)/g)].map(([, member = '']) => member)
      for (const member of known)
        t.ok(membersIn(sql).has(member) || (version !== '1.10' && member === 'environment'), member)
      t.equal(bare(sql).split('(').length, bare(sql).split(')').length, 'parentheses are closed')
      if (version !== '1.10') t.notMatch(sql, /\b(apns|fcm)_/)
      else t.notMatch(sql, /\b(ios|android)_/, 'stale columns are not read')
    })

/** Writes what it got, and a line for each table. */
const PROGRAMS = {
  sqlplus: `for last; do :; done; cat "\${last#@}" >> "$TAKEN"; echo '{"n":1}'`,
  bcp: `printf '%s\\n' "$@" >> "$TAKEN"; echo '{"n":1}' > "$3"`,
}

for (const [database, program, connection] of [
  ['oracle', 'sqlplus', ['push/secret@//host:1521/push']],
  ['sqlserver', 'bcp', ['-S', 'host', '-d', 'push']],
] as const)
  t.test(`export.sh ${database} makes a folder that the command reads`, async (t) => {
    await writeFile(join(folder, program), `#!/bin/sh\n${PROGRAMS[program]}\n`)
    await chmod(join(folder, program), 0o755)
    const [exported, taken] = [join(folder, database), join(folder, `${database}.taken`)]
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, TAKEN: taken }
    const args = [database, '1.7', exported, 'Central European Standard Time', ...connection]
    const { stdout } = await promisify(execFile)(join(EXPORT, 'export.sh'), args, { env })
    t.equal(stdout, KINDS.map(({ name }) => `${name}: 1 lines\n`).join(''))
    const sql = await readFile(taken, 'utf8')
    t.match(sql, /'Central European Standard Time'/)
    t.notMatch(sql, /\{(zone|type|read)\}/)
    t.equal([...sql.matchAll(/FROM push_app_credentials c/g)].length, 1)
    const source = await openFolder(exported)
    t.equal(source.version, '1.7')
    for (const { name } of KINDS) t.same(await gathered(source.rows(name)), [{ n: 1 }])
    await writeFile(join(exported, 'inbox.ndjson'), '{"id":"1"}\n{"id":"2","body":"cut')
    await t.rejects(gathered(source.rows('inbox')), { message: /inbox\.ndjson, line 2 .*export it again/ })
  })

t.test('the guide says that they were never executed', async (t) => {
  const guide = await readFile(join(import.meta.dirname, '../../../docs/migrating.md'), 'utf8')
  t.match(guide, /\*\*These statements were never executed by us\*\*/)
})

t.test('a folder without a version is refused', async (t) => {
  const nowhere = await mkdtemp(join(tmpdir(), 'push-export-'))
  t.teardown(() => rm(nowhere, { recursive: true }))
  await t.rejects(openFolder(nowhere), { message: /source\.json/ })
  for (const text of ['', '{}', '{"version":"1.6"}', 'null']) {
    await writeFile(join(nowhere, 'source.json'), text)
    await t.rejects(openFolder(nowhere), { message: /names no version/ })
  }
})
