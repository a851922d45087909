// A provider under load in a process of its own, so that its work is not counted as ours: prints where it is, as one line of
// JSON, and reports what it has received on a port of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { startLoadServer, type LoadServerOptions } from '@push-server/simulator'

export interface Seen {
  pushes: number
  distinctTokens: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as LoadServerOptions
const { port, ca, pushes, distinctTokens } = await startLoadServer({ ...options, countsTokens: true })
const control = createServer((_request, response) => {
  response.end(JSON.stringify({ pushes: pushes(), distinctTokens: distinctTokens() } satisfies Seen))
})
await once(control.listen(0, '127.0.0.1'), 'listening')
const { port: controlPort } = control.address() as AddressInfo
process.stdout.write(
  `${JSON.stringify({ origin: `https://localhost:${port}`, control: `http://127.0.0.1:${controlPort}`, ca })}\n`,
)
