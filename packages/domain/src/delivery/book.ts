// What a claim has to write down. Direct deliveries have rows of their own; a run's chunk keeps all outcomes in its row.
import type { ClaimedChunk, DeadToken, DeliveryRecord, Release, Store } from '@push-server/store'
import type { Disposal } from './disposal.ts'
import { createOutcomes } from './outcomes.ts'

export interface Book {
  add(disposal: Disposal): void
  /** Whether something was added since the last write that succeeded. */
  hasNews(): boolean
  /** A checkpoint, or with `release` the end of the claim. Undefined: the claim is lost. What fails is written next time. */
  write(release?: { dueAt: number | null }): Promise<Release | undefined>
}

type Shelves = Pick<Store, 'chunks' | 'runChunks'>

export const bookOf = (store: Shelves, chunk: ClaimedChunk, owner: string): Book =>
  chunk.outcomes
    ? outcomesBook(store, { ...chunk, outcomes: chunk.outcomes }, owner)
    : deliveriesBook(store, chunk, owner)

function deliveriesBook({ chunks }: Shelves, chunk: ClaimedChunk, owner: string): Book {
  let deliveries: DeliveryRecord[] = []
  let deadTokens: DeadToken[] = []
  return {
    add({ record, deadToken }) {
      deliveries.push(record)
      if (deadToken) deadTokens.push(deadToken)
    },
    hasNews: () => deliveries.length > 0,
    async write(release) {
      const page = { deliveries, deadTokens }
      deliveries = []
      deadTokens = []
      try {
        return await (release
          ? chunks.release(chunk, owner, { ...page, ...release })
          : chunks.record(chunk, owner, page))
      } catch (error) {
        deliveries = [...page.deliveries, ...deliveries]
        deadTokens = [...page.deadTokens, ...deadTokens]
        throw error
      }
    },
  }
}

type RunChunk = ClaimedChunk & { outcomes: NonNullable<ClaimedChunk['outcomes']> }

/** Everything is written each time, so a write that failed needs no memory but for the dead tokens. */
function outcomesBook({ runChunks }: Shelves, chunk: RunChunk, owner: string): Book {
  const outcomes = createOutcomes(chunk.outcomes)
  let deadTokens: DeadToken[] = []
  let news = false
  return {
    add({ record, deadToken }) {
      outcomes.add(record)
      if (deadToken) deadTokens.push(deadToken)
      news = true
    },
    hasNews: () => news,
    async write(release) {
      const page = { outcomes: outcomes.stored(), deadTokens }
      deadTokens = []
      news = false
      try {
        return await (release
          ? runChunks.release(chunk, owner, { ...page, ...release })
          : runChunks.record(chunk, owner, page))
      } catch (error) {
        deadTokens = [...page.deadTokens, ...deadTokens]
        news = true
        throw error
      }
    },
  }
}
