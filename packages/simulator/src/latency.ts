// How long the look-alikes take to answer.

/** Milliseconds: always the same, or spread evenly between two bounds. */
export type LatencyMs = number | { min: number; max: number }

export interface Latency {
  set(latencyMs: LatencyMs): void
  /** Does the work after the latency of one request, and `moreMs`; at once when there is none. */
  delay(work: () => void, moreMs?: number): void
}

export function createLatency(initial: LatencyMs): Latency {
  let current = initial
  return {
    set(latencyMs) {
      current = latencyMs
    },
    delay(work, moreMs = 0) {
      const ms = milliseconds(current) + moreMs
      if (ms <= 0) return work()
      // Unreferenced: an answer that waits must not keep a stopped simulator's process alive.
      setTimeout(work, ms).unref()
    },
  }
}

// Whole milliseconds: timers of the same duration share one list in Node, which matters at thousands a second.
const milliseconds = (latencyMs: LatencyMs) =>
  typeof latencyMs === 'number'
    ? latencyMs
    : Math.round(latencyMs.min + Math.random() * (latencyMs.max - latencyMs.min))
