// What is wrong with the lines of a file: all counted, the first ones remembered. Pure.
import type { LineFault } from '@push-server/contract'

/** What came of some lines: those that are well-formed, and what is wrong with the others. */
export interface ImportBatch<T> {
  items: readonly { line: number; value: T }[]
  faults: readonly LineFault[]
}

export interface Faults {
  add(faults: readonly LineFault[]): void
  count(): number
  /** In the order of their lines. */
  first(): LineFault[]
}

export function createFaults(most: number): Faults {
  const first: LineFault[] = []
  let count = 0
  return {
    add(faults) {
      count += faults.length
      first.push(...faults.slice(0, most - first.length))
    },
    count: () => count,
    first: () => first.toSorted((one, other) => one.line - other.line),
  }
}
