// PgBouncer in transaction mode before a PostgreSQL of a test: each transaction of a client may run on another connection.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { waitFor } from './wait-for.ts'

export interface PgBouncer {
  /** The server's URL with the port of PgBouncer: any of its databases can be named. */
  url: string
  close(): Promise<void>
}

/** For tap: why tests that need it are skipped here. Where TEST_PGBOUNCER requires it they fail instead. */
export const skipPgBouncer: string | false =
  process.env.TEST_PGBOUNCER !== 'required' && spawnSync('pgbouncer', ['--version']).error !== undefined
    ? 'no PgBouncer here: install pgbouncer'
    : false

/** `server`: URL of a PostgreSQL on this machine, of a role that may connect to all of its databases. */
export async function startPgBouncer(server: string, connections: number): Promise<PgBouncer> {
  const origin = new URL(server)
  const url = new URL(server)
  const port = await freePort()
  url.port = String(port)
  const dir = await mkdtemp(join(tmpdir(), 'push-pgbouncer-'))
  const file = join(dir, 'pgbouncer.ini')
  await writeFile(
    file,
    `[databases]
* = host=127.0.0.1 port=${origin.port} user=${origin.username} password='${decodeURIComponent(origin.password)}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
query_wait_timeout = 4
`,
  )
  // It refuses to run as root.
  const asNobody = process.getuid?.() === 0 ? ['--user=nobody'] : []
  for (const path of [dir, file]) await chmod(path, 0o755)
  const child = spawn('pgbouncer', [...asNobody, file], { stdio: ['ignore', 'ignore', 'ignore'] })
  const ended = once(child, 'exit')
  await waitFor('PgBouncer', () => {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`)
    return accepts(port)
  })
  return {
    url: url.href,
    async close() {
      child.kill('SIGKILL')
      await ended
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    return await once(socket, 'connect').then(
      () => true,
      () => false,
    )
  } finally {
    socket.destroy()
  }
}
