// One chunk in a worker's hands, and what a worker works with.
import type { ClaimedChunk } from '@push-server/store'
import type { Platform } from '@push-server/contract'
import type { Context } from '../context.ts'
import type { Again } from './again.ts'
import type { Counts } from './counts.ts'
import type { Guard } from './guard.ts'
import type { Ledger } from './ledger.ts'
import type { Hold, Leases } from './leases.ts'
import type { ProviderPool } from './provider-pool.ts'

export interface Worker extends Context {
  platform: Platform
  /** Names this process in its claims. */
  owner: string
  leases: Leases
  providers: ProviderPool
  guard: Guard
  /** For the metric of the provider's latency, in seconds. */
  answered(seconds: number): void
}

export interface InHand {
  worker: Worker
  chunk: ClaimedChunk
  hold: Hold
  ledger: Ledger
  /** When the claim began (ms since the epoch): a dead token that was registered after it is not dropped. */
  claimedAt: number
  again: Again
  counts: Counts
  /** Reason of the credentials' fault, when one showed. */
  fault: string | undefined
  /** The provider took the credentials: it spoke of a token. */
  isProven: boolean
  /** Set when something of ours failed, so that the chunk does not go round at full speed (ms). */
  notBefore: number | null
}
