// A port for a service of a test, which has to be known before it listens.
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that systems hand out to clients, which could take it before it is listened on. */
const FIRST_PORT = 12_000
/** What runs beside a test file gets other ports: a service that was killed has to find its own free when it comes back. */
const SHARES = 8
const PORTS_OF_ONE = 2_500

/** tap numbers the files that run at the same time. */
const share = Number(process.env.TAP_JOB_ID ?? 0) % SHARES
const given = new Set<number>()

/** No two calls in one process return the same. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + share * PORTS_OF_ONE + randomInt(PORTS_OF_ONE)
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
