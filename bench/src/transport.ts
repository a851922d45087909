// `npm run bench:transport [-- --quick]`: pushes a second and CPU time per push of our ways to the providers and of others, in
// rounds in which each has its turn, so that what disturbs the machine disturbs all of them. Ratios are taken within a round.
import { parseArgs } from 'node:util'
import { keepResults, machine } from './results.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { tableOf, type Run } from './table.ts'
import { runTransport, type Times } from './transport-run.ts'

async function runScenario(scenario: Scenario, rounds: number, times: Times) {
  const done: Run[][] = []
  for (let round = 0; round < rounds; round++) {
    const runs: Run[] = []
    for (const contender of scenario.contenders) runs.push(await runTransport(scenario, contender, times))
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

process.stdout.write(`${machine()}, ${rounds} rounds\n`)
for (const scenario of scenarios) {
  const runs = await runScenario(scenario, rounds, times)
  results[scenario.name] = runs
  process.stdout.write(`\n${scenario.name}\n${tableOf(runs)}\n`)
}
process.stdout.write(`\n${keepResults('transport', { times, rounds, results })}\n`)
