// `npm run bench:bodies [-- --only path]`: what a body costs the gateway, as a multiple of what JSON.parse costs of the same body in
// the same process, for every operation and at its limits. Fails when something costs more than four times as much.
import { parseArgs } from 'node:util'
import { operationsOf, type ApiDocument, type Operation } from '@push-server/testing'
import { batchSize, bodyLimit, campaignBodyLimit, importLimit, openApp } from './bodies/app.ts'
import { bodiesOf, type BodySizes, type LargeBody } from './bodies/bodies.ts'
import { layout, median } from './table.ts'
import { machine } from './results.ts'

const MOST = 4
const ROUNDS = 3
/** A smaller body is sent so often that together they are as large. */
const LEAST_BYTES = 512 * 1024
/** Smaller differences are noise. */
const NOISE = { ms: 1, bytes: 256 * 1024 }

interface Cost {
  ms: number
  bytes: number
}

interface Row {
  operation: string
  what: string
  size: number
  status: number
  alone: Cost
  gateway: Cost
}

const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } })
const app = await openApp()
const document = (await app.inject('/v3/api-docs')).json<ApiDocument>()
const operations = operationsOf(document).filter(({ path }) => path.includes(values.only))

const sizesOf = ({ path, body }: Operation): BodySizes => ({
  limit: body?.type === 'application/json' ? (path.includes('/user/') ? campaignBodyLimit : bodyLimit) : importLimit,
  mostItems: path.endsWith('/batch/send') ? batchSize : undefined,
})

/** CPU of the process, and the heap that was taken: the young generation is so large that nothing of it is collected meanwhile. */
async function cost(work: () => unknown, times: number): Promise<Cost> {
  const costs: Cost[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    globalThis.gc?.()
    const [heap, cpu] = [process.memoryUsage().heapUsed, process.cpuUsage()]
    for (let time = 0; time < times; time += 1) await work()
    const { user, system } = process.cpuUsage(cpu)
    costs.push({
      ms: (user + system) / 1_000 / times,
      bytes: (process.memoryUsage().heapUsed - heap) / times,
    })
  }
  return { ms: Math.min(...costs.map(({ ms }) => ms)), bytes: median(costs.map(({ bytes }) => bytes)) }
}

function parseAlone({ type }: NonNullable<Operation['body']>, bytes: Buffer): void {
  const texts = type === 'application/json' ? [bytes.toString()] : bytes.toString().split('\n')
  for (const text of texts)
    try {
      JSON.parse(text)
    } catch {
      // What is no JSON is measured as far as it is read.
    }
}

async function measure(operation: Operation, { what, bytes }: LargeBody, empty: Cost): Promise<Row | undefined> {
  const { body, method } = operation
  if (!body) return undefined
  let status = 0
  const send = async () => void (status = (await inject(operation, bytes)).statusCode)
  const times = Math.ceil(LEAST_BYTES / bytes.length)
  const alone = await cost(() => parseAlone(body, bytes), times)
  const whole = await cost(send, times)
  const gateway = { ms: Math.max(0, whole.ms - empty.ms), bytes: Math.max(0, whole.bytes - empty.bytes) }
  return { operation: `${method} ${operation.path}`, what, size: bytes.length, status, alone, gateway }
}

const inject = ({ method, path, body }: Operation, payload: Buffer) =>
  app.inject({
    method: method as 'POST',
    url: `${path.replaceAll(/\{(\w+)\}/g, '1')}?appId=mobile-app`,
    headers: { 'content-type': body?.type ?? 'application/json' },
    payload,
  })

const ratio = (gateway: number, alone: number, noise: number) => Math.max(0, gateway - noise) / Math.max(alone, 0.001)
const ratiosOf = ({ gateway, alone }: Row) => ({
  cpu: ratio(gateway.ms, alone.ms, NOISE.ms),
  heap: ratio(gateway.bytes, alone.bytes, NOISE.bytes),
})

process.stdout.write(
  `${machine()}, the best of ${ROUNDS}; the gateway's share without ${NOISE.ms} ms and ${NOISE.bytes / 1024} KiB\n\n`,
)
const rows: Row[] = []
for (const operation of operations) {
  const empty = await cost(() => inject(operation, Buffer.from('{}')), 20)
  for (const large of bodiesOf(operation, sizesOf(operation))) {
    const row = await measure(operation, large, empty)
    if (row) rows.push(row)
  }
}
await app.close()

const cells = (row: Row): string[] => {
  const { cpu, heap } = ratiosOf(row)
  const { alone, gateway } = row
  return [
    `${row.operation}: ${row.what}`,
    (row.size / 1_024).toFixed(0),
    String(row.status),
    alone.ms.toFixed(1),
    gateway.ms.toFixed(1),
    cpu.toFixed(1),
    (alone.bytes / 1_048_576).toFixed(1),
    (gateway.bytes / 1_048_576).toFixed(1),
    heap.toFixed(1),
  ]
}
const HEAD = ['body', 'KiB', 'status', 'JSON.parse ms', 'gateway ms', '×', 'JSON.parse MiB', 'gateway MiB', '×']
process.stdout.write(`${layout([HEAD, ...rows.map(cells)])}\n`)
const dear = rows.filter((row) => Math.max(...Object.values(ratiosOf(row))) > MOST)
process.stdout.write(
  dear.length === 0
    ? `\nNo body costs more than ${MOST} times its JSON.parse.\n`
    : `\nMore than ${MOST} times its JSON.parse:\n${layout([HEAD, ...dear.map(cells)])}\n`,
)
if (dear.length > 0) process.exitCode = 1
