// The load server in a process of its own. It gets its options, says where it listens, and reports its CPU time on request.
import { once } from 'node:events'
import { startLoadServer, type LoadServerOptions } from '@push-server/simulator'

export interface LoadReport {
  cpuMicros: number
  requests: number
}

const [options] = (await once(process, 'message')) as [LoadServerOptions]
const server = await startLoadServer(options)
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMicros: user + system, requests: server.requests() } satisfies LoadReport)
})
process.on('disconnect', () => process.exit())
process.send?.({ port: server.port, ca: server.ca })
