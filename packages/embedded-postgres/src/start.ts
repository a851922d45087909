// Starts PostgreSQL below a folder, or adopts the one that runs there: after `kill -9` of its starter, or a second start.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster, type Cluster } from './cluster.ts'
import { takeLease, type Lease } from './lease.ts'
import { launch, readPostmaster, stopPostmaster } from './postmaster.ts'
import { findPrograms, type Command } from './programs.ts'

const BUSY_FOR_MS = 30_000
const RETRY_MS = 50

export interface EmbeddedPostgresOptions {
  /** Holds everything: data, password and log. Made when missing. */
  dir: string
  /** Of the loopback interface. 0, the default, takes a free one. A server that is adopted keeps its own. */
  port?: number
  /** Settings of postgresql.conf, by name. A server that is adopted keeps its own. */
  settings?: Readonly<Record<string, string>>
  /** The folder of `initdb` and `postgres`, where another version than the one of the npm package is to run. */
  programs?: string
}

export interface EmbeddedPostgres {
  /** With the password; user and database are both `postgres`. */
  url: string
  /** Process of the server. */
  pid: number
  /** The server was already running. */
  adopted: boolean
  /** Leaves the server; it stops when no other process uses it. */
  stop(): Promise<void>
}

/** Throws when PostgreSQL cannot run here or its port is taken; the message says what to do. */
export async function startPostgres({
  dir,
  port = 0,
  settings = {},
  programs,
}: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { initdb, postgres } = await findPrograms(programs)
  const cluster = await openCluster(dir, initdb)
  const deadline = Date.now() + BUSY_FOR_MS
  let adopted = true
  for (;;) {
    const joined = await joinRunning(cluster)
    if (joined) return running({ cluster, adopted, ...joined })
    // The pid file of a killed server counts until its children have gone, about a second: try again meanwhile.
    adopted = (await launchOn(port, { cluster, postgres, settings })) !== 'ready'
    if (adopted && Date.now() > deadline) throw new Error(busyMessage(cluster))
    if (adopted) await sleep(RETRY_MS)
  }
}

interface Joined {
  url: string
  pid: number
  lease: Lease
}

async function joinRunning(cluster: Cluster): Promise<Joined | undefined> {
  const postmaster = await readPostmaster(cluster.data)
  if (!postmaster?.ready) return undefined
  const url = `postgres://postgres:${cluster.password}@127.0.0.1:${postmaster.port}/postgres`
  const lease = await takeLease(url)
  return lease && { url, pid: postmaster.pid, lease }
}

interface LaunchContext {
  cluster: Cluster
  postgres: Command
  settings: Readonly<Record<string, string>>
}

async function launchOn(port: number, { cluster, ...options }: LaunchContext): Promise<'ready' | 'busy'> {
  const launched = await launch(cluster, { ...options, port: port || (await freePort()) })
  if (launched !== 'port-taken') return launched
  if (port) throw new Error(`PostgreSQL did not start: port ${port} is taken by another program`)
  return 'busy'
}

interface Running extends Joined {
  cluster: Cluster
  adopted: boolean
}

function running({ cluster, url, adopted, pid, lease }: Running): EmbeddedPostgres {
  const leave = async () => {
    try {
      if (await lease.leave()) await stopPostmaster(cluster.data, pid)
    } finally {
      await lease.close()
    }
  }
  let left: Promise<void> | undefined
  return { url, pid, adopted, stop: () => (left ??= leave()) }
}

/** Another program may take the port before PostgreSQL does: the caller retries. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function busyMessage({ data }: Cluster): string {
  const file = `${data}/postmaster.pid`
  return `PostgreSQL did not start: ${file} says that another one has this folder, but none responds. If none runs, delete that file.`
}
