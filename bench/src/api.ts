// `npm run bench:api [-- --quick]`: the price and the speed of single messages through the public API, everything as processes on
// this machine. `--cells a,b,c,d,e,f,g,h` chooses figures (docs/performance.md); `--operation`, `--devices`, `--applications`,
// `--connections`, `--latency` and `--provider` take lists and change cells a to d. Fails when a response was not 200, or a message
// did not arrive exactly once. Lists of `--workers` and `--gateways` measure each combination, as docs/scaling.md has them.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { PLATFORMS } from '@push-server/contract'
import { CELLS, expand, isCellName, latencyFrom, USUAL, type Cell, type Overrides } from './api/cells.ts'
import { measureFigures, type FigureName, type FiguresOptions } from './api/measure-figures.ts'
import { keepResults, machine } from './results.ts'
import { runBenchmark } from './run-benchmark.ts'
import { settingsFrom } from './settings-option.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    cells: { type: 'string' },
    messages: { type: 'string' },
    workers: { type: 'string', default: '1' },
    gateways: { type: 'string', default: '1' },
    /** redis or postgresql */
    backend: { type: 'string', default: 'redis' },
    /** Settings of the services: NAME=value, any number of them. */
    env: { type: 'string', multiple: true, default: [] },
    /** How often PostgreSQL plans the dearest statements; counting it costs time. */
    plans: { type: 'boolean', default: false },
    keyed: { type: 'boolean', default: false },
    operation: { type: 'string' },
    devices: { type: 'string' },
    applications: { type: 'string' },
    connections: { type: 'string' },
    latency: { type: 'string' },
    provider: { type: 'string' },
  },
})

const FIGURES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] as const
const QUICK = { messages: 2_000, alone: 500, warmUp: 500 }

const print = (line: string) => void process.stdout.write(`${line}\n`)

function oneOf<T extends string>(what: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text)
  if (found === undefined) throw new Error(`--${what} ${text}: one of ${allowed.join(', ')} is required`)
  return found
}

function positive(what: string, text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${what} ${text}: a whole number above 0 is required`)
  return value
}

const list = (text: string | undefined) => text?.split(',') ?? []

const overrides: Overrides = {
  operation: list(values.operation).map((each) => oneOf('operation', each, ['ASYNCHRONOUS', 'SYNCHRONOUS', 'batch'])),
  devices: list(values.devices).map((each) => (oneOf('devices', each, ['1', '3']) === '1' ? 1 : 3)),
  applications: list(values.applications).map((each) => positive('applications', each)),
  connections: list(values.connections).map((each) => positive('connections', each)),
  latencyMs: list(values.latency).map(latencyFrom),
  platform: list(values.provider).map((each) => oneOf('provider', each, PLATFORMS)),
  keyed: values.keyed ? [true] : [],
}
const isChanged = Object.values(overrides).some(({ length }) => length > 0)
const defaultCells = values.quick ? 'a,b,c,d' : isChanged ? 'a' : FIGURES.join(',')
const figures: FigureName[] = (values.cells ?? defaultCells).split(',').map((name) => oneOf('cells', name, FIGURES))

function messagesOf(cell: Cell): number {
  if (values.messages !== undefined) return positive('messages', values.messages)
  if (values.quick) return cell.connections === 1 ? QUICK.alone : QUICK.messages
  return cell.connections === 1 ? Math.min(cell.messages, CELLS.d.messages) : cell.messages
}

const sized = (cell: Cell): Cell => ({ ...cell, messages: messagesOf(cell) })
const cells = figures.filter(isCellName).map((name) => ({ name, cells: expand(CELLS[name], overrides).map(sized) }))

const options: FiguresOptions = {
  figures,
  cells,
  usual: expand(sized(USUAL), overrides)[0] ?? USUAL,
  ground: {
    backend: oneOf('backend', values.backend, ['redis', 'postgresql']),
    plans: values.plans,
    environment: settingsFrom('env', values.env),
  },
  warmUp: values.quick ? QUICK.warmUp : undefined,
  print,
}
/** How many processes of each kind there are; each combination is measured on services of its own. */
const sizes = list(values.gateways).flatMap((gateways) =>
  list(values.workers).map((workers) => ({
    gateways: positive('gateways', gateways),
    workers: positive('workers', workers),
  })),
)

await runBenchmark(async () => {
  print(`${machine()}; ${JSON.stringify({ ...options.ground, quick: values.quick })}`)
  let failures = 0
  for (const size of sizes) {
    print(`\nGateways: ${size.gateways}. Workers of each kind: ${size.workers}.`)
    const found = await measureFigures({ ...options, ground: { ...options.ground, ...size } })
    print(`\n${keepResults('api', { options, size, ...found })}`)
    failures += found.failures
  }
  if (failures === 0) return
  print(`✖ ${failures} measurements failed; this machine has a load of ${loadavg()[0]?.toFixed(1)}.`)
  process.exitCode = 1
})
