// The probes of an orchestrator and a monitor: /health/live, /health/ready, /metrics, and those of the reference server below /actuator.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { actuatorHealth, actuatorInfo } from './actuator.ts'
import { readBuild } from './build.ts'
import { createClientErrors } from './client-errors.ts'
import { withDeadline } from './deadline.ts'
import { CHECK_MS, withoutDetails, type Health, type HealthReport } from './health.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

export interface Vitals {
  health: Health
  metrics: Metrics
}

export interface Probe {
  status: number
  type: string
  body: string
  headers?: Readonly<Record<string, string>>
}

/** Who may read metrics and details. */
export interface ProbeAccess {
  /** Refuses a request for metrics, with a response of its own; undefined lets it pass. */
  refuseMetrics(headers: IncomingHttpHeaders): Promise<Probe | undefined>
  /** Whether the caller may read the details of health, too; a rejection means no. */
  mayReadDetails(headers: IncomingHttpHeaders): Promise<boolean>
}

const json = (status: number, value: unknown): Probe => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
})

type Respond = (vitals: Vitals, mayReadDetails: () => Promise<boolean>) => Promise<Probe>

/** `write` makes the body of what was found and of whether its caller may read details. */
const readiness =
  (write: (report: HealthReport, isDetailed: boolean) => unknown): Respond =>
  async ({ health }, mayReadDetails) => {
    // Without a database no key can be looked up, and just then the states are needed.
    const detailed = withDeadline(mayReadDetails(), CHECK_MS, () => false).catch(() => false)
    const [report, isDetailed] = await Promise.all([health.report(), detailed])
    return json(report.status === 'ready' ? 200 : 503, write(report, isDetailed))
  }

const inMetrics: Respond = async ({ metrics }) => ({
  status: 200,
  type: metrics.contentType,
  body: await metrics.text(),
})

const RESPONSES = {
  '/health/live': async () => json(200, { status: 'live' }),
  '/health/ready': readiness((report, isDetailed) => (isDetailed ? report : withoutDetails(report))),
  '/metrics': inMetrics,
  '/actuator/health': readiness((report, isDetailed) => actuatorHealth(report, { otherwise: 'DOWN', isDetailed })),
  '/actuator/health/liveness': async () => json(200, { status: 'UP' }),
  '/actuator/health/readiness': readiness((report, isDetailed) =>
    actuatorHealth(report, { otherwise: 'OUT_OF_SERVICE', isDetailed }),
  ),
  '/actuator/info': async () => json(200, actuatorInfo(await readBuild())),
  '/actuator/prometheus': inMetrics,
} satisfies Record<string, Respond>

export type ProbePath = keyof typeof RESPONSES

export const PROBE_PATHS = Object.keys(RESPONSES) as ProbePath[]

const isProbePath = (path: string): path is ProbePath => Object.hasOwn(RESPONSES, path)

/** Those that show what the process counts. The others are public. */
export const isOfMetrics = (path: string): boolean => path === '/metrics' || path === '/actuator/prometheus'

/** The response to each path; undefined for any other. */
export const probe = async (
  vitals: Vitals,
  path: string,
  mayReadDetails: () => Promise<boolean>,
): Promise<Probe | undefined> => (isProbePath(path) ? RESPONSES[path](vitals, mayReadDetails) : undefined)

export interface ProbeServer {
  port: number
  close(): Promise<void>
}

export interface ProbeServerOptions {
  host: string
  port: number
  access: ProbeAccess
  log: Logger
}

/** For processes without an API of their own. */
export async function serveProbes(
  vitals: Vitals,
  { host, port, access, log }: ProbeServerOptions,
): Promise<ProbeServer> {
  const responseTo = async ({ url = '/', headers }: IncomingMessage) => {
    const [path = '/'] = url.split('?')
    const refusal = isOfMetrics(path) ? await access.refuseMetrics(headers) : undefined
    return refusal ?? (await probe(vitals, path, () => access.mayReadDetails(headers)))
  }
  const server = createServer((request, response) => {
    responseTo(request).then(
      (found) => send(response, found ?? json(404, { status: 'not found' })),
      (error: unknown) => {
        log.error({ err: error }, 'probe failed')
        send(response, json(500, { status: 'failed' }))
      },
    )
  })
  server.on('clientError', createClientErrors(log, HEADERS).refuse)
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

const HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

function send(response: ServerResponse, { status, type, body, headers }: Probe): void {
  response.writeHead(status, { 'content-type': type, ...HEADERS, ...headers }).end(body)
}
