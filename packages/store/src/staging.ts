// Where imports gather their lines before any of them counts: temporary tables on a connection of their own.
import { openConnection, type Connection } from './database.ts'

export interface StagingOptions {
  url: string
  onError(error: Error): void
}

/** `tables`: what makes them. They end with the connection, whatever happens. */
export async function openStaging(options: StagingOptions, tables: string): Promise<Connection> {
  const connection = await openConnection({ ...options, name: 'push-server import' })
  try {
    await connection.run(tables)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}
