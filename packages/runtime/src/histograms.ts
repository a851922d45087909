// Histograms of Prometheus as plain counters, since every push is observed: prom-client looks up a series each time, which costs a
// twentieth of a push.

export interface HistogramOptions {
  name: string
  help: string
  /** Upper bounds in seconds, ascending. */
  buckets: readonly number[]
}

export interface Histogram {
  /** Returns what observes times of one series, in seconds. `labels` as they are to stand there: `platform="ios"`. */
  of(labels: string): (seconds: number) => void
  /** In the text format, version 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/). */
  text(): string
}

export function createHistogram({ name, help, buckets }: HistogramOptions): Histogram {
  const series = new Map<string, Series>()
  return {
    of(labels) {
      const one = series.get(labels) ?? new Series(buckets)
      series.set(labels, one)
      return (seconds) => one.observe(seconds)
    },
    text() {
      const lines = [...series].flatMap(([labels, one]) => one.lines(name, labels))
      return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines, ''].join('\n')
    },
  }
}

class Series {
  readonly #buckets: readonly number[]
  /** The count of each bucket alone, and of what is above all of them. */
  readonly #counts: Float64Array
  #sum = 0

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets
    this.#counts = new Float64Array(buckets.length + 1)
  }

  observe(seconds: number) {
    const bucket = this.#buckets.findIndex((bound) => seconds <= bound)
    const place = bucket < 0 ? this.#buckets.length : bucket
    this.#counts[place] = (this.#counts[place] ?? 0) + 1
    this.#sum += seconds
  }

  lines(name: string, labels: string): string[] {
    let count = 0
    const buckets = [...this.#buckets, '+Inf'].map((bound, place) => {
      count += this.#counts[place] ?? 0
      return `${name}_bucket{le="${bound}",${labels}} ${count}`
    })
    return [...buckets, `${name}_sum{${labels}} ${this.#sum}`, `${name}_count{${labels}} ${count}`]
  }
}
