// When a chunk that is put back is due again, by what of it is not settled. Pure.

export interface NextAttempt {
  /** So many more deliveries are to be pushed. */
  expect(count: number): void
  /** One of them was answered. `dueAt`: of its next try (ms since the epoch; null = at once), undefined = it is settled. */
  responded(dueAt?: number | null): void
  /** ms since the epoch, null = at once. `laterDueAt`: of the deliveries that were not in hand. */
  dueAt(laterDueAt: number | null): number | null
}

export function createNextAttempt(): NextAttempt {
  /** Neither pushed nor put off to a time. */
  let atOnce = 0
  let earliest = Infinity
  return {
    expect(count) {
      atOnce += count
    },
    responded(dueAt) {
      if (dueAt === null) return
      atOnce--
      if (dueAt !== undefined) earliest = Math.min(earliest, dueAt)
    },
    dueAt(laterDueAt) {
      const next = Math.min(earliest, laterDueAt ?? Infinity)
      return atOnce > 0 || next === Infinity ? null : next
    },
  }
}
