// An open loop in a process of its own: a request leaves when it is due, whether or not those before have their responses, and its
// latency counts from that moment. autocannon's rates are none: each of its connections waits for its response, and sends what it
// owes to a second at the beginning of that second.
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import { requestsIn, type Sending } from './api/audience.ts'
import { requestOf, type ApiRequest } from './api/requests.ts'
import type { Operation } from './api/cells.ts'
import type { LoadReport } from './api-load-process.ts'

export interface OpenLoopOrder {
  url: string
  sending: Sending
  operation: Operation
  perSecond: number
}

const CONNECTIONS = 512
const OK = '{"status":"OK"'

const now = () => performance.timeOrigin + performance.now()

async function run({ url, sending, operation, perSecond }: OpenLoopOrder): Promise<LoadReport> {
  const requests = Array.from({ length: requestsIn(sending) }, (_, request) =>
    requestOf(sending, request, { operation, keyed: false }),
  )
  const pool = new Pool(url, { connections: CONNECTIONS })
  const cpu = process.cpuUsage()
  const startedAt = now()
  const latencies: number[] = []
  const failures: string[] = []
  const underWay: Promise<void>[] = []
  const measure = async (from: number, request: ApiRequest) => {
    const failure = await send(pool, request)
    latencies.push(now() - from)
    if (failure) failures.push(failure)
  }
  for (const [place, request] of requests.entries()) {
    const dueAt = startedAt + (1_000 * place) / perSecond
    const rest = dueAt - now()
    if (rest > 0) await sleep(rest)
    // Timers are coarse: one that leaves early counts from when it left.
    const from = Math.min(dueAt, now())
    underWay.push(measure(from, request))
  }
  await Promise.all(underWay)
  const endedAt = now()
  const { user, system } = process.cpuUsage(cpu)
  await pool.close()
  return { latencies, startedAt, endedAt, cpuMicros: user + system, failures }
}

/** What was wrong with the response, if anything was. */
async function send(pool: Pool, { path, headers, body }: ApiRequest): Promise<string | undefined> {
  try {
    const response = await pool.request({ method: 'POST', path, headers, body })
    const text = await response.body.text()
    return response.statusCode === 200 && text.startsWith(OK) ? undefined : `${response.statusCode} ${text}`
  } catch (error) {
    return String(error)
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (order: OpenLoopOrder) => void run(order).then((report) => process.send?.(report)))
