// What an orchestrator and a monitor ask of a process: /health/live, /health/ready, /metrics.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Health } from './health.ts'
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

/** Refuses a request for the path, with an answer of its own; undefined lets it pass. */
export type ProbeGuard = (path: string, authorization: string | undefined) => Promise<Probe | undefined>

const json = (status: number, value: unknown): Probe => ({
  status,
  type: 'application/json',
  body: JSON.stringify(value),
})

/** The answer to each path; undefined for any other. */
export async function probe({ health, metrics }: Vitals, path: string): Promise<Probe | undefined> {
  switch (path) {
    case '/health/live':
      return json(200, { status: 'live' })
    case '/health/ready': {
      const report = await health.report()
      return json(report.status === 'ready' ? 200 : 503, report)
    }
    case '/metrics':
      return { status: 200, type: metrics.contentType, body: await metrics.text() }
    default:
      return undefined
  }
}

export const PROBE_PATHS = ['/health/live', '/health/ready', '/metrics'] as const

export interface ProbeServer {
  port: number
  close(): Promise<void>
}

/** For processes without an API of their own. */
export async function serveProbes(
  vitals: Vitals,
  { host, port, guard }: { host: string; port: number; guard?: ProbeGuard },
): Promise<ProbeServer> {
  const answerOf = async ({ url = '/', headers }: IncomingMessage) => {
    const [path = '/'] = url.split('?')
    return (await guard?.(path, headers.authorization)) ?? (await probe(vitals, path))
  }
  const server = createServer((request, response) => {
    answerOf(request).then(
      (answer) => send(response, answer ?? json(404, { status: 'not found' })),
      () => send(response, json(500, { status: 'failed' })),
    )
  })
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

function send(response: ServerResponse, { status, type, body, headers }: Probe): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store', ...headers }).end(body)
}
