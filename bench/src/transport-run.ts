// One measurement of one contender: a load server and a process that pushes to it, both fresh, each on a core of its own.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { THIS_TREE, type Tree } from '@push-server/testing'
import type { LoadReport } from './load-process.ts'
import { messageFrom, startPinned } from './processes.ts'
import type { Measurement, PushOrder } from './push-process.ts'
import type { Contender, Scenario } from './scenarios.ts'
import type { Run } from './table.ts'

export interface Times {
  warmUpMs: number
  measureMs: number
}

/** `tree` is whose client pushes; the load server is of this tree always. */
export async function runTransport(
  scenario: Scenario,
  contender: Contender,
  { tree, ...times }: Times & { tree?: Tree },
): Promise<Run> {
  const load = await startLoad(scenario)
  try {
    const before = await load.report()
    const start = performance.now()
    const order = { ...contender, ...times, streams: scenario.streams }
    const measurement = await runPush(load, order, tree)
    const after = await load.report()
    const loadBusy = (after.cpuMicros - before.cpuMicros) / 1_000 / (performance.now() - start)
    return { client: contender.client, ...measurement, loadBusy }
  } finally {
    load.stop()
  }
}

const CORES = { push: 0, load: 1 }

type LoadProcess = Awaited<ReturnType<typeof startLoad>>

async function startLoad({ latencyMs, streams }: Scenario) {
  const child = startPinned('load-process.ts', { core: CORES.load })
  child.send({ latencyMs, maxStreams: streams, names: ['fcm.googleapis.com'] })
  const [{ port, ca }] = (await once(child, 'message')) as [{ port: number; ca: string }]
  const folder = mkdtempSync(join(tmpdir(), 'push-bench-'))
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, ca)
  return {
    port,
    caFile,
    async report() {
      child.send('report')
      const [report] = (await once(child, 'message')) as [LoadReport]
      return report
    },
    stop() {
      child.disconnect()
      rmSync(folder, { recursive: true })
    },
  }
}

type Order = Omit<PushOrder, 'port' | 'caFile'>

async function runPush({ port, caFile }: LoadProcess, order: Order, tree = THIS_TREE): Promise<Measurement> {
  const child = startPinned('push-process.ts', {
    core: CORES.push,
    tree,
    flags: ['--require', './bench/src/redirect.cjs'],
    env: { NODE_EXTRA_CA_CERTS: caFile, LOAD_PORT: String(port), NODE_ENV: 'production' },
  })
  child.send({ ...order, port, caFile } satisfies PushOrder)
  const measurement = await messageFrom<Measurement>(child, 'push-process.ts')
  await once(child, 'exit')
  return measurement
}
