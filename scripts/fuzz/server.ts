// `npm start` in a process of its own, on free ports and a folder that goes with it, whose heap can be measured.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../packages/testing/src/index.ts'

/** For what hangs, not for what is slow. */
const READY_WITHIN_MS = 300_000
const LOG_KEPT = 20_000

export interface FuzzedServer {
  port: number
  /** Bytes in use after a forced collection. */
  heap(): Promise<number>
  /** The end of what it has written. */
  log(): string
  isRunning(): boolean
  stop(): Promise<void>
}

/** `environment` goes over the settings of `npm start`. */
export async function startServer(environment: Readonly<Record<string, string>> = {}): Promise<FuzzedServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'push-fuzz-'))
  const port = await freePort()
  const settings = { DATA_DIR: dataDir, PORT: String(port), SIMULATOR_PORT: String(await freePort()) }
  // Random imports come many at once, and all of one caller: what is refused for their number says nothing of them.
  const bounds = { IMPORT_CONCURRENCY: '100', IMPORT_CONCURRENCY_PER_CALLER: '100' }
  const launcher = ['--expose-gc', '--import', './scripts/fuzz/heap.ts', 'services/standalone/src/main.ts']
  const child = spawn(process.execPath, launcher, {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      PATH: process.env.PATH ?? '',
      SYNC_TIMEOUT: '2s',
      LOG_PRETTY: 'false',
      ...bounds,
      ...settings,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  const closed = once(child, 'close')
  let log = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-LOG_KEPT)))
  const isRunning = () => child.exitCode === null && child.signalCode === null

  async function stop(): Promise<void> {
    if (isRunning()) child.kill('SIGTERM')
    await closed
    process.off('exit', kill)
    await rm(dataDir, { recursive: true, force: true })
  }

  try {
    await isReady(port, isRunning)
  } catch (error) {
    await stop()
    throw new Error(`The server did not start:\n${log}`, { cause: error })
  }
  return {
    port,
    log: () => log,
    isRunning,
    stop,
    async heap() {
      const response = once(child, 'message')
      child.send('heap')
      const [bytes] = (await response) as [number]
      return bytes
    },
  }
}

async function isReady(port: number, isRunning: () => boolean): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (isRunning() && Date.now() < deadline) {
    const response = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined)
    if (response?.ok) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('not ready')
}
