// The types of registered statements, as the migrated database and the driver's parsers give them.
import pg from 'pg'
import type { Definition } from '../../packages/store/src/connection/statement.ts'
import { describeStatement, type Column, type Description } from './describe-statement.ts'
import { outerJoinsOf } from './outer-joins.ts'

/** How the driver delivers a value of each type (`types` of packages/store's database.ts). Elements of arrays follow. */
const READ: Readonly<Record<string, string>> = {
  bool: 'boolean',
  bytea: 'Buffer<ArrayBuffer>',
  float4: 'number',
  float8: 'number',
  int2: 'number',
  int4: 'number',
  int8: 'number',
  json: 'Json',
  jsonb: 'Json',
  name: 'string',
  numeric: 'string',
  text: 'string',
  timestamptz: 'Date',
  uuid: 'string',
  varchar: 'string',
  void: 'string',
}
/** Inside arrays the driver has parsers of its own. */
const READ_IN_ARRAYS: Readonly<Record<string, string>> = { ...READ, int8: 'string', numeric: 'number' }

/** What the driver takes for a placeholder of each type. JSON is given as text. */
const GIVEN: Readonly<Record<string, string>> = {
  ...READ,
  bytea: 'Uint8Array',
  json: 'string',
  jsonb: 'string',
  interval: 'string',
}

export interface TypedStatement {
  /** One for each placeholder, in TypeScript. */
  values: readonly string[]
  columns: readonly { name: string; type: string }[]
}

export interface Described {
  /** By the names of definitions; variants share one. */
  types: ReadonlyMap<string, TypedStatement>
  problems: readonly string[]
}

export async function describeStatements(
  url: string,
  definitions: ReadonlyMap<string, Definition>,
): Promise<Described> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const catalog = await readCatalog(client)
    const types = new Map<string, TypedStatement>()
    const problems: string[] = []
    for (const [preparedAs, definition] of definitions) {
      const found = await describeOne(client, definition, catalog)
      problems.push(...found.problems.map((problem) => `${preparedAs}: ${problem}`))
      const former = types.get(definition.name)
      if (former && JSON.stringify(former) !== JSON.stringify(found.typed))
        problems.push(`${preparedAs}: its types are not those of the other variants of ${definition.name}`)
      types.set(definition.name, former ?? found.typed)
    }
    return { types, problems }
  } finally {
    await client.end()
  }
}

interface Catalog {
  /** Names of types by OID; those of arrays begin with an underscore. */
  types: ReadonlyMap<number, string>
}

async function readCatalog(client: pg.Client): Promise<Catalog> {
  const { rows } = await client.query<{ oid: number; typname: string }>('SELECT oid, typname FROM pg_type')
  return { types: new Map(rows.map(({ oid, typname }) => [oid, typname])) }
}

interface One {
  typed: TypedStatement
  problems: readonly string[]
}

const NOTHING: TypedStatement = { values: [], columns: [] }

async function describeOne(client: pg.Client, definition: Definition, catalog: Catalog): Promise<One> {
  await client.query(`BEGIN; ${definition.tables ?? ''}`)
  try {
    const description = await describeStatement(client, definition.text)
    const notNull = await notNullColumns(client, description.columns, definition.text)
    return typed(definition, description, { catalog, notNull })
  } catch (error) {
    return { typed: NOTHING, problems: [(error as Error).message] }
  } finally {
    await client.query('ROLLBACK')
  }
}

/** Those that the database keeps from being null and no outer join makes so. */
async function notNullColumns(client: pg.Client, columns: readonly Column[], text: string): Promise<Set<Column>> {
  const { rows } = await client.query<{ place: number; table: string }>(
    `SELECT o.place::int, c.relname AS table FROM unnest($1::oid[], $2::int[]) WITH ORDINALITY AS o ("table", attribute, place)
     JOIN pg_attribute a ON a.attrelid = o."table" AND a.attnum = o.attribute AND a.attnotnull
     JOIN pg_class c ON c.oid = a.attrelid`,
    [columns.map(({ table }) => table), columns.map(({ attribute }) => attribute)],
  )
  const isInDoubt = outerJoinsOf(text)
  return new Set(rows.flatMap(({ place, table }) => (isInDoubt(table) ? [] : (columns[place - 1] ?? []))))
}

