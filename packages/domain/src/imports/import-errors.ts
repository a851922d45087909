// Errors in the lines of a file: all are counted, the first ones are kept. Pure.
import { ApiError, type LineError } from '@push-server/contract'
import type { DroppedLines } from '@push-server/store'

/** Some lines of a file: the values of those that are well-formed, and the errors of the others. */
export interface ImportBatch<T> {
  items: readonly { line: number; value: T }[]
  failures: readonly LineError[]
}

/** What every import gets. */
export interface ImportFile<T> {
  /** Keeps the good lines of a file with bad ones; otherwise nothing of it is kept. */
  partial: boolean
  /** Counts what would be done, and changes nothing. */
  dryRun: boolean
  batches: AsyncIterable<ImportBatch<T>>
  /** Aborted with an error for the caller when the import has to end: what is applied by then stays. */
  signal: AbortSignal
}

/** How many errors a response has. */
export const MOST_ERRORS = 100

export interface ImportErrors {
  add(failures: readonly LineError[]): void
  /** Lines that have one error in common, of which only the first are named. */
  addDropped(dropped: DroppedLines, error: Omit<LineError, 'line'>): void
  count(): number
  /** In the order of their lines. */
  first(): LineError[]
}

export function createImportErrors(): ImportErrors {
  const first: LineError[] = []
  let count = 0
  return {
    add(failures) {
      count += failures.length
      first.push(...failures.slice(0, MOST_ERRORS - first.length))
    },
    addDropped(dropped, error) {
      this.add(dropped.lines.map((line) => ({ line, ...error })))
      count += dropped.count - dropped.lines.length
    },
    count: () => count,
    first: () => first.toSorted((one, other) => one.line - other.line),
  }
}

/** 400 for a file of which nothing was kept: a script that looks at the status alone must not take it for done. Its violations name the lines. */
export const refusalOfFile = ({ count, first }: { count: number; first: readonly LineError[] }): ApiError =>
  new ApiError(
    'ERROR_REQUEST',
    `Nothing of the file was kept: ${count} of its lines ${count === 1 ? 'has an error' : 'have errors'}`,
    {
      violations: first.map(({ line, fieldName, hint }) => ({ fieldName: `line ${line}: ${fieldName}`, hint })),
    },
  )
