// One pool of connections for everything: Prisma for single rows, prepared statements where a set is the point.
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from './generated/client.ts'

/** A statement that PostgreSQL plans once per connection. The name is unique over the whole store. */
export interface Statement {
  readonly name: string
  readonly text: string
  /** How long it may take, ms, where the time limit of all others is too short. The driver's own word. */
  readonly query_timeout?: number
}

/** Values in the order of the statement's placeholders. */
export type Values = readonly unknown[]

export interface Queryable {
  query<Row extends object>(statement: Statement, values?: Values): Promise<Row[]>
}

export interface Database extends Queryable {
  readonly prisma: PrismaClient
  /** Commits when `work` resolves, rolls back when it rejects. */
  transaction<T>(work: (connection: Queryable) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** Our 64-bit ids stay far below 2^53, so they are plain numbers in the program. */
const types = {
  getTypeParser: ((...wanted: Parameters<typeof pg.types.getTypeParser>) =>
    wanted[0] === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(...wanted)) as typeof pg.types.getTypeParser,
}

const queryable = (client: pg.Pool | pg.ClientBase): Queryable => ({
  async query<Row extends object>(statement: Statement, values: Values = []) {
    const result = await client.query<Row>({ ...statement, values: [...values], types })
    return result.rows
  },
})

export interface Connection extends Queryable {
  /** Statements without values. */
  run(sql: string): Promise<void>
  close(): Promise<void>
}

/** Longer than sorting a million rows takes on a slow disk. */
export const LONG_QUERY_TIMEOUT_MS = 300_000

/** One connection of its own for long work with temporary tables; it is none of the pool's. */
export async function openConnection(
  options: Pick<DatabaseOptions, 'url' | 'onError'> & { name: string },
): Promise<Connection> {
  const { url, onError, name } = options
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    query_timeout: LONG_QUERY_TIMEOUT_MS,
    application_name: name,
  })
  client.on('error', onError)
  await client.connect()
  return { ...queryable(client), run: async (sql) => void (await client.query(sql)), close: () => client.end() }
}

/** Far longer than any of our statements takes. */
const QUERY_TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 10_000

export interface DatabaseOptions {
  url: string
  connections: number
  onError(error: Error): void
}

export function openDatabase(options: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // A failover can leave a connection silent: neither it nor a query on it may keep anybody waiting for ever.
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    application_name: 'push-server',
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', options.onError)
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })

  return {
    ...queryable(pool),
    prisma,
    async transaction(work) {
      const client = await pool.connect()
      // A connection in use that breaks tells it here as well; unheard it would end the process.
      client.on('error', options.onError)
      let broken: Error | undefined
      try {
        await client.query('BEGIN')
        const result = await work(queryable(client))
        await client.query('COMMIT')
        return result
      } catch (error) {
        await client.query('ROLLBACK').catch((fault: Error) => (broken = fault))
        throw error
      } finally {
        client.off('error', options.onError)
        client.release(broken)
      }
    },
    async close() {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}
