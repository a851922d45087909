// `npm run bench:worker [-- --quick] [--platforms ios,android,huawei]`: what a push costs the whole worker, from a chunk in the
// queue to its outcomes in the database, on both back ends of the queue, beside what it costs the bare transport in the same
// round. Platforms have their turn one after the other. The processor time of starting and warming up is not counted, of neither.
import { parseArgs } from 'node:util'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { keepResults, machine } from './results.ts'
import { runBenchmark } from './run-benchmark.ts'
import { realScenario } from './scenarios.ts'
import { createCampaign, importDevices, startServer } from './server.ts'
import { settingsFrom } from './settings-option.ts'
import { openStage } from './stage.ts'
import { runTransport } from './transport-run.ts'
import { QUICK_AUDIENCE, runWorkers, type Ground, type Setup, type WorkerRun } from './worker-run.ts'
import { nameOf, ratioOf, workerTable, type Round } from './worker-table.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    platforms: { type: 'string', default: 'ios' },
    rounds: { type: 'string' },
    devices: { type: 'string' },
    /** Of the workers, such as APNS_CONCURRENCY=8000; any number of them. */
    set: { type: 'string', multiple: true, default: [] },
  },
})
const rounds = Number(values.rounds ?? (values.quick ? 1 : 5))
const audience = Number(values.devices ?? (values.quick ? QUICK_AUDIENCE : 300_000))
const times = values.quick ? { warmUpMs: 700, measureMs: 1_300 } : { warmUpMs: 2_000, measureMs: 4_000 }
const settings = settingsFrom('set', values.set)
const SETUPS: readonly Setup[] = (['redis', 'postgresql'] as const).flatMap((backend) =>
  [1, 2].map((workers) => ({ backend, workers })),
)
const TARGET = { under: 3, aim: 2 }

const print = (line: string) => void process.stdout.write(`${line}\n`)

async function measure(platform: Platform): Promise<Round[]> {
  const scenario = realScenario(platform)
  const [bare] = scenario.contenders
  if (!bare) throw new Error(`${scenario.name}: nothing to compare with`)
  await using stack = new AsyncDisposableStack()
  const { latencyMs } = scenario
  const platforms = [platform]
  const stage = stack.adopt(await openStage({ backend: 'redis', latencyMs, platforms }), ({ close }) => close())
  const server = stack.adopt(await startServer(stage, { platforms, workers: 0, schedulers: 0 }), ({ stop }) => stop())
  const [provider] = stage.providers
  if (!provider) throw new Error(`No provider of ${platform}`)
  await importDevices(server, audience, platforms)
  const campaign = await createCampaign(server, audience)
  const ground: Ground = { stage, server, provider, campaign, audience, settings }
  const done: Round[] = []
  for (let round = 1; round <= rounds; round++) {
    const workers: WorkerRun[] = []
    done.push({ bare: await runTransport(scenario, bare, times), workers })
    for (const setup of SETUPS) workers.push(await runWorkers(ground, setup))
    const figures = SETUPS.map((_, place) => ratioOf(done.slice(-1), place).median.toFixed(2))
    print(`${platform}, round ${round} of ${rounds}: ${figures.join(' · ')} × bare`)
  }
  return done
}

/** Huawei has no target: what stands beside it is no bare transport but the way through the provider. */
function judge(platform: Platform, done: readonly Round[]): void {
  const hasTarget = platform !== 'huawei'
  const base = hasTarget ? 'bare transport' : 'provider'
  print(`whole worker (chunk taken from the queue to outcome recorded) ÷ ${base}, CPU per push`)
  for (const [place, setup] of SETUPS.entries()) {
    const { median, min, max } = ratioOf(done, place)
    const figure = `${nameOf(setup)}: ${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`
    const isMet = median < TARGET.under
    if (hasTarget) print(`${isMet ? '✔' : '✖'} ${figure}, target under ${TARGET.under}, aim ${TARGET.aim}`)
    else print(`  ${figure}`)
    if (hasTarget && !isMet) process.exitCode = 1
  }
}

await runBenchmark(async () => {
  const named = values.platforms.split(',')
  const results: Record<string, Round[]> = {}
  print(`${machine()}, ${rounds} rounds, ${audience} devices`)
  for (const platform of PLATFORMS.filter((each) => named.includes(each))) {
    const done = await measure(platform)
    results[platform] = done
    print(`\n${realScenario(platform).name}\n${workerTable(SETUPS, done)}\n`)
    judge(platform, done)
  }
  print(`\n${keepResults('worker', { times, rounds, audience, settings, setups: SETUPS, results })}`)
})
