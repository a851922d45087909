// How many pushes of one application a provider can take at once. Nobody publishes that number, so it is found: more with
// each round trip that went well, less as soon as the provider refuses or becomes slow. Pure; times are passed in.
import { createRoundTripTime } from './round-trip-time.ts'

export interface LimitOptions {
  /** Never more at once, however well it goes; at least 1. */
  most: number
  /** What the first refusal of a round trip takes away at least: a part of the size (0.05). */
  leastDecrease?: number
}

/** A push that has ended. */
export interface Ended {
  /** Pace.round when it started. */
  roundTrip: number
  /** ms since the epoch. */
  now: number
}

export interface Limit {
  /** At once, at this moment: a whole number, at least 1. */
  readonly size: number
  /** To be kept by each push that starts, until it ends. */
  readonly roundTrip: number
  /** Nothing is to be pushed before that time: ms since the epoch, possibly past. */
  readonly heldUntil: number
  /** After an answer other than a refusal, or none in time. `isFull`: as many were in flight as the size allows, so grow. */
  passed(ended: Ended & { latencyMs: number | undefined; isFull: boolean }): void
  /** After an answer that asked for fewer pushes. `notBefore`: when to come back, if it says (ms since the epoch). */
  refused(ended: Ended & { notBefore?: number | undefined }): void
}

/** To begin with: a chunk, so that one for a provider that was idle does not wait for its own answers. */
const FIRST = 500
const LEAST_DECREASE = 0.05
const LARGEST_DECREASE = 0.5
/** What a round trip that went well adds: a part of the size, within these bounds. */
const GROWTH = 0.02
const LEAST_GROWTH = 0.1
/** … and a part of the most there may be. */
const LARGEST_GROWTH = 0.002
/** So large a part of refusals is not a touch of the limit any more. */
const MOST = 0.5
const FIRST_HOLD_MS = 1_000
const LONGEST_HOLD_MS = 60_000

/**
 * It doubles until something stands in the way, and grows by little from then on. A cut is as large as the part that was
 * refused, for that is how far the size was too large (rate = size / latency); when the latency has doubled, it is a half.
 * One for each round trip: what had started before it is no reason for another. When the provider refuses more than it
 * takes, everything waits for the time it named, or else for 1 s, 2 s, … 60 s.
 *
 * It begins anew with the provider: the first chunk finds it, and what was right before a restart was so for another number
 * of workers.
 */
export function createLimit({ most, leastDecrease = LEAST_DECREASE }: LimitOptions): Limit {
  const largest = Math.max(1, most)
  const trips = createRoundTripTime()
  let size = Math.min(largest, FIRST)
  /** Up to here it doubles with each round trip: no refusal is known to stand in the way. */
  let free = largest
  /** A push went through since the last cut: so it was the size that was refused, and not just anything. */
  let hasPassed = true
  const refusals = createShare()
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
    // By answer: as many of them as the size make a round trip.
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

/** The part of refusals among the answers of about the last two round trips. */
function createShare() {
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
