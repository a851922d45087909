// A token bucket: a rate of messages per second, and a burst after a rest. Pure; the time comes from the caller.

export interface Rate {
  perSecond: number
  /** Messages that can be taken at once. */
  burst: number
}

export interface TokenBucket {
  rate(): Rate
  /** Sets another rate from now on. The level stays, up to the new burst. */
  setRate(rate: Rate, now: number): void
  /** Whole messages that can be taken now. */
  remaining(now: number): number
  /** Seconds until `count` messages can be taken; 0 = now. Meaningful up to the burst. */
  secondsUntil(count: number, now: number): number
  /** `count` may exceed the level: later requests wait longer then. */
  take(count: number, now: number): void
  giveBack(count: number, now: number): void
}

/** Full at first. `now` is in ms on a clock that never goes back. */
export function createTokenBucket(first: Rate, start: number): TokenBucket {
  let rate = first
  let level = rate.burst
  let at = start

  function refill(now: number): number {
    level = Math.min(rate.burst, level + (Math.max(0, now - at) / 1000) * rate.perSecond)
    at = Math.max(at, now)
    return level
  }

  return {
    rate: () => rate,
    setRate(next, now) {
      refill(now)
      rate = next
      level = Math.min(level, rate.burst)
    },
    remaining: (now) => Math.max(0, Math.floor(refill(now))),
    secondsUntil: (count, now) => Math.max(0, (count - refill(now)) / rate.perSecond),
    take(count, now) {
      level = refill(now) - count
    },
    giveBack(count, now) {
      level = Math.min(rate.burst, refill(now) + count)
    },
  }
}
