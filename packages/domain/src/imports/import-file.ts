// The way of every import: lines are read and staged, what cannot be applied is dropped, the rest is applied once all are read.
import { refusal, TEXT, type ImportResult, type LineError } from '@push-server/contract'
import { CampaignGone, type ApplyOptions, type DroppedLines, type ImportCounts } from '@push-server/store'
import { createImportErrors, MOST_ERRORS, refusalOfFile, type ImportBatch, type ImportFile } from './import-errors.ts'

/** Where the rows of a file gather until its last line was read. */
export interface Staging<Row> {
  stage(rows: readonly Row[]): Promise<void>
  apply(options: ApplyOptions): Promise<ImportCounts>
  close(): Promise<void>
}

export interface ImportSteps<T, Row> {
  staging: Staging<Row>
  /** The row of each line, or what is wrong with it. */
  read(items: ImportBatch<T>['items']): Promise<(Row | LineError)[]> | (Row | LineError)[]
  /** Drops staged lines that contradict what is stored, and says why. Called once. */
  drop?(most: number): Promise<DroppedLines>
  /** What they have in common. */
  dropReason?: Omit<LineError, 'line'>
}

const isError = (row: object): row is LineError => 'hint' in row

/** Nothing is changed before the last line was read. Refuses a file of which nothing is kept. */
export async function importFile<T, Row extends object>(
  { partial, dryRun, batches, signal }: ImportFile<T>,
  { staging, read, drop, dropReason }: ImportSteps<T, Row>,
): Promise<ImportResult> {
  const errors = createImportErrors()
  try {
    for await (const { items, failures } of batches) {
      errors.add(failures)
      const rows = await read(items)
      errors.add(rows.filter(isError))
      await staging.stage(rows.filter((row): row is Row => !isError(row)))
    }
    if (drop && dropReason) errors.addDropped(await drop(MOST_ERRORS), dropReason)
    const failed = errors.count()
    const refused = { count: failed, first: errors.first() }
    if (failed > 0 && !partial) throw refusalOfFile(refused)
    const counts = await staging.apply({ dryRun, signal })
    if (failed > 0 && counts.imported + counts.updated + counts.kept === 0) throw refusalOfFile(refused)
    return { ...counts, failed, errors: refused.first }
  } catch (error) {
    throw error instanceof CampaignGone ? refusal(TEXT.campaignUnknown, error) : error
  } finally {
    await staging.close()
  }
}
