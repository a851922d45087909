// The check of statements, against databases whose tables have moved away from them: what it lets through would fail in production.
import { readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { migrate } from '../../packages/store/src/index.ts'
import { statement, type Definition } from '../../packages/store/src/connection/statement.ts'
import { createDatabase } from '../../packages/testing/src/index.ts'
import { isSame, loadStatements, reportStatements, TYPES_FILE } from '../checks/statements.ts'
import { outerJoinsOf } from '../database/outer-joins.ts'

const definitions = await loadStatements()
const committed = await readFile(TYPES_FILE, 'utf8')

/** A migrated database of its own, changed by `sql`. */
async function migrated(t: Test, sql?: string): Promise<string> {
  const database = await createDatabase()
  t.teardown(() => database.close())
  await migrate(database.url)
  if (sql) await database.query(sql)
  return database.url
}

const only = (...names: string[]) => new Map([...definitions].filter(([name]) => names.includes(name)))
const made = (definition: Omit<Definition, 'name'>) => new Map([['made', { name: 'made', ...definition }]])

t.test('the committed types are those of the migrated database', async (t) => {
  const { expected, problems } = await reportStatements(await migrated(t), definitions)
  t.strictSame(problems, [])
  t.ok(isSame(expected, committed))
})

t.test('a renamed column is told for each statement that names it', async (t) => {
  const url = await migrated(t, 'ALTER TABLE devices RENAME COLUMN environment TO apns_environment')
  const { problems } = await reportStatements(url, definitions)
  t.ok(problems.includes('device-list: column d.environment does not exist'))
  t.ok(problems.includes('chunk-contents: column v.environment does not exist'))
  t.ok(problems.includes('fan-out-respelling: column d.environment does not exist'), 'variants as well')
})

t.test('a column of another type changes the types of what reads it', async (t) => {
  const url = await migrated(t, 'ALTER TABLE campaign_users ALTER COLUMN user_id TYPE integer USING 0')
  const { problems } = await reportStatements(url, only('campaign-user-remove'))
  t.match(problems, [/^campaign-user-remove: operator does not exist: integer = text$/])
  const listed = await reportStatements(
    await migrated(t, 'ALTER TABLE devices ALTER active TYPE text'),
    only('device-list'),
  )
  t.match(listed.expected, /active: string;/)
})

t.test('a column that may be null changes the types of what reads it', async (t) => {
  const url = await migrated(t, 'ALTER TABLE devices ALTER COLUMN token DROP NOT NULL')
  const { expected } = await reportStatements(url, only('device-list'))
  t.match(expected, /token: string \| null/)
})

t.test('marks are held to what the database says', async (t) => {
  const url = await migrated(t)
  const problemsOf = async (definition: Omit<Definition, 'name'>) =>
    (await reportStatements(url, made(definition))).problems
  const text = 'SELECT id, drop_reason, count(*) OVER () AS n FROM devices WHERE user_id = $1'
  t.strictSame(await problemsOf({ text, notNull: { n: 'count is never null' }, nullable: [1] }), [])
  t.match(await problemsOf({ text, notNull: { m: 'typed wrongly' } }), [/names m, which is no column of it/])
  t.match(await problemsOf({ text, notNull: { id: 'superfluous' } }), [/names id, which the database keeps/])
  t.match(await problemsOf({ text, notNull: { n: ' ' } }), [/gives no reason for n/])
  t.match(await problemsOf({ text, nullable: [2] }), [/no placeholder \$2/])
  t.match(await problemsOf({ text, nullableElements: [1] }), [/\$1 has no elements/])
  t.match(await problemsOf({ text: 'SELECT id, id FROM devices' }), [/two columns are called id/])
  t.match(await problemsOf({ text: 'SELECT now() - now() AS age' }), [
    /how the driver delivers interval, of column age/,
  ])
  const variants = new Map<string, Definition>([
    ['made-one', { name: 'made', text: 'SELECT id FROM devices' }],
    ['made-other', { name: 'made', text: 'SELECT token AS id FROM devices' }],
  ])
  const { problems } = await reportStatements(url, variants)
  t.match(problems, [/^made-other: its types are not those of the other variants of made$/])
})

t.test('a name is given to one statement', async (t) => {
  t.throws(() => statement({ name: 'device-list', text: 'SELECT 1' }), /^Two statements are called device-list$/)
})

t.test('what an outer join fills with nulls is in doubt', async (t) => {
  const cases: [sql: string, inDoubt: string[], sure: string[]][] = [
    ['SELECT FROM a JOIN b ON true', [], ['a', 'b']],
    ['SELECT FROM a LEFT JOIN b ON true JOIN c ON true', ['b'], ['a', 'c']],
    ['SELECT FROM a LEFT OUTER JOIN (b JOIN c ON true) ON true', ['b', 'c'], ['a']],
    ['SELECT FROM a LEFT JOIN LATERAL (SELECT FROM b) AS x ON true', ['b'], ['a']],
    ['SELECT FROM a LEFT JOIN b JOIN c ON true ON true', ['a', 'b', 'c'], []],
    ['SELECT FROM a RIGHT JOIN b ON true', ['a', 'b'], []],
    ['SELECT FROM a FULL JOIN b ON true', ['a', 'b'], []],
    ['SELECT a FROM a GROUP BY ROLLUP (a)', ['a'], []],
    ['WITH x AS (SELECT FROM b), y AS MATERIALIZED (SELECT FROM x) SELECT FROM a LEFT JOIN y ON true', ['b'], ['a']],
    ["SELECT 'LEFT JOIN a' FROM a", [], ['a']],
  ]
  for (const [sql, inDoubt, sure] of cases) {
    const isInDoubt = outerJoinsOf(sql)
    for (const table of inDoubt) t.ok(isInDoubt(table), `${table} in ${sql}`)
    for (const table of sure) t.notOk(isInDoubt(table), `${table} in ${sql}`)
  }
})
