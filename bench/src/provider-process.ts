// A provider under load in a process of its own, so that its work is not counted as ours: prints where it is, as one line of
// JSON, and reports what it has received on a port of its own. A POST of a latency begins a new count.
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { startLoadServer, type LoadServerOptions } from '@push-server/simulator'

export interface Seen {
  pushes: number
  distinctTokens: number
}

export interface Arrivals {
  pushes: number
  /** Milliseconds since the epoch. */
  lastPushAt: number
  /** How many tokens got so many pushes, by that number. */
  tokensByPushes: Record<number, number>
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadServerOptions
const server = await startLoadServer({ ...options, countsTokens: true })
const { port, ca, pushes, distinctTokens } = server

function arrivals(): Arrivals {
  const tokensByPushes: Record<number, number> = {}
  for (const count of server.pushesByToken().values()) tokensByPushes[count] = (tokensByPushes[count] ?? 0) + 1
  return { pushes: pushes(), lastPushAt: server.lastPushAt(), tokensByPushes }
}

async function begin(request: IncomingMessage): Promise<object> {
  server.setLatency(JSON.parse(await text(request)) as NonNullable<LoadServerOptions['latencyMs']>)
  server.forget()
  return {}
}

const seen = (): Seen => ({ pushes: pushes(), distinctTokens: distinctTokens() })

async function respond(request: IncomingMessage): Promise<object> {
  if (request.method === 'POST') return begin(request)
  return request.url === '/arrivals' ? arrivals() : seen()
}

const control = createServer((request, response) => {
  void respond(request).then((found) => response.end(JSON.stringify(found)))
})
await once(control.listen(0, '127.0.0.1'), 'listening')
const { port: controlPort } = control.address() as AddressInfo
process.stdout.write(
  `${JSON.stringify({ origin: `https://localhost:${port}`, control: `http://127.0.0.1:${controlPort}`, ca })}\n`,
)
