// The latency of the fakes' responses.

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
      // Unreferenced: a waiting response must not keep the process of a stopped simulator alive.
      setTimeout(work, ms).unref()
    },
  }
}

// Whole milliseconds: timers of the same duration share one list in Node, which matters at thousands a second.
const milliseconds = (latencyMs: LatencyMs) =>
  typeof latencyMs === 'number'
    ? latencyMs
    : Math.round(latencyMs.min + Math.random() * (latencyMs.max - latencyMs.min))
