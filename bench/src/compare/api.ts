// Single messages through the API of one tree: price and speed of cells a to d of `bench:api`. Database and audiences stay from round
// to round; the services are fresh in each, and warmed up.
import { audienceOf } from '../api/audience.ts'
import { CELLS, nameOf, type Cell } from '../api/cells.ts'
import { openGround, type Ground } from '../api/ground.ts'
import { altogether, measureCell, type CellResult } from '../api/measure.ts'
import type { Figure } from './figures.ts'
import type { OpenSubject } from './subject.ts'

const QUICK = { messages: 2_000, alone: 500 }

export const openApi: OpenSubject = async (tree, { quick }) => {
  const ground = await openGround({ backend: 'redis', tree, platforms: ['ios'] })
  try {
    const cells = Object.entries(CELLS).map(([name, cell]) => ({ name, cell: quick ? quickly(cell) : cell }))
    await ground.makeAudiences(cells.map(({ cell }) => audienceOf(cell)))
    const cases = cells.map(({ name, cell }) => ({
      name: `${name}: ${nameOf(cell)}`,
      measure: async () => figuresOf(await measure(ground, cell)),
    }))
    return { cases, close: ground.close }
  } catch (error) {
    await ground.close()
    throw error
  }
}

const quickly = (cell: Cell): Cell => ({ ...cell, messages: cell.connections === 1 ? QUICK.alone : QUICK.messages })

async function measure(ground: Ground, cell: Cell): Promise<CellResult> {
  await using target = await ground.startTarget(cell)
  const result = await measureCell(ground, target, { cell })
  if (result.failures.length > 0) throw new Error(`${ground.stage.tree.name}: ${result.failures.join('; ')}`)
  return result
}

function figuresOf({ micros, requestsPerSecond, deliveredPerSecond, p50 }: CellResult): Figure[] {
  const cost = (name: string, value: number): Figure => ({ name: `${name}, µs CPU/message`, value, better: 'lower' })
  return [
    cost('altogether', altogether(micros)),
    cost('gateway', micros.gateway),
    cost('workers', micros.workers),
    cost('PostgreSQL', micros.postgres),
    ...(micros.redis === undefined ? [] : [cost('Redis', micros.redis)]),
    { name: 'requests/s', value: requestsPerSecond, better: 'higher' },
    { name: 'delivered/s', value: deliveredPerSecond, better: 'higher' },
    { name: 'p50, ms', value: p50, better: 'lower' },
  ]
}
