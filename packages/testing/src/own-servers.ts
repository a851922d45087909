// Servers that belong to one test, which may kill them: what others share must not go down. Both come back on their port.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { startPostgres, type EmbeddedPostgres } from '@push-server/embedded-postgres'
import { ConfigError } from '@push-server/runtime'
import { bound, endProcess } from './child-process.ts'
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

/** With its log (`appendOnly`) it comes back with what it had, otherwise empty. Requires `redis-server`. */
export async function startOwnRedis({ appendOnly }: { appendOnly: boolean }): Promise<OwnServer> {
  await using opening = new AsyncDisposableStack()
  const dir = await mkdtemp(join(tmpdir(), 'push-redis-'))
  opening.defer(() => rm(dir, { recursive: true, force: true }))
  const port = await freePort()
  const keeping = ['--save', '', '--appendonly', appendOnly ? 'yes' : 'no']
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...keeping]
  let child: ChildProcess | undefined

  const kill = async () => void (child && (await endProcess(child, 'SIGKILL')))
  const start = async () => {
    child = await spawnRedis(flags)
  }
  await start()
  opening.defer(kill)
  const opened = opening.move()
  return { url: `redis://127.0.0.1:${port}`, kill, start, close: () => opened.disposeAsync() }
}

/** A Redis that is ready. Rejects with a ConfigError that says what to install where there is none. */
export async function spawnRedis(flags: readonly string[]): Promise<ChildProcess> {
  const child = bound(spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    await once(child, 'spawn')
  } catch (cause) {
    throw new ConfigError(
      'redis-server could not be started. Install it, with `apt-get install redis-server` or `brew install redis`.',
      { cause },
    )
  }
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
