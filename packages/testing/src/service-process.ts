// A service in a process of its own, as production runs it, to be killed at will.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { bound, endProcess } from './child-process.ts'
import { THIS_TREE, type Tree } from './trees.ts'

export interface ServiceProcess {
  pid: number
  /** SIGKILL: no chance to put anything in order. */
  kill(): Promise<void>
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>
  /** Resolves when it has ended, however that came. */
  ended: Promise<void>
}

/** Code that the tests' own processes have compiled already halves the processor time of a start. */
const { PATH = '', NODE_COMPILE_CACHE } = process.env
const SURROUNDINGS = { PATH, ...(NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE }) }

/** Runs the service's launcher, of this tree by default, with exactly this environment. */
export function spawnService(
  name: string,
  environment: Record<string, string>,
  tree: Tree = THIS_TREE,
): ServiceProcess {
  const child = bound(
    spawn(process.execPath, [`services/${name}/src/main.ts`], {
      cwd: tree.root,
      env: { ...SURROUNDINGS, ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    }),
  )
  const ended = once(child, 'exit').then(() => undefined)
  const { pid } = child
  if (pid === undefined) throw new Error(`${name} could not be started`)
  return {
    pid,
    kill: async () => void (await endProcess(child, 'SIGKILL')),
    stop: () => endProcess(child, 'SIGTERM'),
    ended,
  }
}
