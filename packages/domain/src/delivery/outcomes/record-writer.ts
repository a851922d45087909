// Writes the records of one claim: at checkpoints, and at its end for as long as the database is unavailable or busy.
import type { Platform } from '@push-server/contract'
import type { Logger, Metrics } from '@push-server/runtime'
import type { Release, Store } from '@push-server/store'
import { setTimeout as sleep } from 'node:timers/promises'
import { startCheckpoints } from './checkpoints.ts'
import type { OutcomeBuffer } from './outcome-buffer.ts'
import type { Ending } from './rejected-records.ts'

const RETRY_MS = 500

export interface RecordWriter {
  /** The buffer has an outcome that somebody may wait for. */
  hurry(): void
  /** Writes the rest and releases the chunk, due at `dueAt` (ms, null = now) if anything is pending. Undefined: the claim is lost. */
  release(dueAt: number | null): Promise<Release | undefined>
}

export interface RecordWriterOptions {
  store: Pick<Store, 'isDataError'>
  platform: Platform
  metrics: Metrics
  log: Logger
  /** Called when another worker has the claim: no further push may start. */
  onLost(): void
}

/** `isAwaited`: a gateway waits for the outcomes. */
export function openRecordWriter(
  buffer: OutcomeBuffer,
  isAwaited: boolean,
  { store, platform, metrics, log, onLost }: RecordWriterOptions,
): RecordWriter {
  /** Null: nothing was written, and the claim stays. */
  async function write(ending?: Ending): Promise<Release | undefined | null> {
    try {
      return await buffer.write(ending)
    } catch (error) {
      if (!store.isDataError(error)) throw error
      const { release, unrecordable } = await buffer.writeRejected(ending)
      log.error(
        { err: error, unrecordable },
        'chunk record rejected by the database, written without texts of the provider',
      )
      if (unrecordable > 0) metrics.unrecordable(platform, unrecordable)
      return release
    }
  }

  const checkpoints = startCheckpoints({
    isAwaited,
    hasNews: () => buffer.hasNews(),
    async write() {
      try {
        if ((await write()) === undefined) onLost()
        return true
      } catch (error) {
        log.warn({ err: error }, 'chunk recording failed, retrying at the next checkpoint')
        return false
      }
    },
  })

  return {
    hurry: () => checkpoints.hurry(),
    /** Deliveries without a record would be pushed again. */
    async release(dueAt) {
      await checkpoints.end()
      for (;;) {
        try {
          return (await write({ dueAt })) ?? undefined
        } catch (error) {
          log.warn({ err: error }, 'chunk recording failed, retrying')
          await sleep(RETRY_MS)
        }
      }
    },
  }
}
