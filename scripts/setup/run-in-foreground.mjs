// Runs the command itself, in sight, and passes signals on to it, so that Ctrl-C stops a server in good order.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { PARENT, PIPE } from './end-with-parent.mjs'

const END_WITH_PARENT = new URL('end-with-parent.mjs', import.meta.url).href

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const SAME_SIGNAL_MS = 500
const PARENT_POLL_MS = 500

/** Runs `program`, which is Node.js. Returns the exit code, as a shell would count it. */
export async function runInForeground(program, args) {
  // A process group of its own: on Ctrl-C the terminal signals its whole group and npm signals its child once more, and
  // a server may take the second signal for impatience. Only this process gets both, and passes one on.
  const detached = process.platform !== 'win32'
  const child = spawn(program, ['--import', END_WITH_PARENT, ...args], {
    // Nothing is ever written into the last: its end says that this process has ended.
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [PARENT]: String(process.pid) },
    detached,
  })
  child.stdio[PIPE].on('error', () => {})
  const exit = once(child, 'exit')
  const last = {}
  const passOn = (signal) => {
    const since = performance.now() - (last[signal] ?? -Infinity)
    if (since < SAME_SIGNAL_MS || child.exitCode !== null || child.signalCode !== null) return
    last[signal] = performance.now()
    if (detached) process.kill(-child.pid, signal)
    else child.kill(signal)
  }
  for (const signal of SIGNALS) process.on(signal, passOn)
  const watch = whenNpmEnds(() => passOn('SIGTERM'))
  const [code, signal] = await exit
  clearInterval(watch)
  for (const signal of SIGNALS) process.off(signal, passOn)
  return code ?? 128 + constants.signals[signal]
}

/** A signal that ends npm ends only the shell between it and us, and would leave the command running. */
function whenNpmEnds(act) {
  if (!process.env.npm_lifecycle_event) return undefined
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    act()
  }, PARENT_POLL_MS)
  return watch
}
