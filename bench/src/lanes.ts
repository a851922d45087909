// `npm run bench:lanes`: what a campaign does to direct messages. The p99 of synchronous sends while a campaign runs, against
// that of an idle server in the same run.
import { parseArgs } from 'node:util'
import { openStage } from './stage.ts'
import { quantile, runLanes } from './lanes-run.ts'
import { runBenchmark } from './run-benchmark.ts'
import { createCampaign, importDevices, startServer, type Server } from './server.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, backend: { type: 'string', default: 'redis' } },
})
const audience = values.quick ? 100_000 : 500_000
const MESSAGES = values.quick ? 400 : 2000

const print = (line: string) => void process.stdout.write(`${line}\n`)

function report(name: string, times: readonly number[]): number {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
  print(`${name.padEnd(20)} ${times.length} sends, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  return p99
}

async function measure(server: Server): Promise<void> {
  await importDevices(server, audience)
  const id = await createCampaign(server, audience)
  const { idle, busy, campaignEndedFirst } = await runLanes(server, id, MESSAGES)
  const idleP99 = report('idle', idle)
  const ratio = report('during a campaign', busy) / idleP99
  print(
    `p99 during a campaign ÷ idle: ${ratio.toFixed(2)} (at most 3)${campaignEndedFirst ? '; the campaign ended first' : ''}`,
  )
}

await runBenchmark(async () => {
  await using stack = new AsyncDisposableStack()
  const backend = values.backend === 'postgresql' ? 'postgresql' : 'redis'
  const stage = stack.adopt(await openStage({ backend, latencyMs: { min: 25, max: 75 } }), ({ close }) => close())
  const server = stack.adopt(await startServer(stage), ({ stop }) => stop())
  await measure(server)
})
