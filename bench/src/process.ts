// Processes of a benchmark: started, looked at while they run, and stopped.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface BenchProcess {
  name: string
  /** Most memory it has held so far, MB; of Linux only. */
  peakMemory(): number | undefined
  /** Processor time so far, seconds; of Linux only. */
  processorTime(): number | undefined
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

function watched(name: string, child: ChildProcess): BenchProcess {
  return {
    name,
    peakMemory() {
      const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(procFile(child.pid, 'status') ?? '') ?? []
      return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
    },
    processorTime() {
      const [, rest] = procFile(child.pid, 'stat')?.split(') ') ?? []
      const [user, system] = rest?.split(' ').slice(11, 13) ?? []
      return user === undefined ? undefined : (Number(user) + Number(system)) / TICKS
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** A service by its launcher, in exactly this environment. */
export function startService(name: string, environment: Record<string, string>, label = name): BenchProcess {
  const child = spawn(process.execPath, [`services/${name}/src/main.ts`], {
    cwd: root,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  return watched(label, child)
}

/** A script that prints one line once it is ready; resolves with that line. */
export async function startScript(script: string, args: readonly string[] = []) {
  const child = spawn(process.execPath, [`bench/src/${script}`, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) return { line, process: watched(script, child) }
  throw new Error(`${script} ended without a word`)
}

/** A server program, ready once one of its lines has `word` in it. */
export async function startProgram(program: string, args: readonly string[], word: string): Promise<BenchProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface(child.stdout)) {
    if (!line.includes(word)) continue
    child.stdout.resume()
    return watched(program, child)
  }
  throw new Error(`${program} did not start`)
}
