// Round trips of pushes to one provider: how long answers take now, compared with the best of the last minute. Pure.

export interface RoundTripTime {
  /** The one that a push which starts now belongs to. */
  readonly current: number
  /** Whether an answer to a push of that round trip says something about the present pace. */
  counts(roundTrip: number): boolean
  /** The pace has changed: nothing that has started so far says anything about the new one. */
  restart(): void
  /**
   * After an answer. Of the one that ends a round trip: how many times as long as usual the quickest push of the one before
   * took, when that is more than twice; from then on it is usual. `now`: any clock in ms that does not go back.
   */
  add(roundTrip: number, latencyMs: number | undefined, now: number): number | undefined
}

/** Anything shorter is as good as this: below it, our own machine has more part in the latency than the provider. */
const SHORTEST_MS = 100
const SLOW = 2
/** The best of this time and of the same time before it is what is usual. */
const MEMORY_MS = 30_000

export function createRoundTripTime(): RoundTripTime {
  let current = 0
  let countsFrom = 0
  // The quickest, since what our own machine holds up, it does not hold up for all of them.
  let quickest = Infinity
  let best = Infinity
  let formerBest = Infinity
  let bestSince = -Infinity

  function next() {
    current++
    quickest = Infinity
  }

  /** A provider that is slow for reasons of its own gains nothing by being asked less and less. */
  function becomeUsual(latencyMs: number) {
    best = latencyMs
    formerBest = Infinity
  }

  function slownessOf(latencyMs: number, now: number): number | undefined {
    if (now - bestSince > MEMORY_MS) {
      formerBest = best
      best = Infinity
      bestSince = now
    }
    best = Math.min(best, latencyMs)
    const slowness = latencyMs / Math.max(SHORTEST_MS, Math.min(best, formerBest))
    if (slowness <= SLOW) return undefined
    becomeUsual(latencyMs)
    return slowness
  }

  return {
    get current() {
      return current
    },
    counts: (roundTrip) => roundTrip >= countsFrom,
    restart() {
      next()
      countsFrom = current
    },
    add(roundTrip, latencyMs, now) {
      if (latencyMs !== undefined && roundTrip === current - 1 && roundTrip >= countsFrom)
        quickest = Math.min(quickest, latencyMs)
      if (roundTrip !== current) return undefined
      const slowness = quickest < Infinity ? slownessOf(quickest, now) : undefined
      next()
      return slowness
    },
  }
}
