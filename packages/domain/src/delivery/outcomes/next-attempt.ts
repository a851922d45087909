// When a released chunk is due again, by its deliveries that are not settled. Pure.

export interface NextAttempt {
  /** A delivery is settled. */
  settled(): void
  /** A delivery is due again then (ms since the epoch; null = at once). */
  retryAt(dueAt: number | null): void
  /** ms since the epoch, null = at once. `laterDueAt`: of the deliveries that were not due with this claim. */
  dueAt(laterDueAt: number | null): number | null
}

/** `count`: number of deliveries of the claim. */
export function createNextAttempt(count: number): NextAttempt {
  /** Deliveries that are neither settled nor due at a later time. */
  let atOnce = count
  let earliest = Infinity
  return {
    settled() {
      atOnce--
    },
    retryAt(dueAt) {
      if (dueAt === null) return
      atOnce--
      earliest = Math.min(earliest, dueAt)
    },
    dueAt(laterDueAt) {
      const next = Math.min(earliest, laterDueAt ?? Infinity)
      return atOnce > 0 || next === Infinity ? null : next
    },
  }
}
