// `npm run bench:lanes`: what a campaign does to direct messages. The p99 of synchronous sends while a campaign runs, against
// that of an idle server in the same run.
import { parseArgs } from 'node:util'
import { openStage } from './stage.ts'
import { accepted, APP, createCampaign, importDevices, startServer, type Server } from './server.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, backend: { type: 'string', default: 'redis' } },
})
const audience = values.quick ? 100_000 : 500_000
const CALLERS = 4
const SENDS = values.quick ? 400 : 2000

const print = (line: string) => void process.stdout.write(`${line}\n`)

/** Milliseconds of each of up to `SENDS` synchronous sends to users in turn; stops early when told. */
async function sendDirect({ api }: Server, isOver: () => boolean): Promise<number[]> {
  const times: number[] = []
  let next = 1
  async function call(): Promise<void> {
    while (times.length < SENDS && !isOver()) {
      const userId = `user-${next++}`
      const start = performance.now()
      const { body } = await api.post('/push/message/send', {
        appId: APP,
        message: { userId, body: { title: 'Code 1234', body: 'Your code is 1234.' } },
      })
      times.push(performance.now() - start)
      const { ios, android, huawei } = body.responseObject.result
      if (ios.sent + android.sent + huawei.sent !== 1) throw new Error(JSON.stringify(body))
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, call))
  return times.toSorted((a, b) => a - b)
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN

function report(name: string, times: readonly number[]): number {
  const [p50, p99] = [quantile(times, 0.5), quantile(times, 0.99)]
  print(`${name.padEnd(20)} ${times.length} sends, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`)
  return p99
}

async function measure(server: Server): Promise<void> {
  const { api } = server
  await importDevices(server, audience)
  const id = await createCampaign(server, audience)
  await sendDirect(server, () => false)
  const idle = report('idle', await sendDirect(server, () => false))
  await accepted('live', api.post(`/push/campaign/send/live/${id}`, {}))
  let isSent = false
  const watch = setInterval(() => {
    void api.get(`/push/campaign/${id}/progress`).then(({ body }) => (isSent ||= body.responseObject.state === 'sent'))
  }, 500)
  const busy = report('during a campaign', await sendDirect(server, () => isSent))
  clearInterval(watch)
  print(
    `p99 during a campaign ÷ idle: ${(busy / idle).toFixed(2)} (at most 3)${isSent ? '; the campaign ended first' : ''}`,
  )
}

await using stack = new AsyncDisposableStack()
const backend = values.backend === 'postgresql' ? 'postgresql' : 'redis'
const stage = stack.adopt(await openStage({ backend, latencyMs: { min: 25, max: 75 } }), ({ close }) => close())
const server = stack.adopt(await startServer(stage), ({ stop }) => stop())
await measure(server)
