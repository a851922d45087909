// Rows gathered into requests: those of one group together, and no request too large. Pure.
import { lineOf, type Kind, type OldRow } from './kinds.ts'

export interface Batch {
  group: string
  lines: OldRow[]
}

/** Well below what IMPORT_LIMIT allows. */
const MOST_CHARACTERS = 4_000_000

/** In each group in the order of the rows. */
export async function* batchesOf(kind: Kind, rows: AsyncIterable<OldRow>): AsyncGenerator<Batch> {
  const open = new Map<string, { lines: OldRow[]; size: number }>()
  for await (const row of rows) {
    if (kind.obstacle(row) !== undefined) continue
    const group = kind.groupOf(row)
    const batch = open.get(group) ?? { lines: [], size: 0 }
    open.set(group, batch)
    const line = lineOf(row)
    batch.lines.push(line)
    batch.size += sizeOf(line)
    if (batch.lines.length < kind.most && batch.size < MOST_CHARACTERS) continue
    open.delete(group)
    yield { group, lines: batch.lines }
  }
  for (const [group, { lines }] of open) yield { group, lines }
}

const sizeOf = (line: OldRow) =>
  Object.values(line).reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 20), 0)
