// `npm run fuzz [-- --requests 5000 --seed 1]`: random requests against what `npm start` runs. Fails when a response is 5xx or
// not in time, when the server ends, and when its heap at the end is more than a tenth above that at a fifth of the way.
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz/fuzz.ts'
import { startServer } from './fuzz/server.ts'

const MOST_GROWTH = 1.1
const { values } = parseArgs({ options: { requests: { type: 'string' }, seed: { type: 'string' } } })
const requests = Number(values.requests ?? 5_000)
const seed = Number(values.seed ?? randomInt(2 ** 30))
const print = (line: string) => void process.stdout.write(`${line}\n`)

print(`${requests} requests, --seed ${seed}`)
const server = await startServer()
try {
  const heaps: number[] = []
  const measure = async () => void heaps.push(await server.heap())
  const { statuses, failures, slowestMs } = await fuzz(server, {
    requests,
    seed,
    at: { [requests / 5]: measure, [requests]: measure },
  })
  print(
    Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count}`)
      .join('  '),
  )
  print(`slowest response ${slowestMs} ms`)
  const [early = 0, late = Infinity] = heaps
  print(`heap ${megabytes(early)} after ${requests / 5}, ${megabytes(late)} at the end`)
  const isGrown = late > early * MOST_GROWTH
  if (isGrown) print('The heap has grown by more than a tenth.')
  for (const failure of failures.slice(0, 20)) print(failure)
  if (failures.length > 0) print(`${failures.length} failures; the server said:\n${server.log()}`)
  process.exitCode = isGrown || failures.length > 0 ? 1 : 0
} finally {
  await server.stop()
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
