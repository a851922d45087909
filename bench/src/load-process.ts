// The load server in a process of its own. It is told what to be, says where it listens, and tells its CPU time when asked.
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
