// The figures of `bench:api`, one after the other on one ground: cells a to d as they are, and what is made of several measurements.
import { PLATFORMS } from '@push-server/contract'
import { audienceOf } from './audience.ts'
import { latencyName, platformsOf, SLOW_LATENCY, USUAL, type Cell } from './cells.ts'
import { LONE, measureFairness, type Fairness } from './fairness.ts'
import { startFloor } from './floor.ts'
import { openGround, type Ground, type GroundOptions, type Target } from './ground.ts'
import { altogether, measureCell, WARM_UP, type CellResult } from './measure.ts'
import { describeResult, resultTable, type NamedResult } from './report.ts'

export type FigureName = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h'

export interface FiguresOptions {
  figures: readonly FigureName[]
  /** The cells that are figures themselves. */
  cells: readonly { name: string; cells: readonly Cell[] }[]
  /** That the other figures are about. */
  usual: Cell
  ground: GroundOptions
  /** Messages before each cell. */
  warmUp: number | undefined
  print(line: string): void
}

export interface Found {
  results: NamedResult[]
  fairness: Fairness | undefined
  /** How many measurements failed. */
  failures: number
}

/** Seconds of messages of the lone application. */
const FAIRNESS_SECONDS = 20
/** At most, of what is measured several times or beside something else. */
const FEW_MESSAGES = 5_000
/** Slow providers get what others take in ten seconds: some servers would take many minutes for more. */
const SLOW = { latencyMs: SLOW_LATENCY, least: 1_000, seconds: 10, warmUp: 500 }

export async function measureFigures(options: FiguresOptions): Promise<Found> {
  const { cells, usual, figures, print } = options
  const interrupted = Promise.withResolvers<never>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.reject(new Error('Interrupted')))
  await using stack = new AsyncDisposableStack()
  const latencyCells = figures.includes('e') ? PLATFORMS.map((platform) => ({ ...usual, platform })) : []
  const usualCells = figures.includes('g') || figures.includes('h') ? [usual, USUAL] : [usual]
  const all = [...cells.flatMap((each) => each.cells), ...usualCells, ...latencyCells]
  const platforms = PLATFORMS.filter((platform) => all.some((cell) => platformsOf(cell).includes(platform)))
  const ground = stack.adopt(await openGround({ ...options.ground, platforms }), ({ close }) => close())
  const audiences = all.map(audienceOf)
  await ground.makeAudiences(figures.includes('g') ? [...audiences, LONE] : audiences)
  const measuring = measureAll(createSeries(ground, options), options)
  const found = await Promise.race([measuring, interrupted.promise])
  print(`\nµs CPU, statements, commits and WAL are per message\n${resultTable(found.results)}`)
  return found
}

interface Series {
  ground: Ground
  results: NamedResult[]
  /** On services of its own, unless a target is given. */
  measure(name: string, cell: Cell, options?: { target?: Target; warmUp?: number }): Promise<CellResult>
}

function createSeries(ground: Ground, { print, warmUp: usually = WARM_UP }: FiguresOptions): Series {
  const results: NamedResult[] = []
  return {
    ground,
    results,
    async measure(name, cell, { target: given, warmUp = usually } = {}) {
      await using own = given ? undefined : await ground.startTarget(cell)
      const target = given ?? own
      if (!target) throw new Error('There is nothing to measure')
      const result = await measureCell(ground, target, { cell, warmUp })
      results.push({ name, result })
      print(describeResult({ name, result }))
      return result
    },
  }
}

async function measureAll(series: Series, { cells, figures, usual, print }: FiguresOptions): Promise<Found> {
  const { results, measure } = series
  const lines: string[] = []
  for (const { name, cells: some } of cells) for (const cell of some) await measure(name, cell)
  const isOfUsual = figures.includes('f') || figures.includes('h')
  const first = results.find(({ name }) => name === 'a')?.result
  const usually = isOfUsual ? (first ?? (await measure('a', usual))) : undefined
  if (figures.includes('f') && usually)
    lines.push(`f: cores in use in the middle of a: ${(100 * usually.coresInUse).toFixed(0)} %`)
  if (figures.includes('h') && usually) lines.push(await measureFloor(series, usually))
  if (figures.includes('e')) lines.push(await measureLatencies(series, usual))
  const fairness = figures.includes('g') ? await measureLone(series, usual) : undefined
  if (fairness) lines.push(describeFairness(fairness))
  if (lines.length > 0) print(`\n${lines.toSorted().join('\n')}`)
  const failed = [...results.map(({ result }) => result), fairness].filter((each) => each && each.failures.length > 0)
  return { results, fairness, failures: failed.length }
}

async function measureFloor({ ground, measure }: Series, usually: CellResult): Promise<string> {
  if (!ground.stage.redis) return 'h: the floor has its queue in Redis'
  await using floor = ground.targets.use(await startFloor(ground.stage))
  const result = await measure('floor', { ...USUAL, messages: usually.cell.messages }, { target: floor })
  const [ours, least] = [usually, result].map(({ micros }) => altogether(micros)) as [number, number]
  return `h: µs CPU/message of a ÷ floor: ${ours.toFixed(0)} ÷ ${least.toFixed(0)} = ${(ours / least).toFixed(1)}`
}

async function measureLatencies({ measure }: Series, usual: Cell): Promise<string> {
  const ratios: string[] = []
  for (const platform of PLATFORMS) {
    const cell = { ...usual, platform, messages: Math.min(usual.messages, FEW_MESSAGES) }
    const real = await measure('e', cell)
    const { latencyMs, warmUp } = SLOW
    const most = Math.max(SLOW.least, Math.ceil(SLOW.seconds * real.deliveredPerSecond))
    const slow = await measure('e', { ...cell, latencyMs, messages: Math.min(usual.messages, most) }, { warmUp })
    ratios.push(`${platform} ${(slow.deliveredPerSecond / real.deliveredPerSecond).toFixed(2)}`)
  }
  return `e: delivered/s at ${latencyName(SLOW.latencyMs)} ÷ at ${latencyName(usual.latencyMs)}: ${ratios.join(', ')}`
}

async function measureLone({ ground }: Series, usual: Cell): Promise<Fairness> {
  const { connections, latencyMs } = usual
  const cell = { ...USUAL, connections, latencyMs, messages: Math.min(usual.messages, FEW_MESSAGES) }
  await using target = await ground.startTarget(cell)
  return await measureFairness(ground, target, { cell, seconds: FAIRNESS_SECONDS })
}

function describeFairness({ capacity, idleP99, busyP99, failures }: Fairness): string {
  const ratio = (busyP99 / idleP99).toFixed(1)
  const head =
    `g: p99 of a lone application's sends beside ${(capacity / 2).toFixed(0)} messages/s of another one ÷ idle: ` +
    `${busyP99.toFixed(1)} ms ÷ ${idleP99.toFixed(1)} ms = ${ratio}`
  return [head, ...failures.slice(0, 5).map((failure) => `    ${failure}`)].join('\n')
}
