// What a load does to PostgreSQL, by PostgreSQL's own counts: statements, transactions that write, and bytes of its log. What is
// asked for here is not counted.
import { Client, type QueryResultRow } from 'pg'

export interface Database {
  /** Its statements are counted from 0 from here on. */
  begin(): Promise<void>
  /** Since `begin`. */
  counts(): Promise<Counts>
  /** The statements that took most time, since `begin`. */
  dearest(): Promise<DearStatement[]>
  query(text: string): Promise<QueryResultRow[]>
  close(): Promise<void>
}

export interface Counts {
  statements: number
  /** Transactions that wrote something. */
  commits: number
  walBytes: number
}

export interface DearStatement {
  text: string
  calls: number
  plans: number
  milliseconds: number
}

/** Transactions without an id of their own have written nothing, and their COMMIT waits for no disk. */
const COUNTS = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS wal,
  pg_snapshot_xmax(pg_current_snapshot())::text::float8 AS transactions,
  (SELECT coalesce(sum(calls), 0)::float8 FROM pg_stat_statements) AS statements`
const DEAREST = `SELECT query AS text, calls::float8, plans::float8,
  total_exec_time + total_plan_time AS milliseconds FROM pg_stat_statements ORDER BY 4 DESC LIMIT 5`

interface Position {
  wal: number
  transactions: number
  statements: number
}

export async function openDatabase(url: string): Promise<Database> {
  const client = new Client({ connectionString: url })
  // A server that stops ends the session: what is queried then rejects by itself.
  client.on('error', () => {})
  await client.connect()
  const query = async (text: string) => (await client.query<QueryResultRow>(text)).rows
  await query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  await query(`SET pg_stat_statements.track = 'none'`)
  const position = async () => (await query(COUNTS))[0] as Position
  let begun: Position | undefined
  return {
    async begin() {
      await query('SELECT pg_stat_statements_reset()')
      begun = await position()
    },
    async counts() {
      const now = await position()
      return {
        statements: now.statements,
        commits: now.transactions - (begun?.transactions ?? 0),
        walBytes: now.wal - (begun?.wal ?? 0),
      }
    },
    dearest: async () => (await query(DEAREST)) as DearStatement[],
    query,
    close: () => client.end(),
  }
}
