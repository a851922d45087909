// What a claim has to write down. Direct deliveries have rows of their own; a run's chunk keeps all outcomes in its row.
import type {
  ClaimedChunk,
  DeadToken,
  DeliveryRecord,
  DeliveryRow,
  Release,
  Store,
  StoredOutcomes,
} from '@push-server/store'
import { accepted, type Disposal } from './disposal.ts'
import type { Guard } from './guard.ts'
import { createOutcomes } from './outcomes.ts'

export interface Book {
  add(disposal: Disposal): void
  /** As `add`, of a delivery that was accepted. */
  sent(delivery: DeliveryRow, providerId: string | undefined): void
  /** Whether something was added since the last write that succeeded. */
  hasNews(): boolean
  /** A checkpoint, or with `release` the end of the claim. Undefined: the claim is lost. What fails is written next time. */
  write(release?: { dueAt: number | null }): Promise<Release | undefined>
}

export interface BookOptions {
  store: Pick<Store, 'chunks' | 'runChunks'>
  guard: Pick<Guard, 'admit'>
  chunk: ClaimedChunk
  owner: string
}

export const bookOf = (options: BookOptions): Book => {
  const { outcomes } = options.chunk
  return outcomes ? outcomesBook(options, outcomes) : deliveriesBook(options)
}

function deliveriesBook({ store: { chunks }, guard, chunk, owner }: BookOptions): Book {
  let deliveries: DeliveryRecord[] = []
  let deadTokens: DeadToken[] = []
  return {
    add({ record, deadToken }) {
      deliveries.push(record)
      if (deadToken) deadTokens.push(deadToken)
    },
    sent: (delivery, providerId) => void deliveries.push(accepted(delivery, providerId)),
    hasNews: () => deliveries.length > 0,
    async write(release) {
      const page = { deliveries, deadTokens }
      deliveries = []
      deadTokens = []
      try {
        const records = {
          deliveries: page.deliveries,
          deadTokens: await guard.admit(chunk.applicationId, page.deadTokens),
        }
        return await (release
          ? chunks.release(chunk, owner, { ...records, ...release })
          : chunks.record(chunk, owner, records))
      } catch (error) {
        deliveries = [...page.deliveries, ...deliveries]
        deadTokens = [...page.deadTokens, ...deadTokens]
        throw error
      }
    },
  }
}

/** Everything is written each time, so a write that failed needs no memory but for the dead tokens. */
function outcomesBook({ store: { runChunks }, guard, chunk, owner }: BookOptions, start: StoredOutcomes): Book {
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
    async write(release) {
      const page = deadTokens
      deadTokens = []
      news = false
      try {
        const admitted = await guard.admit(chunk.applicationId, page)
        const records = { outcomes: outcomes.stored(), deadTokens: admitted }
        return await (release
          ? runChunks.release(chunk, owner, { ...records, ...release })
          : runChunks.record(chunk, owner, records))
      } catch (error) {
        deadTokens = [...page, ...deadTokens]
        news = true
        throw error
      }
    },
  }
}
