// Outcomes of one claim on their way into the database: in bulk, every quarter of a second and at the end.
import type { Logger } from '@push-server/runtime'
import type { Claim, DeadToken, DeliveryRecord, Release, Store } from '@push-server/store'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disposal } from './disposal.ts'

/** What a worker's death may cost beside the pushes in flight: the answers of this long. */
export const CHECKPOINT_MS = 250
const RETRY_MS = 500

export interface Ledger {
  add(disposal: Disposal): void
  /** Writes the rest and gives the chunk back, due at `dueAt` (ms, null = now) if anything is pending. Undefined: claim lost. */
  release(dueAt: number | null): Promise<Release | undefined>
}

export interface LedgerOptions {
  claim: Claim
  owner: string
  store: Pick<Store, 'chunks' | 'isRefused'>
  log: Logger
  /** The claim went to another worker: no further push may start. */
  onLost(): void
}

interface Page {
  deliveries: DeliveryRecord[]
  deadTokens: DeadToken[]
}

const blankPage = (): Page => ({ deliveries: [], deadTokens: [] })

export function openLedger({ claim, owner, store, log, onLost }: LedgerOptions): Ledger {
  let page = blankPage()
  let writing: Promise<void> = Promise.resolve()
  let idle = true
  const timer = setInterval(() => {
    if (idle && page.deliveries.length > 0) writing = checkpoint()
  }, CHECKPOINT_MS)

  async function checkpoint(): Promise<void> {
    const written = page
    page = blankPage()
    idle = false
    try {
      if (!(await store.chunks.record(claim, owner, written))) onLost()
    } catch (error) {
      log.warn({ err: error }, 'recording failed; the next checkpoint tries again')
      page = {
        deliveries: [...written.deliveries, ...page.deliveries],
        deadTokens: [...written.deadTokens, ...page.deadTokens],
      }
    } finally {
      idle = true
    }
  }

  return {
    add({ record, deadToken }) {
      page.deliveries.push(record)
      if (deadToken) page.deadTokens.push(deadToken)
    },

    /**
     * Does not give up while the database is away or busy: outcomes that are not written would be pushed again. What the database
     * refuses is not tried for ever: the lease runs out then, and the chunk is pushed again.
     */
    async release(dueAt) {
      clearInterval(timer)
      await writing
      for (;;) {
        try {
          return await store.chunks.release(claim, owner, { ...page, dueAt })
        } catch (error) {
          if (store.isRefused(error)) throw error
          log.warn({ err: error }, 'recording failed; trying again')
          await sleep(RETRY_MS)
        }
      }
    },
  }
}
