// PostgreSQL's own counts of what was done between two moments: time, processor time, log, updates by table, scans by index.
import { Client, type QueryResultRow } from 'pg'
import { secondsOf, type WatchedProcess } from '../processes.ts'

export interface TableCounts {
  table: string
  inserts: number
  updates: number
  /** Updates that wrote no index. */
  hot: number
  /** With its indexes. */
  bytes: number
}

export interface Counts {
  seconds: number
  /** Of PostgreSQL's processes. */
  cpuSeconds: number
  walBytes: number
  /** A session reports once a second: what it did last may be missing, so that only ratios count. */
  tables: TableCounts[]
  multixacts: number
}

export interface Probe {
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Counts from 0. */
  begin(): Promise<void>
  end(): Promise<Counts>
  close(): Promise<void>
}

const TABLES = `SELECT s.relname AS table, n_tup_ins::int AS inserts, n_tup_upd::int AS updates, n_tup_hot_upd::int AS hot,
    pg_total_relation_size(s.relid)::float8 AS bytes
  FROM pg_stat_user_tables s WHERE n_tup_ins + n_tup_upd > 0 ORDER BY n_tup_ins DESC`
const WAL = `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes`
const MULTIXACTS = 'SELECT next_multixact_id::text::float8 AS next FROM pg_control_checkpoint()'

export async function openProbe(url: string, postgres: WatchedProcess): Promise<Probe> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const query = async <Row extends QueryResultRow>(sql: string, values: unknown[] = []) =>
    (await client.query<Row>(sql, values)).rows
  const first = async <Row extends QueryResultRow>(sql: string) => {
    const [row] = await query<Row>(sql)
    if (!row) throw new Error(`No row: ${sql}`)
    return row
  }
  const read = async () => {
    const [cpuSeconds, at] = [secondsOf(postgres), performance.now()]
    return { cpuSeconds, at, wal: await first<{ bytes: number }>(WAL) }
  }
  let begun: Awaited<ReturnType<typeof read>> | undefined
  let multixacts = 0
  return {
    query,
    async begin() {
      await query('CHECKPOINT')
      multixacts = (await first<{ next: number }>(MULTIXACTS)).next
      await query('SELECT pg_stat_reset()')
      begun = await read()
    },
    async end() {
      const now = await read()
      if (!begun) throw new Error('Nothing has begun')
      const tables = await query<TableCounts>(TABLES)
      await query('CHECKPOINT')
      return {
        seconds: (now.at - begun.at) / 1000,
        cpuSeconds: now.cpuSeconds - begun.cpuSeconds,
        walBytes: now.wal.bytes - begun.wal.bytes,
        multixacts: (await first<{ next: number }>(MULTIXACTS)).next - multixacts,
        tables,
      }
    },
    close: () => client.end(),
  }
}
