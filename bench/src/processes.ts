// Processes of a benchmark: started, on a core of their own where requested, measured while they run, and stopped.
import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bound, endProcess, THIS_TREE, type Tree } from '@push-server/testing'
import { peakMemory, processorTime } from './processor-time.ts'

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

/** One that somebody else has started. */
export const watch = (name: string, pid: number | undefined): WatchedProcess => ({
  name,
  peakMemory: () => peakMemory(pid),
  processorTime: () => processorTime(pid),
})

/** Processor time so far; throws where there is no figure, since nothing can be compared then. */
export function secondsOf(process: WatchedProcess): number {
  const seconds = process.processorTime()
  if (seconds === undefined)
    throw new Error(`No processor time of ${process.name}: has it ended? Only Linux reports it`)
  return seconds
}

export const watchChild = (name: string, child: ChildProcess): BenchProcess => ({
  ...watch(name, child.pid),
  stop: async () => void (await endProcess(child, 'SIGTERM')),
})

/** A service by the launcher of its tree, in exactly this environment. */
export function startService(name: string, environment: Record<string, string>, tree: Tree): BenchProcess {
  const child = spawn(process.execPath, [`services/${name}/src/main.ts`], {
    cwd: tree.root,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return watchChild(name, bound(child))
}

/** A script of this tree that prints one line once it is ready; resolves with that line. */
export async function startScript(script: string, args: readonly string[] = []) {
  const child = bound(
    spawn(process.execPath, [`bench/src/${script}`, ...args], {
      cwd: THIS_TREE.root,
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  for await (const line of createInterface(child.stdout)) return { line, process: watchChild(script, child) }
  throw new Error(`${script} ended without a word`)
}

const PINS = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0

export interface PinnedOptions {
  /** The one it runs on, where `taskset` can see to that. */
  core: number
  /** Whose packages it runs; this tree by default. */
  tree?: Tree
  /** Of Node.js, before the script. */
  flags?: readonly string[]
  env?: NodeJS.ProcessEnv
}

/** A script that is spoken with by messages. */
export function startPinned(script: string, { core, tree = THIS_TREE, flags = [], env }: PinnedOptions): ChildProcess {
  const pin = PINS ? ['taskset', '-c', String(core)] : []
  const [command = '', ...args] = [...pin, process.execPath, ...flags, ...programOf(script, tree)]
  const options: SpawnOptions = { cwd: THIS_TREE.root, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }
  return bound(spawn(command, args, { ...options, env: { ...process.env, BENCH_TREE: tree.root, ...env } }))
}

/** The tree's own script, which knows its packages best. One that it has not got is run with its packages all the same. */
function programOf(script: string, { root }: Tree): string[] {
  const own = join(root, 'bench/src', script)
  return existsSync(own) ? [own] : ['--import', './bench/src/tree-packages.ts', `bench/src/${script}`]
}

/** The next one. Rejects when the process ends without, as one does that cannot take its order. */
export async function messageFrom<Message>(child: ChildProcess, name: string): Promise<Message> {
  const ended = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`${name} ended with ${signal ?? `exit code ${code}`}`)
  })
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [Message]
  return message
}
