// How long requests took, as the reference server counts them: `http_server_requests_seconds` with its labels, so that its dashboards and
// alerts go on.

export interface CompletedRequest {
  /** The route as in OpenAPI, without the prefix of a context path. Undefined: there is no such route. */
  uri: string | undefined
  method: string
  status: number
}

export interface RequestTimes {
  observe(request: CompletedRequest, seconds: number): void
  /** In the text format, version 0.0.4. */
  text(): string
}

const NAME = 'http_server_requests_seconds'
/** What `max` looks back on, in two steps: as Micrometer's does. */
const STEP_MS = 60_000

interface Series {
  labels: string
  count: number
  sum: number
  /** Of this step and of the one before. */
  max: number
  formerMax: number
  step: number
}

/** `now`: ms on a clock that never goes back. */
export function createRequestTimes(now: () => number = () => performance.now()): RequestTimes {
  const series = new Map<string, Series>()

  function seriesOf({ uri = 'NOT_FOUND', method, status }: CompletedRequest): Series {
    const key = `${status} ${method} ${uri}`
    let found = series.get(key)
    if (!found) {
      const labels = `method="${method}",outcome="${outcomeOf(status)}",status="${status}",uri="${uri}"`
      series.set(key, (found = { labels, count: 0, sum: 0, max: 0, formerMax: 0, step: 0 }))
    }
    return found
  }

  function advance(one: Series): void {
    const step = Math.floor(now() / STEP_MS)
    if (step === one.step) return
    one.formerMax = step === one.step + 1 ? one.max : 0
    one.max = 0
    one.step = step
  }

  return {
    observe(request, seconds) {
      const one = seriesOf(request)
      advance(one)
      one.count++
      one.sum += seconds
      one.max = Math.max(one.max, seconds)
    },
    text() {
      const all = [...series.values()]
      all.forEach(advance)
      return [
        `# HELP ${NAME} Time from the head of a request to the end of its response`,
        `# TYPE ${NAME} summary`,
        ...all.flatMap(({ labels, count, sum }) => [
          `${NAME}_count{${labels}} ${count}`,
          `${NAME}_sum{${labels}} ${sum}`,
        ]),
        `# HELP ${NAME}_max The longest of these times in the last minute or two`,
        `# TYPE ${NAME}_max gauge`,
        ...all.map(({ labels, max, formerMax }) => `${NAME}_max{${labels}} ${Math.max(max, formerMax)}`),
        '',
      ].join('\n')
    },
  }
}

function outcomeOf(status: number): string {
  if (status < 200) return 'INFORMATIONAL'
  if (status < 300) return 'SUCCESS'
  if (status < 400) return 'REDIRECTION'
  return status < 500 ? 'CLIENT_ERROR' : 'SERVER_ERROR'
}
