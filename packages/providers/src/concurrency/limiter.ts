// The limiter of one application's pushes to its provider: a semaphore over all its chunks, as large as the concurrency limit.
import type { Outcome } from '../provider.ts'
import { createLimit, type LimitOptions } from './limit.ts'
import { createSemaphore, type Batch } from './semaphore.ts'

export interface LimiterOptions extends LimitOptions {
  /** Number of requests that the connections can take now; by default no bound. */
  capacity?(): number
  /** ms since the epoch. */
  now(): number
  /** Called when all pushes have to wait, since the provider refuses most of them. `size`: the limit from then on. */
  onHeld?(held: { waitMs: number; reason: string; size: number }): void
}

export interface Limiter {
  /** Starts every item in order, as the limit allows; resolves when all that were started are done. */
  startAll<T extends object>(batch: Batch<T>): Promise<void>
  /** The outcome of a push that is due while all pushes are held; undefined while none are. */
  held(): Outcome | undefined
  /** Call when a push is sent. Pass the number on when it ends. */
  start(): number
  /**
   * Call after a response that does not require fewer pushes, whatever it says of the push. Leave `latencyMs` out where it depends
   * on the size of the request.
   */
  passed(roundTrip: number, latencyMs?: number): void
  /** Call when no response arrived in time. */
  timedOut(roundTrip: number, latencyMs: number): void
  /** Call after a response that requires fewer pushes. `outcome`: of its own push. */
  refused(roundTrip: number, outcome: Outcome): void
}

/** A chunk waits at most so long for the end of a hold. For a longer hold it is released, as it would keep a slot of its worker. */
const LONGEST_WAIT_MS = 5_000

export function createLimiter({ capacity = () => Infinity, now, onHeld, ...options }: LimiterOptions): Limiter {
  const limit = createLimit(options)
  const semaphore = createSemaphore(bound)
  let reason = ''
  let waking: NodeJS.Timeout | undefined

  function bound(): number {
    const waitMs = limit.heldUntil - now()
    if (waitMs <= 0) return Math.min(limit.size, capacity())
    // All are started, and each of them ends at once as held.
    if (waitMs > LONGEST_WAIT_MS) return Infinity
    waking ??= setTimeout(wake, waitMs)
    return 0
  }

  function wake() {
    waking = undefined
    semaphore.admit()
  }

  return {
    startAll: semaphore.startAll,
    held() {
      const { heldUntil } = limit
      return now() < heldUntil
        ? { kind: 'retry', reason: `Unsent: ${reason}`, notBefore: heldUntil, unsent: true }
        : undefined
    },
    start: () => limit.roundTrip,
    passed(roundTrip, latencyMs) {
      limit.passed({ roundTrip, latencyMs, now: now(), isFull: semaphore.inFlight >= limit.size })
    },
    timedOut(roundTrip, latencyMs) {
      limit.passed({ roundTrip, latencyMs, now: now(), isFull: false })
    },
    refused(roundTrip, outcome) {
      const { heldUntil: before } = limit
      const notBefore = outcome.kind === 'retry' ? outcome.notBefore : undefined
      limit.refused({ roundTrip, now: now(), notBefore })
      if (limit.heldUntil <= before) return
      reason = 'reason' in outcome ? outcome.reason : ''
      const time = now()
      if (before <= time) onHeld?.({ waitMs: limit.heldUntil - time, reason, size: limit.size })
    },
  }
}
