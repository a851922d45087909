// The load of `bench:api` in a process of its own, so that its processor time is counted apart: sends what it is ordered to, as
// fast as responses arrive, and reports how long each took.
import autocannon from 'autocannon'
import { requestsIn, type Sending } from './api/audience.ts'
import { requestsOf, type RequestOptions } from './api/requests.ts'

export interface LoadOrder extends RequestOptions {
  /** Of the gateways, which the connections are spread over. */
  urls: readonly string[]
  sending: Sending
  connections: number
}

export interface LoadReport {
  /** Of each request, ms. */
  latencies: number[]
  /** Of the first request and of the last response, milliseconds since the epoch. */
  startedAt: number
  endedAt: number
  cpuMicros: number
  /** What was no 200 with OK in it. */
  failures: string[]
}

const TIMEOUT_SECONDS = 60
const OK = '{"status":"OK"'

const now = () => performance.timeOrigin + performance.now()

function run({ urls, sending, connections: most, ...options }: LoadOrder): Promise<LoadReport> {
  const amount = requestsIn(sending)
  const connections = Math.min(most, amount)
  const latencies: number[] = []
  const statuses = new Map<number, number>()
  let [connection, startedAt, endedAt] = [0, 0, 0]
  let cpu = process.cpuUsage()
  return new Promise((resolve, reject) => {
    const instance = autocannon(
      {
        // Its types know one address, it knows several.
        url: urls as unknown as string,
        connections,
        amount,
        method: 'POST',
        timeout: TIMEOUT_SECONDS,
        sampleInt: 100,
        setupClient: (client) =>
          client.setRequests(requestsOf(sending, { connection: connection++, connections }, options)),
        verifyBody: (body) => String(body).startsWith(OK),
      },
      (error: Error | null, { errors, mismatches }) => {
        if (error) return reject(error)
        const { user, system } = process.cpuUsage(cpu)
        const failures = failuresOf({ statuses, errors, mismatches, missing: amount - latencies.length })
        resolve({ latencies, startedAt, endedAt, cpuMicros: user + system, failures })
      },
    )
    instance.on('start', () => {
      cpu = process.cpuUsage()
      startedAt = now()
    })
    instance.on('response', (...[, status, , ms]) => {
      // Nothing leaves before the start, while the clock of a connection's first request runs from when it was made.
      latencies.push(Math.min(ms, now() - startedAt))
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      endedAt = now()
    })
  })
}

interface Found {
  statuses: ReadonlyMap<number, number>
  errors: number
  mismatches: number
  missing: number
}

function failuresOf({ statuses, errors, mismatches, missing }: Found): string[] {
  return [
    ...[...statuses].flatMap(([status, count]) => (status === 200 ? [] : [`${count} responses with ${status}`])),
    ...(errors > 0 ? [`${errors} errors of connections`] : []),
    ...(mismatches > 0 ? [`${mismatches} responses without OK`] : []),
    ...(missing > 0 ? [`${missing} requests without a response`] : []),
  ]
}

process.on('disconnect', () => process.exit())
process.on('message', (order: LoadOrder) => void run(order).then((report) => process.send?.(report)))
