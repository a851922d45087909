// Processes of a benchmark: started, on a core of their own where asked, looked at while they run, and stopped.
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface WatchedProcess {
  name: string
  /** Most memory it has held so far, MB; of Linux only. */
  peakMemory(): number | undefined
  /** Processor time so far, its children's included, seconds; of Linux only. */
  processorTime(): number | undefined
}

export interface BenchProcess extends WatchedProcess {
  stop(): Promise<void>
}

const root = fileURLToPath(new URL('../../', import.meta.url))

const procFile = (pid: number | undefined, file: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // Another system, or the process is gone: there is no figure then.
    return undefined
  }
}

/** Clock ticks of Linux, which it has told programs for decades. */
const TICKS = 100

/** Of the process, of its children that have ended, and of those that run. */
function processorTime(pid: number | undefined): number | undefined {
  const [, rest] = procFile(pid, 'stat')?.split(') ') ?? []
  if (rest === undefined) return undefined
  const own = rest
    .split(' ')
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks), 0)
  const children = procFile(pid, `task/${pid}/children`)?.split(' ').filter(Boolean) ?? []
  return children.reduce((sum, child) => sum + (processorTime(Number(child)) ?? 0), own / TICKS)
}

/** One that somebody else has started. */
export const watch = (name: string, pid: number | undefined): WatchedProcess => ({
  name,
  peakMemory() {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(procFile(pid, 'status') ?? '') ?? []
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
  },
  processorTime: () => processorTime(pid),
})

const watchChild = (name: string, child: ChildProcess): BenchProcess => ({
  ...watch(name, child.pid),
  async stop() {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  },
})

/** A service by its launcher, in exactly this environment. */
export function startService(name: string, environment: Record<string, string>, label = name): BenchProcess {
  const child = spawn(process.execPath, [`services/${name}/src/main.ts`], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return watchChild(label, child)
}

/** A script that prints one line once it is ready; resolves with that line. */
export async function startScript(script: string, args: readonly string[] = []) {
  const child = spawn(process.execPath, [`bench/src/${script}`, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) return { line, process: watchChild(script, child) }
  throw new Error(`${script} ended without a word`)
}

/** A server program, ready once one of its lines has `word` in it. */
export async function startProgram(program: string, args: readonly string[], word: string): Promise<BenchProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout)) {
    if (!line.includes(word)) continue
    child.stdout.resume()
    return watchChild(program, child)
  }
  throw new Error(`${program} did not start`)
}

const PINS = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

export interface PinnedOptions {
  /** The one it runs on, where `taskset` can see to that. */
  core: number
  /** Of Node.js, before the script. */
  flags?: readonly string[]
  env?: NodeJS.ProcessEnv
}

/** A script that is spoken with by messages. */
export function startPinned(script: string, { core, flags = [], env }: PinnedOptions): ChildProcess {
  const pin = PINS ? ['taskset', '-c', String(core)] : []
  const [command, ...args] = [...pin, process.execPath, ...flags, `bench/src/${script}`]
  const options: SpawnOptions = { cwd: root, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
  return spawn(command, args, { ...options, env: { ...process.env, ...env } })
}
