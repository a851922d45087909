// Where imports gather their lines before any of them counts: temporary tables on a connection of their own.
import { openConnection, type Connection, type Queryable } from './database.ts'
import { isContended } from './errors.ts'

export interface StagingOptions {
  url: string
  onError(error: Error): void
}

/** Lines that cannot be applied: how many, and the first of them. */
export interface DroppedLines {
  count: number
  lines: number[]
}

export interface ImportCounts {
  imported: number
  updated: number
  /** Known, and left as it is. */
  kept: number
}

/** What every import does with its staged lines. */
export interface ApplyOptions {
  /** Once aborted, the import rejects with its reason after the batch under way. */
  signal: AbortSignal
  /** Counts what would be done, and changes nothing. */
  dryRun: boolean
}

/**
 * Connects with the first statement: an upload of a few slow lines holds no connection meanwhile. `tables`: what makes the
 * tables. They end with the connection, whatever happens.
 */
export function openStaging(options: StagingOptions, tables: string): Connection {
  let opening: Promise<Connection> | undefined
  const opened = () => (opening ??= connect(options, tables))
  return {
    query: async (statement, ...given) => (await opened()).query(statement, ...given),
    run: async (sql) => (await opened()).run(sql),
    async close() {
      // One that could not be opened has closed itself, and its first statement has said why.
      const connection = await opening?.catch(() => undefined)
      await connection?.close()
    },
  }
}

async function connect(options: StagingOptions, tables: string): Promise<Connection> {
  const connection = await openConnection({ ...options, name: 'push-server import' })
  try {
    await connection.run(tables)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

interface Batch<At> {
  imported: number
  updated: number
  total: number
  /** Where the next batch begins; null after the last one. */
  last: At | null
}

/**
 * Applies one batch after the other, each in a transaction of its own. A dry run takes each of them back: its counts come from the
 * statement that would do it. A batch that something stood in the way of is applied once more on what is there now.
 */
export async function applyBatches<At>(
  connection: Connection,
  { signal, dryRun, first }: ApplyOptions & { first: At },
  apply: (connection: Queryable, after: At) => Promise<Batch<At>>,
): Promise<ImportCounts> {
  const counts: ImportCounts = { imported: 0, updated: 0, kept: 0 }
  const attempt = (after: At) =>
    dryRun ? takenBack(connection, () => apply(connection, after)) : apply(connection, after)
  for (let after: At | null = first; after !== null;) {
    signal.throwIfAborted()
    const from: At = after
    const batch: Batch<At> = await attempt(from).catch((error: unknown) =>
      isContended(error) ? attempt(from) : Promise.reject(error),
    )
    counts.imported += batch.imported
    counts.updated += batch.updated
    counts.kept += batch.total - batch.imported - batch.updated
    after = batch.last
  }
  return counts
}

async function takenBack<T>(connection: Connection, work: () => Promise<T>): Promise<T> {
  await connection.run('BEGIN')
  try {
    return await work()
  } finally {
    await connection.run('ROLLBACK')
  }
}
