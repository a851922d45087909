// Where imports gather their lines before any of them counts: temporary tables on a connection of their own.
import { openConnection, type Connection } from './database.ts'

export interface StagingOptions {
  url: string
  onError(error: Error): void
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
