// Round trips of pushes to one provider: how long answers take now, compared with the best of the last minute. Pure.

export interface RoundTrips {
  /** The one that a push which starts now belongs to. */
  readonly current: number
  /** Whether an answer to a push of that round trip says something about the present pace. */
  counts(round: number): boolean
  /** The pace has changed: nothing that has started so far says anything about the new one. */
  restart(): void
  /**
   * After an answer. Of the one that ends a round trip: how many times as long as usual the pushes of the one before took on
   * average, when that is more than twice; from then on it is usual. `now`: any clock in ms that does not go back.
   */
  add(round: number, latencyMs: number | undefined, now: number): number | undefined
}

/** Anything shorter is as good as this: below it, our own machine has more part in the latency than the provider. */
const SHORTEST_MS = 100
const SLOW = 2
/** The best of this time and of the same time before it is what is usual. */
const MEMORY_MS = 30_000

export function createRoundTrips(): RoundTrips {
  let current = 0
  let countsFrom = 0
  let sum = 0
  let answers = 0
  let best = Infinity
  let formerBest = Infinity
  let bestSince = -Infinity

  function next() {
    current++
    sum = 0
    answers = 0
  }

  /** A provider that is slow for reasons of its own gains nothing by being asked less and less. */
  function becomeUsual(mean: number) {
    best = mean
    formerBest = Infinity
  }

  function slownessOf(mean: number, now: number): number | undefined {
    if (now - bestSince > MEMORY_MS) {
      formerBest = best
      best = Infinity
      bestSince = now
    }
    best = Math.min(best, mean)
    const slowness = mean / Math.max(SHORTEST_MS, Math.min(best, formerBest))
    if (slowness <= SLOW) return undefined
    becomeUsual(mean)
    return slowness
  }

  return {
    get current() {
      return current
    },
    counts: (round) => round >= countsFrom,
    restart() {
      next()
      countsFrom = current
    },
    add(round, latencyMs, now) {
      if (latencyMs !== undefined && round === current - 1 && round >= countsFrom) {
        sum += latencyMs
        answers++
      }
      if (round !== current) return undefined
      const slowness = answers > 0 ? slownessOf(sum / answers, now) : undefined
      next()
      return slowness
    },
  }
}
