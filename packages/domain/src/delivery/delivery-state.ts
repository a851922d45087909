// One chunk in a worker's hands, and what a worker works with.
import type { ClaimedChunk } from '@push-server/store'
import type { Platform } from '@push-server/contract'
import type { Context } from '../context.ts'
import type { NextAttempt } from './next-attempt.ts'
import type { OutcomeCounts } from './outcome-counts.ts'
import type { TokenCircuitBreaker } from './token-circuit-breaker.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import type { Hold, Leases } from './leases.ts'
import type { ProviderPool } from './provider-pool.ts'

export interface Worker extends Context {
  platform: Platform
  /** Names this process in its claims. */
  owner: string
  leases: Leases
  providers: ProviderPool
  breaker: TokenCircuitBreaker
  /** For the metric of the provider's latency, in seconds. */
  responded(seconds: number): void
}

export interface ChunkDelivery {
  worker: Worker
  chunk: ClaimedChunk
  hold: Hold
  recorder: OutcomeRecorder
  /** When the claim began (ms since the epoch): a dead token that was registered after it is not dropped. */
  claimedAt: number
  nextAttempt: NextAttempt
  counts: OutcomeCounts
  /** Reason of the credentials' fault, when one showed. */
  failure: string | undefined
  /** The provider took the credentials: it spoke of a token. */
  isProven: boolean
  /** Set when something of ours failed, so that the chunk does not go round at full speed (ms). */
  notBefore: number | null
}
