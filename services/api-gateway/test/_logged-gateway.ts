// A gateway on a stack of its own that keeps the lines of its log.
import { Writable } from 'node:stream'
import { createLogger } from '@push-server/runtime'
import { freePort, type TestStack } from '@push-server/testing'
import { apiGateway } from '../src/index.ts'

export interface Line {
  level: number
  msg: string
  reqId?: string
  status?: number
  err?: object
}

/** Beside the gateway of the stack, on a port of its own. */
export async function startLogged({ context }: TestStack) {
  const lines: Line[] = []
  const logs = new Writable({
    write(chunk: Buffer, _encoding, done) {
      for (const line of chunk.toString().trim().split('\n')) lines.push(JSON.parse(line) as Line)
      done()
    },
  })
  const port = await freePort()
  const config = { ...context.config, port, logLevel: 'info' as const }
  const stop = await apiGateway({ ...context, config, log: createLogger(config, 'gateway', logs) })
  return { config, lines, logs, port, stop }
}
