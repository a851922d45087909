// When a released chunk is due again, by its deliveries that are not settled. Pure.

export interface NextAttempt {
  /** `count` more deliveries are to be pushed. */
  expect(count: number): void
  /** One of them is settled. */
  settled(): void
  /** One of them is due again then (ms since the epoch; null = at once). */
  retryAt(dueAt: number | null): void
  /** ms since the epoch, null = at once. `laterDueAt`: of the deliveries that were not due with this claim. */
  dueAt(laterDueAt: number | null): number | null
}

export function createNextAttempt(): NextAttempt {
  /** Deliveries that are neither settled nor due at a later time. */
  let atOnce = 0
  let earliest = Infinity
  return {
    expect(count) {
      atOnce += count
    },
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
