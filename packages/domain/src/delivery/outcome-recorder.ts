// Records the outcomes of one claim in bulk: at a checkpoint every quarter of a second, and at the end. Where a gateway waits for
// them, one record follows the other.
import type { Logger } from '@push-server/runtime'
import type { DeliveryRow, Release, Store } from '@push-server/store'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutcomeBuffer } from './outcome-buffer.ts'
import type { Decision } from './retry-policy.ts'
import type { Ending } from './rejected-records.ts'

/** When a worker dies, the outcomes of at most this time are lost beside those of the pushes in flight. */
export const CHECKPOINT_MS = 250
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

export function openOutcomeRecorder({
  isAwaited,
  buffer,
  store,
  log,
  onLost,
  onUnrecordable,
}: OutcomeRecorderOptions): OutcomeRecorder {
  let writing: Promise<void> = Promise.resolve()
  let idle = true
  let isEnding = false
  let soon: NodeJS.Immediate | undefined
  const write = () => {
    if (idle && buffer.hasNews()) writing = checkpoint()
  }
  const timer = setInterval(write, CHECKPOINT_MS)
  /** Outcomes that arrive together are written together. */
  const writeSoon = () => {
    if (isAwaited && idle && !isEnding) soon ??= setImmediate(() => ((soon = undefined), write()))
  }

  async function checkpoint(): Promise<void> {
    idle = false
    try {
      if ((await record()) === undefined) onLost()
      idle = true
      if (buffer.hasNews()) writeSoon()
    } catch (error) {
      log.warn({ err: error }, 'chunk recording failed, retrying at the next checkpoint')
      idle = true
    }
  }

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
      writeSoon()
    },
    sent(delivery, providerId) {
      buffer.sent(delivery, providerId)
      writeSoon()
    },

    /** Retries for as long as the database is unavailable or busy: deliveries without a record would be pushed again. */
    async release(dueAt) {
      clearInterval(timer)
      clearImmediate(soon)
      isEnding = true
      await writing
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
