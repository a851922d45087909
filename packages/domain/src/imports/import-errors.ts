// Errors in the lines of a file: all are counted, the first ones are kept. Pure.
import type { LineError } from '@push-server/contract'

/** Some lines of a file: the values of those that are well-formed, and the errors of the others. */
export interface ImportBatch<T> {
  items: readonly { line: number; value: T }[]
  failures: readonly LineError[]
}

export interface ImportErrors {
  add(failures: readonly LineError[]): void
  count(): number
  /** In the order of their lines. */
  first(): LineError[]
}

export function createImportErrors(most: number): ImportErrors {
  const first: LineError[] = []
  let count = 0
  return {
    add(failures) {
      count += failures.length
      first.push(...failures.slice(0, most - first.length))
    },
    count: () => count,
    first: () => first.toSorted((one, other) => one.line - other.line),
  }
}