interface Known {
  catalog: Catalog
  notNull: ReadonlySet<Column>
}

function typed(definition: Definition, { parameters, columns }: Description, { catalog, notNull }: Known): One {
  const { nullable = [], nullableElements = [], notNull: marked = {} } = definition
  const problems: string[] = []
  const nameOf = (oid: number) => catalog.types.get(oid) ?? `type ${oid}`

  const values = parameters.map((oid, index) => {
    const type = nameOf(oid)
    const mayHoldNull = nullableElements.includes(index + 1)
    const inner = translate(type.replace(/^_/, ''), GIVEN)
    if (inner === undefined) problems.push(`nobody has said yet how the driver takes ${type}, of $${index + 1}`)
    if (mayHoldNull && !type.startsWith('_')) problems.push(`$${index + 1} has no elements`)
    const given = type.startsWith('_') ? `readonly ${orNull(inner, mayHoldNull, true)}[]` : `${inner}`
    return orNull(given, nullable.includes(index + 1))
  })
  for (const place of [...nullable, ...nullableElements])
    if (place < 1 || place > parameters.length) problems.push(`it has no placeholder $${place}`)

  const read = columns.map((column) => {
    const type = nameOf(column.type)
    const isArray = type.startsWith('_')
    const inner = translate(type.replace(/^_/, ''), isArray ? READ_IN_ARRAYS : READ)
    if (inner === undefined)
      problems.push(`nobody has said yet how the driver delivers ${type}, of column ${column.name}`)
    const isNotNull = notNull.has(column) || marked[column.name] !== undefined
    return {
      name: column.name,
      type: orNull(isArray ? `readonly ${orNull(inner, true, true)}[]` : `${inner}`, !isNotNull),
    }
  })
  problems.push(...markProblems(marked, columns, notNull))
  return { typed: { values, columns: read }, problems }
}

const translate = (type: string, names: Readonly<Record<string, string>>): string | undefined => names[type]

function orNull(type: string | undefined, isNullable: boolean, isElement = false): string {
  if (!isNullable) return `${type}`
  return isElement ? `(${type} | null)` : `${type} | null`
}

function markProblems(
  marked: NonNullable<Definition['notNull']>,
  columns: readonly Column[],
  notNull: ReadonlySet<Column>,
) {
  const names = columns.map(({ name }) => name)
  return [
    ...names.flatMap((name, place) => (names.indexOf(name) < place ? `two columns are called ${name}` : [])),
    ...Object.entries(marked).flatMap(([name, reason]) => {
      const column = columns.find((each) => each.name === name)
      if (!column) return `notNull names ${name}, which is no column of it`
      if (notNull.has(column)) return `notNull names ${name}, which the database keeps from being null anyway`
      return reason?.trim() ? [] : `notNull gives no reason for ${name}`
    }),
  ]
}

const HEAD = `// What PostgreSQL says of each registered statement: placeholders, columns. Written by \`npm run generate:statements\`.
/* oxlint-disable max-lines */

/** JSON of any shape; statements declare theirs with \`narrow\`. */
export type Json = string | number | boolean | object

`

/** The file of types, not formatted. Pure. */
export function writeTypes(types: ReadonlyMap<string, TypedStatement>): string {
  const entries = [...types]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, each]) => `'${name}': ${member(each)}`)
  return `${HEAD}export interface StatementTypes {\n${entries.join('\n')}\n}\n`
}

function member({ values, columns }: TypedStatement): string {
  const row = columns.map(({ name, type }) => `${/^\w+$/.test(name) ? name : `'${name}'`}: ${type}`)
  return `{ values: readonly [${values.join(', ')}]; row: ${row.length > 0 ? `{ ${row.join('; ')} }` : 'never'} }`
}
