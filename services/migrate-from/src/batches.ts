// Rows gathered into requests: those of one group together, and no request too large. Pure.
import { lineOf, type Kind, type OldRow } from './kinds.ts'

export interface Batch {
  group: string
  lines: OldRow[]
}

/** Well below what IMPORT_LIMIT allows. */
const MOST_CHARACTERS = 4_000_000

/** Lines of all groups that are held at a time: beyond them the largest group goes before it is full. */
const MOST_HELD = 100_000

/** In each group in the order of the rows. */
export async function* batchesOf(kind: Kind, rows: AsyncIterable<OldRow>): AsyncGenerator<Batch> {
  const open = new Map<string, { lines: OldRow[]; size: number }>()
  let held = 0
  for await (const row of rows) {
    if (kind.obstacle(row) !== undefined) continue
    const group = kind.groupOf(row)
    const batch = open.get(group) ?? { lines: [], size: 0 }
    open.set(group, batch)
    const line = lineOf(row)
    batch.lines.push(line)
    batch.size += sizeOf(line)
    held += 1
    const isFull = batch.lines.length >= kind.most || batch.size >= MOST_CHARACTERS
    if (!isFull && held < MOST_HELD) continue
    const [next, { lines }] = isFull ? ([group, batch] as const) : largestOf(open, [group, batch])
    open.delete(next)
    held -= lines.length
    yield { group: next, lines }
  }
  for (const [group, { lines }] of open) yield { group, lines }
}

/** As `any` is among them there is one. */
const largestOf = <B extends { lines: OldRow[] }>(open: ReadonlyMap<string, B>, any: readonly [string, B]) =>
  [...open].reduce<readonly [string, B]>(
    (most, each) => (each[1].lines.length > most[1].lines.length ? each : most),
    any,
  )

const sizeOf = (line: OldRow) =>
  Object.values(line).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 20), 0)
