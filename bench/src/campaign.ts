// `npm run bench:campaign`: one campaign to a million devices, through the public API only, everything on this machine and
// results stored. `-- --quick` takes 100 000. Fails when the providers' distinct tokens differ from the audience. `-- --memory`
// sends one to a tenth of the devices first, in processes of its own, and fails when ten times the audience takes more memory.
import { parseArgs } from 'node:util'
import { PLATFORMS } from '@push-server/contract'
import { sendCampaign } from './campaign-run.ts'
import { runBenchmark } from './run-benchmark.ts'
import { openStage } from './stage.ts'
import { createCampaign, importDevices, startServer } from './server.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    memory: { type: 'boolean', default: false },
    devices: { type: 'string' },
    /** redis or postgresql */
    backend: { type: 'string', default: 'redis' },
    latency: { type: 'string', default: '{"min":25,"max":75}' },
    platforms: { type: 'string', default: PLATFORMS.join(',') },
    /** Of each kind. */
    workers: { type: 'string', default: '1' },
  },
})
const devices = Number(values.devices ?? (values.quick ? 100_000 : 1_000_000))
const backend = values.backend === 'postgresql' ? 'postgresql' : 'redis'
const named = values.platforms.split(',')
const platforms = PLATFORMS.filter((platform) => named.includes(platform))

const print = (line: string) => void process.stdout.write(`${line}\n`)

async function timed<T>(what: string, work: Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await work
  print(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}

/** The most memory that a service has held, MB; of Linux only. */
interface Peak {
  name: string
  peak: number
}

/** One campaign, with every process started for it alone; what its services took. */
async function measure(devices: number): Promise<Peak[]> {
  await using stack = new AsyncDisposableStack()
  const latencyMs = JSON.parse(values.latency) as number
  const stage = stack.adopt(await openStage({ backend, latencyMs }), ({ close }) => close())
  const workers = Number(values.workers)
  const server = stack.adopt(await startServer(stage, { platforms, workers }), ({ stop }) => stop())
  await timed(`import of ${devices} devices`, importDevices(server, devices, platforms))
  const id = await timed(`import of ${devices} users`, createCampaign(server, devices))
  const processes = [...server.services, ...stage.providers]
  const before = processes.map((each) => each.processorTime() ?? Number.NaN)
  const { totalMs, firstPushMs } = await sendCampaign({ server, stage, id, devices })
  const { body } = await server.api.get(`/push/campaign/${id}/detail`)
  print(
    `campaign to ${devices} devices on ${backend}: ${(totalMs / 1000).toFixed(1)} s, ` +
      `${Math.round(devices / (totalMs / 1000))} devices/s, first push after ${Math.round(firstPushMs)} ms`,
  )
  const peaks = processes.map(({ name, peakMemory }) => ({ name, peak: peakMemory() ?? Number.NaN }))
  for (const [index, { name, peak }] of peaks.entries()) {
    const seconds = (processes[index]?.processorTime() ?? Number.NaN) - (before[index] ?? Number.NaN)
    print(`  ${name.padEnd(20)} peak ${Math.round(peak)} MB, ${seconds.toFixed(1)} s of processor`)
  }
  const { pushes, distinctTokens } = await stage.seen()
  print(
    `providers: ${pushes} pushes to ${distinctTokens} distinct tokens; ${JSON.stringify(body.responseObject.result)}`,
  )
  if (distinctTokens !== devices) process.exitCode = 1
  return peaks.slice(0, server.services.length)
}

/** Of the memory of a service with ten times the audience to that with the smaller one. */
const MEMORY_BOUND = 1.2

function compareMemory(small: readonly Peak[], large: readonly Peak[]): void {
  print(`memory with ten times the audience, at most × ${MEMORY_BOUND}:`)
  for (const [index, { name, peak }] of large.entries()) {
    const ratio = peak / (small[index]?.peak ?? Number.NaN)
    const verdict = ratio <= MEMORY_BOUND ? 'good' : 'TOO MUCH'
    print(`  ${name.padEnd(20)} × ${ratio.toFixed(2)}  ${verdict}`)
    if (verdict !== 'good') process.exitCode = 1
  }
}

await runBenchmark(async () => {
  if (values.memory) compareMemory(await measure(devices / 10), await measure(devices))
  else await measure(devices)
})
