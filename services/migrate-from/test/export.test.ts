// Exports of Oracle and SQL Server. There is no such database here: the script runs with programs in place of `sqlplus` and `bcp` that
// take what it passes to them, and the statements are compared with the columns and members that there are. export-syntax.test.ts parses
// them, export-oracle.test.ts runs those for Oracle in PostgreSQL. That they are not run is what docs/migrating.md says of them.
import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { openFolder } from '../src/folder.ts'
import { KINDS, lineOf } from '../src/kinds.ts'
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

/** Writes what it got, and a line for each table: `bcp -w` in UTF-16, with a mark in front. */
const PROGRAMS = {
  sqlplus: `for last; do :; done; cat "\${last#@}" >> "$TAKEN"; echo '{"n":"ü"}'`,
  bcp: `printf '%s\\n' "$@" >> "$TAKEN"; (printf '\\377\\376'; printf '{"n":"ü"}\\r\\n' | iconv -f UTF-8 -t UTF-16LE) > "$3"`,
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
    for (const { name } of KINDS) t.same(await gathered(source.rows(name)), [{ n: 'ü' }])
    await writeFile(join(exported, 'inbox.ndjson'), '{"id":"1"}\n{"id":"2","body":"cut')
    await t.rejects(gathered(source.rows('inbox')), { message: /inbox\.ndjson, line 2 .*export it again/ })
  })

t.test('an export that fails says why, and leaves no folder that could be taken for a whole one', async (t) => {
  await writeFile(join(folder, 'sqlplus'), `#!/bin/sh\necho 'ORA-00942: table or view does not exist'\nexit 1\n`)
  await chmod(join(folder, 'sqlplus'), 0o755)
  const exported = join(folder, 'oracle')
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
  const args = ['oracle', '1.10', exported, 'UTC', 'push/secret@//host:1521/push']
  const failure = await promisify(execFile)(join(EXPORT, 'export.sh'), args, { env }).catch((error: unknown) => error)
  t.match(failure, { code: 1, stderr: /applications: .*failed[\s\S]*ORA-00942: table or view/ })
  t.notMatch(failure, { stderr: /secret/ })
  await t.rejects(openFolder(exported), { message: /no source\.json/ })
})

t.test('a file that is not there is named, and a mark in front of one is no part of its first line', async (t) => {
  const some = await mkdtemp(join(tmpdir(), 'push-export-'))
  t.teardown(() => rm(some, { recursive: true }))
  await writeFile(join(some, 'source.json'), '{"version":"1.10"}')
  await writeFile(join(some, 'devices.ndjson'), '\uFEFF{"n":1}\r\n\r\n{"n":2}')
  const source = await openFolder(some)
  t.same(await gathered(source.rows('devices')), [{ n: 1 }, { n: 2 }])
  await t.rejects(gathered(source.rows('inbox')), { name: 'ConfigError', message: /inbox\.ndjson.*empty file/ })
})

t.test('of members that are null, active alone is sent: it says that the device is not active', (t) => {
  t.same(lineOf({ userId: 'u', active: null, environment: null }), { userId: 'u', active: null })
  t.end()
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
