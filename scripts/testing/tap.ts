// Runs test files and reports as they finish: by tap's own runner where it is to measure coverage, otherwise by ours.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { makeOnce } from '../setup/stamp.mjs'
import { quietly, step } from '../setup/step.mjs'
import { killGroup, runFiles } from './run-files.ts'
import { createTapReport, type Totals } from './tap-report.ts'
import { longestFirst, type TestRun } from './test-files.ts'

const TAP = 'node_modules/tap/dist/esm/run.mjs'

export interface TapOptions {
  /** None: every test file. */
  files: readonly string[]
  /** How each of them is run. */
  as?: Omit<TestRun, 'file'> | undefined
  /** Further runs beside those of the files. */
  also?: readonly TestRun[] | undefined
  coverage: boolean
  env: NodeJS.ProcessEnv
  /** Ends the run early; what has been reported until then counts. */
  signal: AbortSignal
}

/** Of `.taprc`, in its words. */
interface TapSettings {
  include: string[]
  jobs: number
  /** Seconds. */
  timeout: number
}

/** Resolves with `failed` above zero whenever anything went wrong. */
export async function runTap(options: TapOptions): Promise<Totals> {
  await buildTap()
  const report = createTapReport((line) => process.stdout.write(`${line}\n`))
  const write = (tap: string) => void report.parser.write(tap)
  const code = options.coverage ? await measureCoverage(options, write) : await run(options, write)
  report.parser.end()
  if (code !== 0 && report.totals.failed === 0) report.totals.failed++
  if (options.coverage) await printCoverage()
  return report.totals
}

async function run({ files, as, also = [], env, signal }: TapOptions, write: (tap: string) => void): Promise<number> {
  const { include, jobs, timeout } = parse(readFileSync('.taprc', 'utf8')) as TapSettings
  const paths = (files.length > 0 ? files : include).flatMap((path) => (/[*?{]/.test(path) ? globSync(path) : [path]))
  const runs = longestFirst([...paths.map((file) => ({ file, ...as })), ...also])
  await runFiles({ files: runs, jobs, timeoutMs: timeout * 1000, env, signal, write })
  return signal.aborted ? 1 : 0
}

/** In a process group of its own. */
async function measureCoverage({ files, env, signal }: TapOptions, write: (tap: string) => void): Promise<number> {
  const flags = ['run', '--reporter=tap', '--coverage-report=none', ...files]
  const tap = spawn(process.execPath, [TAP, ...flags], { env, stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  const exit = once(tap, 'exit')
  const kill = () => void killGroup(tap)
  signal.addEventListener('abort', kill)
  for await (const text of tap.stdout.setEncoding('utf8')) write(String(text))
  const [code] = (await exit) as [number | null]
  signal.removeEventListener('abort', kill)
  return code ?? 1
}

/** tap writes its class from its plugins on the first run, but that run still uses the old one: so build it before. */
async function buildTap(): Promise<void> {
  const expected = { name: 'tap', inputs: ['.taprc', 'pnpm-lock.yaml'], product: '.tap/plugins/package.json' }
  await makeOnce(expected, () => step('Preparing the test runner', () => quietly(process.execPath, [TAP, 'build'])))
}

async function printCoverage(): Promise<void> {
  await once(spawn(process.execPath, [TAP, 'report', 'text', '--show-full-coverage'], { stdio: 'inherit' }), 'exit')
}
