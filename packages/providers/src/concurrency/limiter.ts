// The way of one application's pushes to its provider: a window as large as their pace allows, whoever's chunk they are of.
import type { Outcome } from '../provider.ts'
import { createLimit, type LimitOptions } from './limit.ts'
import { createSemaphore, type Walk } from './semaphore.ts'

export interface LimiterOptions extends LimitOptions {
  /** What the connections can take at this moment; by default as much as may be in flight. */
  capacity?(): number
  /** ms since the epoch. */
  now(): number
  /** Told when everything has to wait, since the provider refuses most. `size`: at once, from then on. */
  onHeld?(held: { waitMs: number; reason: string; size: number }): void
}

export interface Limiter {
  /** Starts every item in order, as the pace allows; resolves when all that were started are done. */
  walk<T extends object>(walk: Walk<T>): Promise<void>
  /** What becomes of a push that is to be sent now, while the provider has everything wait. */
  held(): Outcome | undefined
  /** A push is being sent. The number is to be given back when it ends. */
  start(): number
  /**
   * After an answer of a provider that had no trouble with it, whatever it said of the push. Without `latencyMs` where that
   * depends on what was sent.
   */
  passed(roundTrip: number, latencyMs?: number): void
  /** There was no answer in time. */
  late(roundTrip: number, latencyMs: number): void
  /** After an answer that asked for fewer pushes: what it means to its own push. */
  refused(roundTrip: number, outcome: Outcome): void
}

/** A chunk waits here for so long; for longer it is given back, as it would keep its worker from others. */
const LONGEST_WAIT_MS = 5_000

export function createLimiter({ capacity = () => Infinity, now, onHeld, ...options }: LimiterOptions): Limiter {
  const limit = createLimit(options)
  const semaphore = createSemaphore(bound)
  let reason = ''
  let waking: NodeJS.Timeout | undefined

  function bound(): number {
    const waitMs = limit.heldUntil - now()
    if (waitMs <= 0) return Math.min(limit.size, capacity())
    // All are started, and all of them find that they are held.
    if (waitMs > LONGEST_WAIT_MS) return Infinity
    waking ??= setTimeout(wake, waitMs)
    return 0
  }

  function wake() {
    waking = undefined
    semaphore.admit()
  }

  return {
    walk: semaphore.walk,
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
    late(roundTrip, latencyMs) {
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
