// What there is to move, and what cannot be, before anything is.
import { KINDS, type Kind } from './kinds.ts'
import type { Source } from './source.ts'

export interface Found {
  kind: Kind
  rows: number
  /** What can be moved, by group. */
  groups: Map<string, number>
  /** What cannot, by reason. */
  left: Map<string, number>
  /** What is moved and should be known, by remark. */
  remarks: Map<string, number>
}

export async function survey(source: Source): Promise<Found[]> {
  const all: Found[] = []
  for (const kind of KINDS) {
    const found: Found = { kind, rows: 0, groups: new Map(), left: new Map(), remarks: new Map() }
    for await (const row of source.rows(kind.name)) {
      found.rows += 1
      const obstacle = kind.obstacle(row)
      if (obstacle !== undefined) {
        count(found.left, obstacle)
        continue
      }
      count(found.groups, kind.groupOf(row))
      const remark = kind.remark?.(row)
      if (remark !== undefined) count(found.remarks, remark)
    }
    all.push(found)
  }
  return all
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
