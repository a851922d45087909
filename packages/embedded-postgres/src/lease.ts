// Leases on a running server: each process that uses it holds one connection with a shared advisory lock, which ends with the process
// however that dies. A process that leaves and finds no other lock is the last one, and stops the server.
import { Client } from 'pg'

/** Any number will do that nobody else locks in the database `postgres` of this server. */
const LOCK = 7_304_111_902
const CONNECT_WITHIN_MS = 5_000

export interface Lease {
  /** True when no other process uses the server; it then stays locked against new ones until it stops. */
  leave(): Promise<boolean>
  close(): Promise<void>
}

/** Undefined when no server responds at `url`, or it is starting or stopping. */
export async function takeLease(url: string): Promise<Lease | undefined> {
  let client = await connect(url)
  if (!client || !(await locksShared(client))) {
    await client?.end()
    return undefined
  }
  return {
    async leave() {
      // A server that crashed and recovered has dropped this connection and is still ours to stop.
      if (client?.lost) client = await connect(url)
      else await client?.query('SELECT pg_advisory_unlock_shared($1)', [LOCK])
      const response = await client?.query<{ last: boolean }>('SELECT pg_try_advisory_lock($1) AS last', [LOCK])
      return response?.rows[0]?.last ?? false
    },
    async close() {
      await client?.end()
    },
  }
}

class LeaseClient extends Client {
  lost = false
}

async function connect(url: string): Promise<LeaseClient | undefined> {
  const client = new LeaseClient({
    connectionString: url,
    application_name: 'embedded-postgres lease',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
  })
  client.on('error', () => (client.lost = true))
  try {
    await client.connect()
    return client
  } catch (error) {
    if ((error as { code?: string }).code?.startsWith('28'))
      throw new Error('PostgreSQL refuses the password that is kept beside its data', { cause: error })
    return undefined
  }
}

/** False when the server stops meanwhile: the last process holds the lock alone while it stops the server. */
async function locksShared(client: Client): Promise<boolean> {
  return client.query('SELECT pg_advisory_lock_shared($1)', [LOCK]).then(
    () => true,
    () => false,
  )
}
