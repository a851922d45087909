// Outcomes of one claim on their way into the database: in bulk, every quarter of a second and at the end.
import type { Logger } from '@push-server/runtime'
import type { DeliveryRow, Release, Store } from '@push-server/store'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OutcomeBuffer } from './outcome-buffer.ts'
import type { Decision } from './retry-policy.ts'
import type { Ending } from './rejected-records.ts'

/** What a worker's death may cost beside the pushes in flight: the answers of this long. */
export const CHECKPOINT_MS = 250
const RETRY_MS = 500

export interface OutcomeRecorder {
  add(decision: Decision): void
  /** `providerId`: the provider's own name for it. */
  sent(delivery: DeliveryRow, providerId: string | undefined): void
  /** Writes the rest and gives the chunk back, due at `dueAt` (ms, null = now) if anything is pending. Undefined: claim lost. */
  release(dueAt: number | null): Promise<Release | undefined>
}

export interface OutcomeRecorderOptions {
  buffer: OutcomeBuffer
  store: Pick<Store, 'isDataError'>
  log: Logger
  /** The claim went to another worker: no further push may start. */
  onLost(): void
  /** So many deliveries failed because the database rejects what became of them. */
  onUnrecordable(count: number): void
}

export function openOutcomeRecorder({
  buffer,
  store,
  log,
  onLost,
  onUnrecordable,
}: OutcomeRecorderOptions): OutcomeRecorder {
  let writing: Promise<void> = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (idle && buffer.hasNews()) writing = checkpoint()
  }, CHECKPOINT_MS)

  async function checkpoint(): Promise<void> {
    idle = false
    try {
      if ((await write()) === undefined) onLost()
    } catch (error) {
      log.warn({ err: error }, 'recording failed; the next checkpoint tries again')
    } finally {
      idle = true
    }
  }

  /** Null: nothing was written, and the claim stays. */
  async function write(ending?: Ending): Promise<Release | undefined | null> {
    try {
      return await buffer.write(ending)
    } catch (error) {
      if (!store.isDataError(error)) throw error
      const { release, unrecordable } = await buffer.writeRejected(ending)
      log.error({ err: error, unrecordable }, 'record rejected by the database; written without what the provider said')
      if (unrecordable > 0) onUnrecordable(unrecordable)
      return release
    }
  }

  return {
    add: (decision) => buffer.add(decision),
    sent: (delivery, providerId) => buffer.sent(delivery, providerId),

    /**
     * Does not give up while the database is away or busy: outcomes that are not written would be pushed again.
     */
    async release(dueAt) {
      clearInterval(timer)
      await writing
      for (;;) {
        try {
          return (await write({ dueAt })) ?? undefined
        } catch (error) {
          log.warn({ err: error }, 'recording failed; trying again')
          await sleep(RETRY_MS)
        }
      }
    },
  }
}
