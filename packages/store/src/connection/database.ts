// One pool of connections for everything: Prisma for single rows, prepared statements where a set is the point.
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { isBroken, isResponseLost, UnconfirmedWrite, type Session } from './errors.ts'
import { PrismaClient } from '../generated/client.ts'
import { rerunAborted } from './rerun-aborted.ts'
import { readSession, sessionOf } from './sessions.ts'
import type { Statement, Values } from './statement.ts'
import { DEFAULT_TIMEOUT_MS, limitsOf, LONG, setLimits, type TimeLimits } from './time-limits.ts'

/** Left out where there are none. */
export type Given<V extends Values> = V extends readonly [] ? [] : [values: V]

export interface Queryable {
  query<V extends Values, Row>(statement: Statement<V, Row>, ...given: Given<NoInfer<V>>): Promise<Row[]>
}

export interface Database extends Queryable {
  readonly prisma: PrismaClient
  /** Of each statement outside a transaction that has limits of its own. */
  readonly limits: TimeLimits
  /** Connections of the pool, and callers that wait for one. */
  connections(): { used: number; idle: number; waiting: number }
  /**
   * Commits when `work` resolves, rolls back when it rejects. Its limits, where given, come with the BEGIN. After a deadlock
   * `work` is called again, as often as a statement alone is sent again.
   */
  transaction<T>(work: (connection: Queryable) => Promise<T>, limits?: TimeLimits): Promise<T>
  close(): Promise<void>
}

/** Our 64-bit ids stay far below 2^53, so they are plain numbers in the program. */
const types = {
  getTypeParser: ((...expected: Parameters<typeof pg.types.getTypeParser>) =>
    expected[0] === pg.types.builtins.INT8
      ? Number
      : pg.types.getTypeParser(...expected)) as typeof pg.types.getTypeParser,
}

interface QueryOptions {
  /** False: planned each time, for a pooler that gives each statement another connection. */
  named: boolean
  timeoutMs: number
}

/** The driver takes the member, its types do not know it. */
type Query = pg.QueryConfig & { query_timeout?: number }
type Send = (query: Query) => Promise<pg.QueryResult<object>>

/** Our statements over one connection. */
const queryable = (send: Send, { named, timeoutMs }: QueryOptions): Queryable => ({
  async query<Row>({ name, text }: Statement<Values, Row>, values: Values = []) {
    const query = { text, values: [...values], types, query_timeout: timeoutMs }
    const { rows } = await send(named ? { name, ...query } : query)
    return rows as Row[]
  },
})

export interface Connection extends Queryable {
  /** Statements without values. */
  run(sql: string): Promise<void>
  close(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 10_000

/** A failover can leave a connection silent: neither it nor a query on it may wait for ever. */
export const connectionOptions = (url: string, name: string, { client }: TimeLimits) => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  query_timeout: client,
  application_name: name,
})

/** One connection of its own for long work with temporary tables; it is none of the pool's. Requires a direct connection, without a pooler. */
export async function openConnection({ url, onError, name }: ConnectionOptions): Promise<Connection> {
  const client = new pg.Client(connectionOptions(url, name, LONG))
  client.on('error', onError)
  try {
    await client.connect()
    await client.query(setLimits(LONG, 'SET'))
  } catch (error) {
    await client.end()
    throw error
  }
  return {
    // Each statement is a transaction of its own here.
    ...queryable((query) => rerunAborted(() => client.query(query)), { named: true, timeoutMs: LONG.client }),
    run: async (sql) => void (await client.query(sql)),
    close: () => client.end(),
  }
}

export interface ConnectionOptions {
  url: string
  name: string
  onError(error: Error): void
}

export interface DatabaseOptions {
  url: string
  connections: number
  /** The client's wait for a statement, ms; the server's limits follow from it. */
  timeoutMs?: number
  /** A pooler stands before the server: limits are those of the role, since its connections are shared. */
  pooled?: boolean
  namedStatements?: boolean
  onError(error: Error): void
  /** Called with each error of a statement that changes something. */
  onWriteFailed?(error: Error): void
}

/** Of a statement that changes something. */
const WRITES = /\b(INSERT|UPDATE|DELETE)\b/

function openPool({ url, connections, pooled = false, onError }: DatabaseOptions, limits: TimeLimits): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOptions(url, 'push-server', limits),
    max: connections,
    // Before its first use, in one round trip. At the start of the connection PgBouncer would refuse them.
    // The pool waits for the promise, which its types do not know.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: (client) => (pooled ? undefined : readSession(client, setLimits(limits, 'SET'))),
  })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', onError)
  return pool
}

export function openDatabase(options: DatabaseOptions): Database {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, namedStatements: named = true } = options
  const limits = limitsOf(timeoutMs)
  const pool = openPool(options, limits)

  /** Lends a connection of the pool. */
  async function lend<T>(work: (lent: Lent) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    // A connection in use that breaks emits its error here as well; without a listener it would end the process.
    client.on('error', options.onError)
    let broken: Error | undefined
    const send: Send = (query) =>
      client.query(query).catch((error: Error) => {
        if (isBroken(error)) broken = error
        if (WRITES.test(query.text)) options.onWriteFailed?.(error)
        throw error
      })
    try {
      return await work({ send, session: sessionOf(client), isBroken: () => broken !== undefined })
    } finally {
      client.off('error', options.onError)
      client.release(broken)
    }
  }

  /** A statement that is a transaction of its own. */
  const sendOnce: Send = (query) =>
    lend(async ({ send, session }) => {
      try {
        return await send(query)
      } catch (error) {
        throw WRITES.test(query.text) ? unconfirmed(error, session) : error
      }
    })
  const sendAlone: Send = (query) => rerunAborted(() => sendOnce(query))

  const transact = <T>(work: (connection: Queryable) => Promise<T>, own: TimeLimits): Promise<T> =>
    lend(async (lent) => {
      const send = (text: string) => lent.send({ text, query_timeout: own.client })
      try {
        await send(own === limits ? 'BEGIN' : `BEGIN; ${setLimits(own, 'SET LOCAL')}`)
        const result = await work(queryable(lent.send, { named, timeoutMs: own.client }))
        await send('COMMIT').catch((error: unknown) => Promise.reject(unconfirmed(error, lent.session)))
        return result
      } catch (error) {
        // With its connection a transaction is rolled back by itself.
        if (!lent.isBroken()) await send('ROLLBACK').catch(options.onError)
        throw error
      }
    })

  // This is all that Prisma asks the pool for, so that its writes are treated as ours are.
  pool.query = sendAlone as typeof pool.query
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) })

  return {
    ...queryable(sendAlone, { named, timeoutMs }),
    prisma,
    limits,
    connections: () => connectionsOf(pool),
    transaction: (work, own = limits) => rerunAborted(() => transact(work, own)),
    async close() {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}

const connectionsOf = ({ totalCount, idleCount, waitingCount }: pg.Pool) => ({
  used: totalCount - idleCount,
  idle: idleCount,
  waiting: waitingCount,
})

interface Lent {
  send: Send
  session: Session | undefined
  isBroken(): boolean
}

const unconfirmed = (error: unknown, session: Session | undefined): unknown =>
  isResponseLost(error) ? new UnconfirmedWrite(error, session) : error
