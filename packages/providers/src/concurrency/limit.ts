// The concurrency limit of one application's pushes to a provider (AIMD). No provider publishes the number, so it is found: it grows
// with each round trip that went well, and falls when the provider refuses or becomes slow. Pure; times are passed in.
import { createRoundTripTime } from './round-trip-time.ts'

export interface LimitOptions {
  /** Maximum of the limit; at least 1. */
  most: number
  /** Smallest decrease after the first refusal of a round trip, as a part of the size (0.05). */
  leastDecrease?: number
}

/** A push that has ended. */
export interface EndedPush {
  /** Limit.roundTrip when it started. */
  roundTrip: number
  /** ms since the epoch. */
  now: number
}

export interface Limit {
  /** The present limit: a whole number, at least 1. */
  readonly size: number
  /** The present round trip. Each push that starts keeps the number until it ends. */
  readonly roundTrip: number
  /** No push may start before that time: ms since the epoch, possibly past. */
  readonly heldUntil: number
  /**
   * Call after a response other than a refusal, or after a time-out. `isFull`: as many pushes were in flight as the size allows,
   * so it may grow.
   */
  passed(ended: EndedPush & { latencyMs: number | undefined; isFull: boolean }): void
  /** Call after a response that requires fewer pushes. `notBefore`: the time that it names, if any (ms since the epoch). */
  refused(ended: EndedPush & { notBefore?: number | undefined }): void
}

/** The first size is one chunk of a campaign, so that a chunk for an idle provider does not wait for its own responses. */
const FIRST = 1000
const LEAST_DECREASE = 0.05
const LARGEST_DECREASE = 0.5
/** A round trip that went well adds this part of the size, within the next two bounds. */
const GROWTH = 0.02
const LEAST_GROWTH = 0.1
/** A part of the maximum: two pushes of 4000. A provider at its limit refuses about as many more in each round trip. */
const LARGEST_GROWTH = 0.0005
/** With a larger part of refusals all pushes are held. */
const MOST = 0.5
const FIRST_HOLD_MS = 1_000
const LONGEST_HOLD_MS = 60_000

/**
 * The size doubles until the first refusal, and then grows by little. A decrease is as large as the part that was refused, for that
 * is how far the size was too large (rate = size / latency); when the latency has doubled, the size halves. It decreases once in a
 * round trip: pushes that had started before are no reason for another decrease. When the provider refuses more than it accepts, all
 * pushes wait for the time it named, or else for 1 s, 2 s, … 60 s.
 *
 * The limit is not stored: the first chunk of a new provider finds it, and the limit before a restart fitted another number of
 * workers.
 */
export function createLimit({ most, leastDecrease = LEAST_DECREASE }: LimitOptions): Limit {
  const largest = Math.max(1, most)
  const trips = createRoundTripTime()
  let size = Math.min(largest, FIRST)
  /** Up to this size it doubles with each round trip, as no refusal is known below it. */
  let free = largest
  /** Whether a push succeeded since the last decrease: then the next refusal is about the size. */
  let hasPassed = true
  const refusals = createRefusalShare()
  let heldUntil = 0
  let holds = 0

  function decrease(part: number) {
    size = Math.max(1, size * (1 - Math.min(LARGEST_DECREASE, Math.max(leastDecrease, part))))
    trips.restart()
    refusals.forgetHalf()
  }

  function decreaseAfterRefusal() {
    decrease(refusals.share)
    if (hasPassed) free = size
    hasPassed = false
  }

  function grow() {
    const bounded = Math.min(Math.max(1, largest * LARGEST_GROWTH), Math.max(LEAST_GROWTH, size * GROWTH))
    // One step for each response: as many responses as the size make a round trip.
    size = Math.min(largest, size + (size < free ? 1 : bounded / size))
  }

  function hold(now: number, notBefore: number | undefined, isFirst: boolean) {
    if (notBefore === undefined && isFirst) notBefore = now + Math.min(LONGEST_HOLD_MS, FIRST_HOLD_MS * 2 ** holds++)
    heldUntil = Math.max(heldUntil, notBefore ?? 0)
  }

  return {
    get size() {
      return Math.floor(size)
    },
    get roundTrip() {
      return trips.current
    },
    get heldUntil() {
      return heldUntil
    },
    passed({ roundTrip, latencyMs, now, isFull }) {
      refusals.add(false)
      if (!trips.counts(roundTrip)) return
      hasPassed = true
      holds = 0
      const before = trips.current
      const slowness = trips.add(roundTrip, latencyMs, now)
      if (trips.current > before) refusals.forgetHalf()
      if (slowness !== undefined) decrease(1 - 1 / slowness)
      else if (isFull) grow()
    },
    refused({ roundTrip, now, notBefore }) {
      refusals.add(true)
      const isMost = refusals.share > MOST
      const isFirst = trips.counts(roundTrip)
      if (isFirst) decreaseAfterRefusal()
      if (isMost) hold(now, notBefore, isFirst)
    },
  }
}

/** The part of refusals among the responses of about the last two round trips. */
function createRefusalShare() {
  let refusals = 0
  let responses = 0
  return {
    /** 0 to 1. */
    get share() {
      return responses === 0 ? 0 : refusals / responses
    },
    add(isRefusal: boolean) {
      responses++
      if (isRefusal) refusals++
    },
    forgetHalf() {
      refusals /= 2
      responses /= 2
    },
  }
}
