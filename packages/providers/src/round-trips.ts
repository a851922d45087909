// Round trips of pushes to one provider: how long answers take now, compared with the best of the last minute. Pure.

export interface RoundTrips {
  /** The one that a push which starts now belongs to. */
  readonly current: number
  /** Whether an answer to a push of that round trip says something about the present pace. */
  counts(round: number): boolean
  /** The pace has changed: nothing that has started so far says anything about the new one. */
  restart(): void
  /**
   * After an answer. Of the one that ends a round trip: how many times as long as usual the pushes of the one before took,
   * on average. `now`: any clock in ms that does not go back.
   */
  add(round: number, latencyMs: number, now: number): number | undefined
}

/** Anything shorter is as good as this: below it, our own machine has more part in the latency than the provider. */
const SHORTEST_MS = 100
/** The best of this time and of the same time before it is what is usual: a provider that stays slow becomes so. */
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

  function slownessOf(mean: number, now: number) {
    if (now - bestSince > MEMORY_MS) {
      formerBest = best
      best = Infinity
      bestSince = now
    }
    best = Math.min(best, mean)
    return mean / Math.max(SHORTEST_MS, Math.min(best, formerBest))
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
      if (round === current - 1 && round >= countsFrom) {
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
