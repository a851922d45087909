// Starts the two sides of a measurement, each on a core of its own where `taskset` can see to that.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadReport } from './load-process.ts'
import type { Measurement, PushOrder } from './push-process.ts'
import type { Contender, Scenario } from './scenarios.ts'

const PINS = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0
const CORES = { push: '0', load: '1' }
const here = (file: string) => join(import.meta.dirname, file)

interface StartOptions {
  core: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
}

function start({ core, args, env }: StartOptions): ChildProcess {
  const [command = '', ...rest] = [...(PINS ? ['taskset', '-c', core] : []), process.execPath, ...args]
  return spawn(command, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env: { ...process.env, ...env } })
}

export interface LoadProcess {
  port: number
  caFile: string
  report(): Promise<LoadReport>
  stop(): void
}

export async function startLoad({ latencyMs, streams }: Scenario): Promise<LoadProcess> {
  const child = start({ core: CORES.load, args: [here('load-process.ts')] })
  child.send({ latencyMs, maxStreams: streams, names: ['fcm.googleapis.com'] })
  const [{ port, ca }] = (await once(child, 'message')) as [{ port: number; ca: string }]
  const folder = mkdtempSync(join(tmpdir(), 'push-bench-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, ca)
  return {
    port,
    caFile,
    async report() {
      child.send('report')
      const [report] = (await once(child, 'message')) as [LoadReport]
      return report
    },
    stop() {
      child.disconnect()
      rmSync(folder, { recursive: true })
    },
  }
}

export interface Times {
  warmUpMs: number
  measureMs: number
}

export interface Measure {
  contender: Contender
  streams: number
  times: Times
}

export async function runPush({ port, caFile }: LoadProcess, { contender, streams, times }: Measure) {
  const args = ['--require', here('redirect.cjs'), here('push-process.ts')]
  const env = { NODE_EXTRA_CA_CERTS: caFile, LOAD_PORT: String(port), NODE_ENV: 'production' }
  const child = start({ core: CORES.push, args, env })
  child.send({ ...contender, ...times, port, caFile, streams } satisfies PushOrder)
  const [measurement] = (await once(child, 'message')) as [Measurement]
  await once(child, 'exit')
  return measurement
}
