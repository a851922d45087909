// `npm run bench:campaign`: one campaign to a million devices, through the public API only, everything on this machine and
// results stored. `-- --quick` takes 100 000. Fails when the providers' distinct tokens differ from the audience.
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { PLATFORMS } from '@push-server/contract'
import { openStage, type Stage } from './stage.ts'
import { accepted, createCampaign, importDevices, startServer, type Server } from './server.ts'

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
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

/** Resolves when the campaign is sent; milliseconds from the call. */
async function send({ api }: Server, stage: Stage, id: string): Promise<{ totalMs: number; firstPushMs: number }> {
  const start = performance.now()
  await accepted('live', api.post(`/push/campaign/send/live/${id}`, {}))
  let firstPushMs: number | undefined
  for (;;) {
    const elapsed = performance.now() - start
    if (firstPushMs === undefined && (await stage.seen()).pushes > 0) firstPushMs = elapsed
    const { body } = await api.get(`/push/campaign/${id}/progress`)
    if (body.responseObject.state === 'sent') return { totalMs: elapsed, firstPushMs: firstPushMs ?? elapsed }
    await sleep(firstPushMs === undefined ? 10 : 200)
  }
}

async function measure(stage: Stage, server: Server): Promise<void> {
  await timed(`import of ${devices} devices`, importDevices(server, devices, platforms))
  const id = await timed(`import of ${devices} users`, createCampaign(server, devices))
  const processes = [...server.services, ...stage.providers]
  const before = processes.map((each) => each.processorTime() ?? Number.NaN)
  const { totalMs, firstPushMs } = await send(server, stage, id)
  const { body } = await server.api.get(`/push/campaign/${id}/detail`)
  print(
    `campaign to ${devices} devices on ${backend}: ${(totalMs / 1000).toFixed(1)} s, ` +
      `${Math.round(devices / (totalMs / 1000))} devices/s, first push after ${Math.round(firstPushMs)} ms`,
  )
  for (const [index, each] of processes.entries()) {
    const seconds = (each.processorTime() ?? Number.NaN) - (before[index] ?? Number.NaN)
    const memory = Math.round(each.peakMemory() ?? Number.NaN)
    print(`  ${each.name.padEnd(20)} peak ${memory} MB, ${seconds.toFixed(1)} s of processor`)
  }
  const { pushes, distinctTokens } = await stage.seen()
  print(
    `providers: ${pushes} pushes to ${distinctTokens} distinct tokens; ${JSON.stringify(body.responseObject.result)}`,
  )
  if (distinctTokens !== devices) process.exitCode = 1
}

await using stack = new AsyncDisposableStack()
const stage = stack.adopt(await openStage({ backend, latencyMs: JSON.parse(values.latency) as number }), ({ close }) =>
  close(),
)
const server = stack.adopt(await startServer(stage, { platforms, workers: Number(values.workers) }), ({ stop }) =>
  stop(),
)
await measure(stage, server)
