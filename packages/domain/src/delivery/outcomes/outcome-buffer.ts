// Outcomes that a claim has still to record. Direct deliveries have rows of their own; a run's chunk keeps all outcomes in its row.
import type { NaturalBatches } from '@push-server/runtime'
import type {
  ChunkRecord,
  ClaimedChunk,
  DeadToken,
  DeliveryRecord,
  DeliveryRow,
  Release,
  Store,
  StoredOutcomes,
} from '@push-server/store'
import { accepted, type Decision } from './retry-policy.ts'
import type { TokenCircuitBreaker } from '../token-circuit-breaker.ts'
import { createOutcomes } from './outcome-bytes.ts'
import { rejectedRecords, type Ending, type Rejected } from './rejected-records.ts'

export interface OutcomeBuffer {
  add(decision: Decision): void
  /** As `add`, for a delivery that the provider accepted. */
  sent(delivery: DeliveryRow, providerId: string | undefined): void
  /** Whether something was added since the last write that succeeded. */
  hasNews(): boolean
  /** Writes a checkpoint, or with `ending` the end of the claim. Undefined: the claim is lost. A failed write is repeated by the next one. */
  write(ending?: Ending): Promise<Release | undefined>
  /** As `write`, for outcomes that the database has rejected. */
  writeRejected(ending: Ending): Promise<Rejected>
}

export interface OutcomeBufferOptions {
  store: Pick<Store, 'chunks' | 'clock' | 'runChunks' | 'isDataError'>
  breaker: Pick<TokenCircuitBreaker, 'admit'>
  /** Shared by the chunks of a worker. */
  records: NaturalBatches<ChunkRecord, Release | undefined>
  chunk: ClaimedChunk
  owner: string
}

export const bufferOf = (options: OutcomeBufferOptions): OutcomeBuffer => {
  const { outcomes } = options.chunk
  return outcomes ? runBuffer(options, outcomes) : directBuffer(options)
}

function directBuffer(options: OutcomeBufferOptions): OutcomeBuffer {
  const { store, breaker, records, chunk, owner } = options
  const rejected = rejectedRecords(options)
  let deliveries: DeliveryRecord[] = []
  let deadTokens: DeadToken[] = []
  return {
    add({ record, deadToken }) {
      deliveries.push(record)
      if (deadToken) deadTokens.push(deadToken)
    },
    sent: (delivery, providerId) => void deliveries.push(accepted(delivery, providerId)),
    hasNews: () => deliveries.length > 0,
    async write(ending) {
      const page = { deliveries, deadTokens }
      deliveries = []
      deadTokens = []
      try {
        const dead = await breaker.admit(chunk, page.deadTokens)
        const record = { claim: chunk, deliveries: page.deliveries, release: ending }
        return await (dead.length > 0 ? store.chunks.recordAndDrop(owner, record, dead) : records.add(record))
      } catch (error) {
        deliveries = [...page.deliveries, ...deliveries]
        deadTokens = [...page.deadTokens, ...deadTokens]
        throw error
      }
    },
    async writeRejected(ending) {
      const page = deliveries
      deliveries = []
      deadTokens = []
      try {
        return await rejected.deliveries(page, ending)
      } catch (error) {
        // Records of it that were written are not pending any more, and count once.
        deliveries = [...page, ...deliveries]
        throw error
      }
    },
  }
}

/** Each write has all outcomes, so that a failed write has to keep the dead tokens only. */
function runBuffer(options: OutcomeBufferOptions, start: StoredOutcomes): OutcomeBuffer {
  const { store, breaker, chunk, owner } = options
  const { runChunks } = store
  const rejected = rejectedRecords(options)
  const outcomes = createOutcomes(start)
  let deadTokens: DeadToken[] = []
  let news = false
  return {
    add({ record, deadToken }) {
      outcomes.add(record)
      if (deadToken) deadTokens.push(deadToken)
      news = true
    },
    sent({ id }) {
      outcomes.sent(id)
      news = true
    },
    hasNews: () => news,
    async write(ending) {
      const page = deadTokens
      deadTokens = []
      news = false
      try {
        const admitted = await breaker.admit(chunk, page)
        const records = { outcomes: outcomes.stored(), deadTokens: admitted }
        return await (ending
          ? runChunks.release(chunk, owner, { ...records, ...ending })
          : runChunks.record(chunk, owner, records))
      } catch (error) {
        deadTokens = [...page, ...deadTokens]
        news = true
        throw error
      }
    },
    async writeRejected(ending) {
      deadTokens = []
      return rejected.outcomes(outcomes.stored(), ending)
    },
  }
}
