// Answers that wait: one timer for all of them, and a bucket for each millisecond.
import type { LatencyMs } from '../latency.ts'

/** Longer latencies than this are not for load tests. */
const BUCKETS = 1_024

export interface Delays {
  /** Calls `answer` after a latency, together with whatever else is due then; at once when there is none. */
  add(response: () => void): void
  close(): void
}

export function openDelays(latency: LatencyMs): Delays {
  const { min, max } = typeof latency === 'number' ? { min: latency, max: latency } : latency
  if (max >= BUCKETS) throw new RangeError(`a latency of ${max} ms, where at most ${BUCKETS - 1} are kept`)
  const buckets: (() => void)[][] = Array.from({ length: BUCKETS }, () => [])
  let done = now()
  const timer = setInterval(run, 1)

  function run() {
    for (const end = now(); done < end; done++) {
      const bucket = done % BUCKETS
      const due = buckets[bucket] ?? []
      buckets[bucket] = []
      for (const response of due) response()
    }
  }

  return {
    add(response) {
      if (max === 0) return response()
      const ms = Math.round(min + Math.random() * (max - min))
      buckets[(done + Math.max(1, ms)) % BUCKETS]?.push(response)
    },
    close: () => clearInterval(timer),
  }
}

const now = () => Math.floor(performance.now())
