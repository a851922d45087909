// Servers that belong to one test, which may kill them: what others share must not go down. Both come back on their port.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startPostgres, type EmbeddedPostgres } from '@push-server/embedded-postgres'
import { freePort } from './free-port.ts'

export interface OwnServer {
  url: string
  /** At once, without a word to its clients; on disk is what it had written. */
  kill(): Promise<void>
  /** After `kill`: resolves when it is available again. */
  start(): Promise<void>
  /** For good. */
  close(): Promise<void>
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** With its log (`appendOnly`) it comes back with what it had, otherwise empty. Requires `redis-server`. */
export async function startOwnRedis({ appendOnly }: { appendOnly: boolean }): Promise<OwnServer> {
  const dir = await mkdtemp(join(tmpdir(), 'push-redis-'))
  const port = await freePort()
  const keeping = ['--save', '', '--appendonly', appendOnly ? 'yes' : 'no']
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...keeping]
  let child: ChildProcess | undefined

  async function kill() {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const start = async () => {
    child = await spawnRedis(flags)
  }
  await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    start,
    async close() {
      await kill()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

async function spawnRedis(flags: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  for await (const line of createInterface(child.stdout)) {
    if (!line.includes('Ready to accept connections')) continue
    child.stdout.resume()
    return child
  }
  throw new Error('redis-server did not start')
}

/** `settings` are those of postgresql.conf. Killed as by `pg_ctl stop -m immediate`: no checkpoint, recovery at the start. */
export async function startOwnPostgres(settings: Record<string, string> = {}): Promise<OwnServer> {
  const dir = await mkdtemp(join(tmpdir(), 'push-postgres-'))
  const servers: EmbeddedPostgres[] = [await startPostgres({ dir, settings })]
  const [{ url }] = servers as [EmbeddedPostgres]
  const port = Number(new URL(url).port)
  return {
    url,
    async kill() {
      const { pid } = servers.at(-1) as EmbeddedPostgres
      process.kill(pid, 'SIGQUIT')
    },
    async start() {
      // Waits for what is left of the one before.
      servers.push(await startPostgres({ dir, port, settings }))
    },
    async close() {
      for (const server of servers.toReversed()) await server.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}
