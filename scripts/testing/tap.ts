// Runs test files under tap, in a process group of its own, and reports as they finish.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeOnce } from '../setup/stamp.mjs'
import { quietly, step } from '../setup/step.mjs'
import { createTapReport, type Totals } from './tap-report.ts'

const TAP = 'node_modules/tap/dist/esm/run.mjs'
const END_WITHIN_MS = 3_000

export interface TapOptions {
  /** None: every test file. */
  files: readonly string[]
  coverage: boolean
  env: NodeJS.ProcessEnv
  /** Ends the run early; what has been reported until then counts. */
  signal: AbortSignal
}

/** Resolves with `failed` above zero whenever anything went wrong. */
export async function runTap({ files, coverage, env, signal }: TapOptions): Promise<Totals> {
  await buildTap()
  const covering = coverage ? '--coverage-report=none' : '--disable-coverage'
  const flags = ['run', '--reporter=tap', covering, ...files]
  const tap = spawn(process.execPath, [TAP, ...flags], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const exit = once(tap, 'exit')
  const kill = () => void killGroup(tap)
  signal.addEventListener('abort', kill)
  const report = createTapReport((line) => process.stdout.write(`${line}\n`))
  for await (const text of tap.stdout.setEncoding('utf8')) report.parser.write(String(text))
  report.parser.end()
  const [code] = await exit
  signal.removeEventListener('abort', kill)
  if (code !== 0 && report.totals.failed === 0) report.totals.failed++
  if (coverage) await printCoverage()
  return report.totals
}

/** tap writes its class from its plugins on the first run, but that run still uses the old one: so build it before. */
async function buildTap(): Promise<void> {
  const expected = { name: 'tap', inputs: ['.taprc', 'pnpm-lock.yaml'], product: '.tap/plugins/package.json' }
  await makeOnce(expected, () => step('Preparing the test runner', () => quietly(process.execPath, [TAP, 'build'])))
}

/** tap itself waits for its tests, whatever signal it gets. */
async function killGroup(tap: ChildProcess): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (tap.pid === undefined || tap.exitCode !== null || tap.signalCode !== null) return
    process.kill(-tap.pid, signal)
    await sleep(END_WITHIN_MS)
  }
}

async function printCoverage(): Promise<void> {
  await once(spawn(process.execPath, [TAP, 'report', 'text', '--show-full-coverage'], { stdio: 'inherit' }), 'exit')
}
