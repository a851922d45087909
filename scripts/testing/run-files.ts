// Runs each test file as a process of its own, some of them at a time, and writes one TAP of all, as tap's own runner does. That one
// also loads hooks for coverage and mocks into every process, those of services as well, which costs each half a second of
// processor time.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { nameOf, type TestRun } from './test-files.ts'

/** Between SIGTERM and SIGKILL. */
const END_WITHIN_MS = 3_000
/** After its time limit a file reports by itself what it was doing; after this it is killed. */
const REPORT_WITHIN_MS = 30_000

export interface RunOptions {
  /** In the order in which they start. */
  files: readonly TestRun[]
  /** How many run at a time. */
  jobs: number
  /** Time limit of a file that sets no other one. */
  timeoutMs: number
  env: NodeJS.ProcessEnv
  /** Ends the run early. */
  signal: AbortSignal
  write(tap: string): void
}

export async function runFiles({ files, jobs, ...options }: RunOptions): Promise<void> {
  const waiting = files.entries()
  const work = async (job: number): Promise<void> => {
    for (const [index, file] of waiting) {
      if (options.signal.aborted) return
      options.write(await runFile(file, { index, job }, options))
    }
  }
  await Promise.all(Array.from({ length: jobs }, (_, job) => work(job)))
  options.write(`1..${files.length}\n`)
}

/** Its place among all files, and the place among those that run at the same time. */
interface Place {
  index: number
  job: number
}

/** Resolves with its TAP, as that of a subtest. */
async function runFile(run: TestRun, { index, job }: Place, options: Omit<RunOptions, 'files' | 'jobs'>) {
  const since = performance.now()
  const name = nameOf(run)
  const { env, timeoutMs, signal } = options
  const numbers = { TAP_CHILD_ID: String(index), TAP_JOB_ID: String(job), TAP_TIMEOUT: String(timeoutMs / 1000) }
  const child = spawn(process.execPath, [run.file], {
    env: { ...env, ...run.env, ...numbers, TAP: '1' },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    // A group of its own: the services that it starts end with it.
    detached: true,
  })
  const closed = once(child, 'close')
  // A service that outlives its test would hold the pipe, and the run with it.
  child.once('exit', () => signalGroup(child, 'SIGKILL'))
  const kill = () => void killGroup(child)
  signal.addEventListener('abort', kill)
  const limit = limitTime(child, timeoutMs, kill)
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (more: string) => (text += more))
  const [exitCode, killedBy] = (await closed) as [number | null, NodeJS.Signals | null]
  limit.clear()
  signal.removeEventListener('abort', kill)

  const result = `${exitCode === 0 ? 'ok' : 'not ok'} ${index + 1} - ${name}`
  const time = `# time=${Math.round(performance.now() - since)}ms`
  const skipped = exitCode === 0 ? /^1\.\.0 #(.*)/m.exec(text) : null
  const end = skipped ? `${result} # SKIP${skipped[1]}\n` : `${result} ${time}\n`
  const diagnostics = { exitCode, signal: killedBy, expired: limit.expired() ? name : undefined }
  return `# Subtest: ${name}\n${indented(text)}${end}${exitCode === 0 ? '' : block(diagnostics)}`
}

/** The file may set another limit, which it tells as it would tell tap's runner. */
function limitTime(child: ChildProcess, timeoutMs: number, kill: () => void) {
  let expired = false
  const expire = () => {
    expired = true
    kill()
  }
  const start = (ms: number) => (ms > 0 ? setTimeout(expire, ms + REPORT_WITHIN_MS) : undefined)
  let timer = start(timeoutMs)
  child.on('message', (message: { setTimeout?: unknown } | null) => {
    if (typeof message?.setTimeout !== 'number') return
    clearTimeout(timer)
    timer = start(message.setTimeout)
  })
  return { clear: () => clearTimeout(timer), expired: () => expired }
}

/** Without a line of TAP the parser would not know a file that broke at its start from an assert. */
const indented = (tap: string) =>
  (tap || '1..0\n')
    .replace(/^TAP version \d+\n/, '')
    .replace(/(?<!\n)$/, '\n')
    .replaceAll(/^(?=.)/gm, '    ')

const block = (diagnostics: object) =>
  `  ---\n${stringify(diagnostics, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, '  ')}  ...\n`

/** tap waits for what a test has opened, whatever signal it gets. */
export async function killGroup(child: ChildProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    signalGroup(child, signal)
    await sleep(END_WITHIN_MS)
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch (error) {
    // Nobody is left in it.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
