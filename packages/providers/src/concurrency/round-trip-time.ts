// Round trips of pushes to one provider: the present latency, compared with the best of the last minute. Pure.

export interface RoundTripTime {
  /** The round trip of a push that starts now. */
  readonly current: number
  /** Whether a response to a push of that round trip tells something about the present limit. */
  counts(roundTrip: number): boolean
  /** Call when the limit has changed: pushes that have started so far tell nothing about the new one. */
  restart(): void
  /**
   * Call after a response. When it ends a round trip, the result compares the quickest push of the round trip before with the usual
   * latency: a factor above 2, or undefined. From then on that latency is the usual one. `now`: any clock in ms that does not go
   * back.
   */
  add(roundTrip: number, latencyMs: number | undefined, now: number): number | undefined
}

/** Shorter latencies count as this: below it our own machine has more part in the latency than the provider. */
const SHORTEST_MS = 100
const SLOW = 2
/** The usual latency is the best of this time and of the same time before it. */
const MEMORY_MS = 30_000

export function createRoundTripTime(): RoundTripTime {
  let current = 0
  let countsFrom = 0
  // The quickest, since delays of our own machine do not concern all of them.
  let quickest = Infinity
  let best = Infinity
  let formerBest = Infinity
  let bestSince = -Infinity

  function next() {
    current++
    quickest = Infinity
  }

  /** The latency of a slow provider becomes the usual one: fewer and fewer pushes would not make it faster. */
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
