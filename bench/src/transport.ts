// `npm run bench:transport [-- --quick]`: pushes a second and CPU time per push of our ways to the providers and of others, in
// rounds in which each has its turn, so that what disturbs the machine disturbs all of them. Ratios are taken within a round.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { runPush, startLoad, type Times } from './processes.ts'
import { SCENARIOS, type Contender, type Scenario } from './scenarios.ts'
import { tableOf, type Run } from './table.ts'

const RESULTS = 'bench/results'

async function runOnce(scenario: Scenario, contender: Contender, times: Times): Promise<Run> {
  const load = await startLoad(scenario)
  try {
    const before = await load.report()
    const start = performance.now()
    const measurement = await runPush(load, { contender, streams: scenario.streams, times })
    const after = await load.report()
    const loadBusy = (after.cpuMicros - before.cpuMicros) / 1_000 / (performance.now() - start)
    return { client: contender.client, ...measurement, loadBusy }
  } finally {
    load.stop()
  }
}

async function runScenario(scenario: Scenario, rounds: number, times: Times) {
  const done: Run[][] = []
  for (let round = 0; round < rounds; round++) {
    const runs: Run[] = []
    for (const contender of scenario.contenders) runs.push(await runOnce(scenario, contender, times))
    done.push(runs)
  }
  return done
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string', default: '' },
  },
})
const times = values.quick ? { warmUpMs: 700, measureMs: 1_300 } : { warmUpMs: 2_000, measureMs: 4_000 }
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const scenarios = SCENARIOS.filter(({ isQuick, name }) => (isQuick || !values.quick) && name.includes(values.only))
const results: Record<string, Run[][]> = {}

process.stdout.write(`Node.js ${process.version}, ${cpus()[0]?.model}, ${cpus().length} cores, ${rounds} rounds\n`)
for (const scenario of scenarios) {
  const runs = await runScenario(scenario, rounds, times)
  results[scenario.name] = runs
  process.stdout.write(`\n${scenario.name}\n${tableOf(runs)}\n`)
}
mkdirSync(RESULTS, { recursive: true })
const file = `${RESULTS}/transport-${new Date().toISOString().replaceAll(':', '-')}.json`
writeFileSync(
  file,
  JSON.stringify({ node: process.version, cpu: cpus()[0]?.model, times, rounds, results }, undefined, 2),
)
process.stdout.write(`\n${file}\n`)
