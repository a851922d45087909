// Statements against the database: each is described on a database of our migrations, and what that says is compared with
// the committed types. What call sites do with these is for the compiler.
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { migrate } from '../../packages/store/src/connection/migrate.ts'
import { registeredStatements, type Definition } from '../../packages/store/src/connection/statement.ts'
import { describeStatements, writeTypes } from '../database/statement-types.ts'
import { openTemporaryPostgres } from '../database/temporary-postgres.ts'

const SOURCES = 'packages/store/src/**/*.ts'
export const TYPES_FILE = 'packages/store/src/connection/statement-types.ts'

/** Loads every module of the store, so that no statement is left out. */
export async function loadStatements(): Promise<ReadonlyMap<string, Definition>> {
  const files = globSync(SOURCES, { exclude: ['**/generated/**'] }).toSorted()
  for (const file of files) await import(pathToFileURL(resolve(file)).href)
  return registeredStatements()
}

export interface StatementReport {
  /** What the file of types has to say, not formatted. */
  expected: string
  /** What is wrong with the statements themselves. */
  problems: readonly string[]
}

/** As a migrated database describes them. */
export async function reportStatements(
  url: string,
  definitions: ReadonlyMap<string, Definition>,
): Promise<StatementReport> {
  const { types, problems } = await describeStatements(url, definitions)
  return { expected: writeTypes(types), problems }
}

/** All of the store, on a database of its own. */
export async function reportStore(): Promise<StatementReport> {
  const postgres = await openTemporaryPostgres()
  try {
    await migrate(postgres.url)
    return await reportStatements(postgres.url, await loadStatements())
  } finally {
    await postgres.close()
  }
}

/** Whether they differ in nothing but their format, which is another check's. */
export const isSame = (one: string, other: string) => bare(one) === bare(other)
const bare = (source: string) => source.replaceAll(/[\s;']|,(?=\s*\])/g, '')

/** One line for each problem. */
export async function findStatementProblems(): Promise<string[]> {
  const { expected, problems } = await reportStore()
  const isCurrent = isSame(await readFile(TYPES_FILE, 'utf8').catch(() => ''), expected)
  return [
    ...problems,
    ...(isCurrent ? [] : [`${TYPES_FILE} is not what the database says: run \`npm run generate:statements\``]),
  ]
}
