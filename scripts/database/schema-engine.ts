// Prisma's schema engine as WebAssembly: it compares migrations with a schema where the engine's own program cannot be
// downloaded. It works on an adapter for `pg` with three bugs, corrected here (adapter-pg 7.10).
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
} from '@prisma/driver-adapter-utils'
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg'
import { Client, type QueryResult } from 'pg'

export type SchemaEngine = glue.SchemaEngine

/** As much of it as is used here: the types of Node.js do not have it. */
interface WebAssemblyLoader {
  instantiate(code: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, () => void> } }>
}
const { WebAssembly: webAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyLoader }

/** `url` is of a database in a server of its own: scratch databases are made beside it and left there. */
export async function openSchemaEngine(url: string, schema: { path: string; content: string }): Promise<SchemaEngine> {
  await loadEngine()
  const noLog = () => undefined
  const adapters = bindMigrationAwareSqlAdapterFactory(adapterFactory(url))
  return glue.SchemaEngine.new({ datamodels: [[schema.path, schema.content]] }, noLog, adapters)
}

/** The package imports its .wasm as a module, which Node.js warns of or, before 24, does not do. */
async function loadEngine(): Promise<void> {
  const folder = dirname(fileURLToPath(import.meta.resolve('@prisma/schema-engine-wasm/schema_engine_bg')))
  const code = await readFile(join(folder, 'schema_engine_bg.wasm'))
  const { instance } = await webAssembly.instantiate(code, { './schema_engine_bg.js': { ...glue } })
  const { __wbg_set_wasm: connect } = glue
  const { __wbindgen_start: start } = instance.exports
  connect(instance.exports)
  start?.()
  // Without it a panic of the engine says nothing.
  const registry = { set_message: (message: string) => process.stderr.write(`${message}\n`) }
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: registry })
}

function adapterFactory(url: string): SqlMigrationAwareDriverAdapterFactory {
  const connect = async (to: string) => corrected(await new PrismaPg({ connectionString: to, max: 1 }).connect())
  let scratches = 0
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    connect: () => connect(url),
    // The adapter's own forgets that a connection string names the database, and would take the main one.
    async connectToShadowDb() {
      const scratch = new URL(`/scratch_${scratches++}`, url)
      await run(url, `CREATE DATABASE ${scratch.pathname.slice(1)}`)
      return connect(scratch.href)
    },
  }
}

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>
type Query = (...args: unknown[]) => Promise<QueryResult>

const OID_CHAR = 18
const OID_TEXT = 25

function corrected(adapter: Adapter): Adapter {
  const pool = adapter.underlyingDriver()
  const query: Query = pool.query.bind(pool)
  const queryRaw = adapter.queryRaw.bind(adapter)
  // The adapter does not know the type "char", which the engine's queries of the catalogue return. The pool has one
  // connection and the engine runs one query at a time, so the columns noted are those of the query in progress.
  let charColumns: number[] = []
  pool.query = (async (...args: unknown[]) => {
    const result = await query(...args)
    charColumns = result.fields?.flatMap(({ dataTypeID }, column) => (dataTypeID === OID_CHAR ? [column] : [])) ?? []
    for (const column of charColumns) Object.assign(result.fields[column] ?? {}, { dataTypeID: OID_TEXT })
    return result
  }) as typeof pool.query
  adapter.queryRaw = async (statement: SqlQuery) => {
    const result = await queryRaw(statement)
    for (const column of charColumns) result.columnTypes[column] = ColumnTypeEnum.Character
    return result
  }
  // The adapter splits a script at every semicolon, also in the body of a function.
  adapter.executeScript = async (script: string) => void (await query(script))
  return adapter
}

async function run(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
