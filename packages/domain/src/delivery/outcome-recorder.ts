// Records the outcomes of one claim in bulk: at a checkpoint every quarter of a second, and at the end. Where a gateway waits for
// them, one record follows the other.
import type { Logger } from '@push-server/runtime'
import type { DeliveryRow, Release, Store } from '@push-server/store'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutcomeBuffer } from './outcome-buffer.ts'
import { startCheckpoints } from './checkpoints.ts'
import type { Decision } from './retry-policy.ts'
import type { Ending } from './rejected-records.ts'

const RETRY_MS = 500

export interface OutcomeRecorder {
  add(decision: Decision): void
  /** `providerId`: the provider's own id of the push. */
  sent(delivery: DeliveryRow, providerId: string | undefined): void
  /** Writes the rest and releases the chunk, due at `dueAt` (ms, null = now) if anything is pending. Undefined: the claim is lost. */
  release(dueAt: number | null): Promise<Release | undefined>
}

export interface OutcomeRecorderOptions {
  /** A gateway waits for the outcomes. */
  isAwaited: boolean
  buffer: OutcomeBuffer
  store: Pick<Store, 'isDataError'>
  log: Logger
  /** Called when another worker has the claim: no further push may start. */
  onLost(): void
  /** Called with the number of deliveries that failed because the database rejects their outcomes. */
  onUnrecordable(count: number): void
}

export function openOutcomeRecorder(options: OutcomeRecorderOptions): OutcomeRecorder {
  const { isAwaited, buffer, store, log, onLost, onUnrecordable } = options
  const checkpoints = startCheckpoints({
    isAwaited,
    hasNews: () => buffer.hasNews(),
    async write() {
      try {
        if ((await record()) === undefined) onLost()
        return true
      } catch (error) {
        log.warn({ err: error }, 'chunk recording failed, retrying at the next checkpoint')
        return false
      }
    },
  })

  /** Null: nothing was written, and the claim stays. */
  async function record(ending?: Ending): Promise<Release | undefined | null> {
    try {
      return await buffer.write(ending)
    } catch (error) {
      if (!store.isDataError(error)) throw error
      const { release, unrecordable } = await buffer.writeRejected(ending)
      log.error(
        { err: error, unrecordable },
        'chunk record rejected by the database, written without texts of the provider',
      )
      if (unrecordable > 0) onUnrecordable(unrecordable)
      return release
    }
  }

  return {
    add(decision) {
      buffer.add(decision)
      checkpoints.hurry()
    },
    sent(delivery, providerId) {
      buffer.sent(delivery, providerId)
      checkpoints.hurry()
    },

    /** Retries for as long as the database is unavailable or busy: deliveries without a record would be pushed again. */
    async release(dueAt) {
      await checkpoints.end()
      for (;;) {
        try {
          return (await record({ dueAt })) ?? undefined
        } catch (error) {
          log.warn({ err: error }, 'chunk recording failed, retrying')
          await sleep(RETRY_MS)
        }
      }
    },
  }
}
