// `npm run bench -- <name> [its options]` runs one benchmark. With `--against <commit> [--rounds 5] [--within 10] [--quick]
// [--devices n]` it is run on this tree and on that commit in turn, and fails when a figure is not within so many percent.
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { openTree, THIS_TREE } from '@push-server/testing'
import { openApi } from './compare/api.ts'
import { openCampaign } from './compare/campaign.ts'
import { comparisonTable, compare, type Round } from './compare/figures.ts'
import { openLanes } from './compare/lanes.ts'
import { openLimit } from './compare/limit.ts'
import { runRounds } from './compare/rounds.ts'
import type { OpenSubject } from './compare/subject.ts'
import { openTransport } from './compare/transport.ts'
import { openWorker } from './compare/worker.ts'
import { keepResults, machine } from './results.ts'
import { runBenchmark } from './run-benchmark.ts'

const SUBJECTS: Record<string, OpenSubject> = {
  transport: openTransport,
  worker: openWorker,
  campaign: openCampaign,
  lanes: openLanes,
  limit: openLimit,
  api: openApi,
}
const [name = '', ...options] = process.argv.slice(2)
const openSubject = SUBJECTS[name]

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** By a signal: servers that are no children of this process are stopped all the same. */
const interrupted = Promise.withResolvers<never>()

async function compareWith(open: OpenSubject): Promise<void> {
  const { values } = parseArgs({
    args: options,
    options: {
      against: { type: 'string', default: 'HEAD' },
      rounds: { type: 'string', default: '5' },
      within: { type: 'string', default: '10' },
      quick: { type: 'boolean', default: false },
      devices: { type: 'string' },
    },
  })
  const limit = positive('--within', values.within) / 100
  const rounds = Math.ceil(positive('--rounds', values.rounds))
  const devices = values.devices === undefined ? undefined : positive('--devices', values.devices)
  const subjectOptions = { quick: values.quick, devices }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.reject(new Error('Interrupted')))
  const former = await openTree(values.against)
  print(`${machine()}; this tree and ${former.name} in turn, ${rounds} rounds`)

  await using stack = new AsyncDisposableStack()
  const openOne = async (tree: typeof former) => stack.adopt(await open(tree, subjectOptions), (it) => it.close())
  const [ours, theirs] = [await openOne(THIS_TREE), await openOne(former)]
  const running = runRounds({ ours: ours.cases, former: theirs.cases }, { rounds, print })
  const results = await Promise.race([running, interrupted.promise])
  const tables = ours.cases.map((each, place) => ({ name: each.name, rounds: results[place] ?? [] }))
  for (const table of tables) report(table, former.name, limit)
  print(`\n${keepResults(`${name}-against-${former.name}`, { rounds, limit, ...subjectOptions, results: tables })}`)
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${option} ${text}: a number above 0 is required`)
  return value
}

function report({ name, rounds }: { name: string; rounds: readonly Round[] }, former: string, limit: number): void {
  const rows = compare(rounds, limit)
  print(`\n${name}\n${comparisonTable(rows, { former, limit })}`)
  if (rows.some(({ spread }) => spread > limit))
    print(`Rounds differ by more than the limit; this machine has a load of ${loadavg()[0]?.toFixed(1)}.`)
  if (rows.some(({ verdict }) => verdict === 'worse')) process.exitCode = 1
}

if (!openSubject) {
  print(`npm run bench -- <${Object.keys(SUBJECTS).join(' | ')}> [--against <commit>] [options]`)
  process.exitCode = 2
} else if (options.some((option) => option.startsWith('--against'))) {
  await runBenchmark(async () => {
    const start = performance.now()
    await compareWith(openSubject)
    print(
      `${((performance.now() - start) / 60_000).toFixed(1)} min; ${process.exitCode ? '✖ not all' : '✔ all'} figures are within`,
    )
  })
} else {
  // The benchmark reads its options itself.
  process.argv.splice(1, 2, `bench/src/${name}.ts`)
  await import(`./${name}.ts`)
}
