// How long providers take to respond, as a histogram of Prometheus. It is kept as plain counters, since every push is observed:
// prom-client looks up a series each time, which costs a twentieth of a push.

/** Upper bounds in seconds: providers respond within tens of milliseconds on a good day, within ten seconds or never on a bad one. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const NAME = 'push_provider_latency_seconds'

export interface Latencies {
  /** Returns what observes responses of the platform, in seconds. */
  of(platform: string): (seconds: number) => void
  /** In the text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  text(): string
}

export function createLatencies(): Latencies {
  const series = new Map<string, Series>()
  return {
    of(platform) {
      const one = series.get(platform) ?? new Series()
      series.set(platform, one)
      return (seconds) => one.observe(seconds)
    },
    text() {
      const lines = [...series].flatMap(([platform, one]) => one.lines(`platform="${platform}"`))
      return [`# HELP ${NAME} Time from a push to its response`, `# TYPE ${NAME} histogram`, ...lines, ''].join('\n')
    },
  }
}

class Series {
  /** The count of each bucket alone, and of what is above all of them. */
  readonly #counts = new Float64Array(BUCKETS.length + 1)
  #sum = 0

  observe(seconds: number) {
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound)
    const place = bucket < 0 ? BUCKETS.length : bucket
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
    this.#sum += seconds
  }

  lines(label: string): string[] {
    let count = 0
    const buckets = [...BUCKETS, '+Inf'].map((bound, place) => {
      count += this.#counts[place] ?? 0
      return `${NAME}_bucket{le="${bound}",${label}} ${count}`
    })
    return [...buckets, `${NAME}_sum{${label}} ${this.#sum}`, `${NAME}_count{${label}} ${count}`]
  }
}
