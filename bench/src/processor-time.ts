// What Linux says of a process's processor time and memory. Elsewhere, and of a process that has ended, there is no figure.
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks per second of /proc, which Linux has shown to programs for decades. */
const TICKS = 100
/** For a process whose children come and go faster than they are read. */
const ATTEMPTS = 5

/** Seconds of the process, of its children that have ended and were waited for, and of those that run. */
export function processorTime(pid: number | undefined): number | undefined {
  const own = ownTime(pid)
  if (pid === undefined || own === undefined) return undefined
  for (let attempt = 1; ; attempt++) {
    const children = childrenOf(pid)
    const ofChildren = children.reduce((sum, child) => sum + (processorTime(child) ?? 0), 0)
    const total = (ownTime(pid) ?? own) + ofChildren
    // A child that ended meanwhile is in neither figure or in both.
    if (attempt === ATTEMPTS || childrenOf(pid).join() === children.join()) return total
  }
}

/** Most memory the process has held so far, MB. */
export function peakMemory(pid: number | undefined): number | undefined {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(procFile(pid, 'status') ?? '') ?? []
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

/** Its own, and that of children that were waited for. */
function ownTime(pid: number | undefined): number | undefined {
  const [, rest] = procFile(pid, 'stat')?.split(') ') ?? []
  if (pid === undefined || rest === undefined) return undefined
  const [user = 0, system = 0, userOfEnded = 0, systemOfEnded = 0] = rest.split(' ').slice(11, 15).map(Number)
  // Ticks are cut off to 10 ms, which is too coarse for dozens of idle backends; threads that have ended are in them alone.
  return Math.max((user + system) / TICKS, preciseTime(pid)) + (userOfEnded + systemOfEnded) / TICKS
}

/** Of the threads that run; 0 where the kernel does not count them. */
function preciseTime(pid: number): number {
  const nanoseconds = threadsOf(pid).map((thread) => parseInt(procFile(pid, `task/${thread}/schedstat`) ?? '0', 10))
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e9
}

const childrenOf = (pid: number): number[] =>
  threadsOf(pid)
    .flatMap((thread) => procFile(pid, `task/${thread}/children`)?.split(' ').filter(Boolean) ?? [])
    .map(Number)

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

function procFile(pid: number | undefined, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    // Another system, or the process is gone.
    return undefined
  }
}
