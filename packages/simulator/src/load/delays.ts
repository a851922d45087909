// Delayed responses: one timer for all of them, and a bucket for each millisecond.
import type { LatencyMs } from '../latency.ts'

/** Longer latencies than this are not for load tests. */
const BUCKETS = 1_024

export interface Delays {
  /** Calls `respond` after a latency, together with all others that are due then; at once when there is none. */
  add(respond: () => void): void
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
      for (const respond of due) respond()
    }
  }

  return {
    add(respond) {
      if (max === 0) return respond()
      const ms = Math.round(min + Math.random() * (max - min))
      buckets[(done + Math.max(1, ms)) % BUCKETS]?.push(respond)
    },
    close: () => clearInterval(timer),
  }
}

const now = () => Math.floor(performance.now())
