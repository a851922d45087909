// The way of one application's pushes to its provider: a window as large as their pace allows, whoever's chunk they are of.
import type { Outcome } from './provider.ts'
import { createPace, type PaceOptions } from './pace.ts'
import { createWindow, type Walk } from './window.ts'

export interface FlowOptions extends PaceOptions {
  /** What the connections can take at this moment; by default as much as may be in flight. */
  capacity?(): number
  /** ms since the epoch. */
  now(): number
  /** Told when everything has to wait, since the provider refuses most. `size`: at once, from then on. */
  onHeld?(held: { waitMs: number; reason: string; size: number }): void
}

export interface Flow {
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
  passed(round: number, latencyMs?: number): void
  /** There was no answer in time. */
  late(round: number, latencyMs: number): void
  /** After an answer that asked for fewer pushes: what it means to its own push. */
  refused(round: number, outcome: Outcome): void
}

/** A chunk waits here for so long; for longer it is given back, as it would keep its worker from others. */
const LONGEST_WAIT_MS = 5_000

export function createFlow({ capacity = () => Infinity, now, onHeld, ...options }: FlowOptions): Flow {
  const pace = createPace(options)
  const window = createWindow(bound)
  let reason = ''
  let waking: NodeJS.Timeout | undefined

  function bound(): number {
    const waitMs = pace.heldUntil - now()
    if (waitMs <= 0) return Math.min(pace.size, capacity())
    // All are started, and all of them find that they are held.
    if (waitMs > LONGEST_WAIT_MS) return Infinity
    waking ??= setTimeout(wake, waitMs)
    return 0
  }

  function wake() {
    waking = undefined
    window.turn()
  }

  return {
    walk: window.walk,
    held() {
      const { heldUntil } = pace
      return now() < heldUntil
        ? { kind: 'retry', reason: `Unsent: ${reason}`, notBefore: heldUntil, unsent: true }
        : undefined
    },
    start: () => pace.round,
    passed(round, latencyMs) {
      pace.passed({ round, latencyMs, now: now(), isFull: window.inFlight >= pace.size })
    },
    late(round, latencyMs) {
      pace.passed({ round, latencyMs, now: now(), isFull: false })
    },
    refused(round, outcome) {
      const { heldUntil: before } = pace
      const notBefore = outcome.kind === 'retry' ? outcome.notBefore : undefined
      pace.refused({ round, now: now(), notBefore })
      if (pace.heldUntil <= before) return
      reason = 'reason' in outcome ? outcome.reason : ''
      const time = now()
      if (before <= time) onHeld?.({ waitMs: pace.heldUntil - time, reason, size: pace.size })
    },
  }
}
