// The state of one chunk's delivery, and the parts that a worker shares among its chunks.
import type { ClaimedChunk } from '@push-server/store'
import type { Platform } from '@push-server/contract'
import type { Context } from '../context.ts'
import type { NextAttempt } from './next-attempt.ts'
import type { OutcomeCounts } from './outcome-counts.ts'
import type { TokenCircuitBreaker } from './token-circuit-breaker.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import type { HeldLease, Leases } from './leases.ts'
import type { ProviderPool } from './provider-pool.ts'
import type { WorkerBatches } from './worker-batches.ts'

export interface Worker extends Context {
  platform: Platform
  /** Names this process in its claims. */
  owner: string
  leases: Leases
  providers: ProviderPool
  breaker: TokenCircuitBreaker
  batches: WorkerBatches
  /** For the metric of the provider's latency, in seconds. */
  responded(seconds: number): void
}

export interface ChunkDelivery {
  worker: Worker
  chunk: ClaimedChunk
  lease: HeldLease
  recorder: OutcomeRecorder
  /** When the claim began (ms since the epoch): a dead token that was registered after it is not dropped. */
  claimedAt: number
  nextAttempt: NextAttempt
  counts: OutcomeCounts
  /** Reason of a credentials error, when the provider reported one. */
  failure: string | undefined
  /** The provider accepted the credentials: it sent a response about a token. */
  isProven: boolean
  /** Set when our own code failed, so that the chunk is not retried at full speed (ms since the epoch). */
  notBefore: number | null
}
