// Records that PostgreSQL rejects. The same record would be rejected again, and its pushes repeated with every lease. So it is written
// without the provider's texts, then delivery by delivery; a delivery that is rejected even so fails as `Unrecordable`.
import {
  UNRECORDABLE,
  type ClaimedChunk,
  type DeliveryRecord,
  type Release,
  type Store,
  type StoredOutcomes,
} from '@push-server/store'

/** How a claim ends; undefined for a checkpoint. */
export type Ending = { dueAt: number | null } | undefined

export interface RejectedRecordsOptions {
  store: Pick<Store, 'chunks' | 'clock' | 'runChunks' | 'isDataError'>
  chunk: ClaimedChunk
  owner: string
}

export interface Rejected {
  /** Undefined: the claim is lost. Null: nothing was written, and the claim stays. */
  release: Release | undefined | null
  /** Number of deliveries that failed as `Unrecordable`. */
  unrecordable: number
}

/** Replaces a reason that the database rejects. */
const UNKNOWN = 'Unknown'
/** Bound of a delay that the provider named. */
const LONGEST_DELAY_MS = 600_000

const plainTime = (time: number | null, now: number) =>
  time === null || Number.isNaN(time) ? null : Math.min(time, now + LONGEST_DELAY_MS)

/** The record without texts and times of the provider. */
const plainRecord = (record: DeliveryRecord, now: number): DeliveryRecord => ({
  ...record,
  reason: record.status === 'failed' ? UNKNOWN : null,
  providerId: null,
  nextAttemptAt: plainTime(record.nextAttemptAt, now),
})

const plainOutcomes = (outcomes: StoredOutcomes, now: number): StoredOutcomes => ({
  ...outcomes,
  reasonNames: outcomes.reasonNames.map(() => UNKNOWN),
  reasons: outcomes.failed > 0 ? { [UNKNOWN]: outcomes.failed } : {},
  retries: Object.fromEntries(
    Object.entries(outcomes.retries).map(([position, [attempts, next]]) => [
      position,
      [attempts, plainTime(next, now)],
    ]),
  ),
})

const failedRecord = (record: DeliveryRecord): DeliveryRecord => ({ ...record, ...failure, providerId: null })
const failure = { status: 'failed', reason: UNRECORDABLE, nextAttemptAt: null } as const

export function rejectedRecords({ store, chunk, owner }: RejectedRecordsOptions) {
  const { chunks, runChunks } = store

  /** Resolves with 'rejected' in place of an error that every repetition would meet. */
  async function unlessRejected<T>(write: () => Promise<T>): Promise<T | 'rejected'> {
    try {
      return await write()
    } catch (error) {
      if (!store.isDataError(error)) throw error
      return 'rejected'
    }
  }

  const write = (deliveries: readonly DeliveryRecord[], ending: Ending) =>
    unlessRejected(async () => {
      const [release] = await chunks.record(owner, [{ claim: chunk, deliveries, release: ending }])
      return release
    })

  const settleChunk = () => chunks.settleUnrecordable(chunk, owner)

  /** Writes each delivery by itself. */
  async function writeEach(
    deliveries: readonly DeliveryRecord[],
  ): Promise<{ isLost: boolean; unrecordable: number; isStuck: boolean }> {
    let unrecordable = 0
    let isStuck = false
    for (const delivery of deliveries) {
      let written = await write([delivery], undefined)
      if (written === 'rejected') {
        unrecordable++
        written = await write([failedRecord(delivery)], undefined)
      }
      if (written === undefined) return { isLost: true, unrecordable, isStuck }
      isStuck ||= written === 'rejected'
    }
    return { isLost: false, unrecordable, isStuck }
  }

  return {
    async deliveries(records: readonly DeliveryRecord[], given: Ending): Promise<Rejected> {
      const now = store.clock.now()
      const plain = records.map((record) => plainRecord(record, now))
      const ending = given && { dueAt: plainTime(given.dueAt, now) }
      const together = await write(plain, ending)
      if (together !== 'rejected') return { release: together, unrecordable: 0 }
      const { isLost, unrecordable, isStuck } = await writeEach(plain)
      if (isLost) return { release: undefined, unrecordable }
      if (!ending) return { release: null, unrecordable }
      const release = isStuck ? 'rejected' : await write([], ending)
      return { release: release === 'rejected' ? await settleChunk() : release, unrecordable }
    },

    /** For a run's chunk, whose outcomes are one value: they are written, or the chunk is settled without them. */
    async outcomes(outcomes: StoredOutcomes, given: Ending): Promise<Rejected> {
      const now = store.clock.now()
      const records = { outcomes: plainOutcomes(outcomes, now), deadTokens: [] }
      const ending = given && { dueAt: plainTime(given.dueAt, now) }
      const release = await unlessRejected(() =>
        ending ? runChunks.release(chunk, owner, { ...records, ...ending }) : runChunks.record(chunk, owner, records),
      )
      if (release !== 'rejected') return { release, unrecordable: 0 }
      if (!ending) return { release: null, unrecordable: 0 }
      return { release: await settleChunk(), unrecordable: chunk.deliveries.length }
    },
  }
}
