// A process of its own for one measurement, so that no client inherits another's heap or compiled code: warms up, measures its
// own CPU time over a fixed time, says what it found, and ends. Benchmarks of later commits send their orders to it as well
// (`--against`): members of order and measurement are added, never renamed.
import { once } from 'node:events'
import type { BenchClient, ClientOptions } from './bench-client.ts'
import { CLIENTS, type ClientName } from './clients/index.ts'

export interface PushOrder extends ClientOptions {
  client: ClientName
  calls: number
  warmUpMs: number
  measureMs: number
}

export interface Measurement {
  pushes: number
  failed: number
  seconds: number
  /** Of the whole process, garbage collection included. */
  cpuMicros: number
  rssMiB: number
}

/** As many calls under way as ordered, each followed by another, until `stop`. */
function keepPushing({ batch, send }: BenchClient, calls: number) {
  const counts = { pushes: 0, failed: 0 }
  let underWay = 0
  let next = 0
  let stopped: PromiseWithResolvers<void> | undefined

  function start() {
    underWay++
    void send(next++, (accepted) => {
      underWay--
      counts.pushes += accepted
      counts.failed += batch - accepted
      if (!stopped) start()
      else if (underWay === 0) stopped.resolve()
    })
  }
  for (let call = 0; call < calls; call++) start()
  return {
    counts: () => ({ ...counts }),
    stop() {
      stopped = Promise.withResolvers<void>()
      return stopped.promise
    },
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function measure(order: PushOrder): Promise<Measurement> {
  const client = await CLIENTS[order.client](order)
  const pushing = keepPushing(client, order.calls)
  await pause(order.warmUpMs)
  const before = { counts: pushing.counts(), cpu: process.cpuUsage(), at: performance.now() }
  await pause(order.measureMs)
  const { user, system } = process.cpuUsage(before.cpu)
  const seconds = (performance.now() - before.at) / 1_000
  const after = pushing.counts()
  const rssMiB = Math.round(process.memoryUsage.rss() / 2 ** 20)
  await Promise.race([pushing.stop(), pause(2_000)])
  client.close()
  return {
    pushes: after.pushes - before.counts.pushes,
    failed: after.failed - before.counts.failed,
    seconds,
    cpuMicros: user + system,
    rssMiB,
  }
}

const [order] = (await once(process, 'message')) as [PushOrder]
const measurement = await measure(order)
process.send?.(measurement, () => process.exit())
