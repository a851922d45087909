// Where the keys and quotas are: in the database of DATABASE_URL, else in the one that `npm start` keeps.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startPostgres } from '@push-server/embedded-postgres'
import { printable, readConfig, type Environment } from '@push-server/runtime'
import { migrate, openApiKeyStore, type ApiKeyStore } from '@push-server/store'

/** Migrates the database first, as the services do: keys may be made before anything else has run. */
export async function withApiKeys(
  environment: Environment,
  work: (store: ApiKeyStore) => Promise<void>,
): Promise<void> {
  const { url, leave } = await reachDatabase(environment)
  try {
    await migrate(url)
    const store = openApiKeyStore({ url, onError: (error) => process.stderr.write(`${printable(error.message)}\n`) })
    try {
      await work(store)
    } finally {
      await store.close()
    }
  } finally {
    await leave()
  }
}

async function reachDatabase(environment: Environment): Promise<{ url: string; leave(): Promise<void> }> {
  const { databaseUrl, databaseUrlDirect, dataDir } = readConfig(environment)
  const kept = join(resolve(dataDir), 'postgres')
  if (databaseUrl === undefined && existsSync(kept)) {
    // Joins the server that `npm start` runs, if it runs.
    const server = await startPostgres({ dir: kept })
    return { url: server.url, leave: server.stop }
  }
  const url = databaseUrlDirect ?? readConfig(environment, ['databaseUrl']).databaseUrl
  return { url, leave: async () => {} }
}
