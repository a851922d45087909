// What a process counts, in the format of Prometheus. Each process has one registry, which is passed down and never global.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { createHistogram } from './histograms.ts'
import { createRequestTimes, type CompletedRequest } from './request-times.ts'
import { createWaitingGauges, type WaitingSources } from './waiting-gauges.ts'

export interface DeliveryLabels {
  platform: string
  outcome: 'sent' | 'failed' | 'retried' | 'paused'
  reason: string
  /** Only with METRICS_PER_APP: the internal number of the application. */
  application?: string
}

/** The limit that a request passed. */
export type RefusalReason =
  | 'requests'
  | 'connections'
  | 'request-timeout'
  | 'import-slots'
  | 'import-slow'
  | 'import-lines'
  | 'key-rate'
  | 'application-rate'
  | 'backlog'

export interface Metrics {
  delivered(labels: DeliveryLabels, count: number): void
  /** Returns what takes the time from a push to its response, in seconds. */
  responded(platform: string): (seconds: number) => void
  /** Returns what takes the time from the acceptance of a delivery, or the start of its run, to the provider's acceptance, in seconds. */
  dwelt(platform: string, lane: string): (seconds: number) => void
  dropped(platform: string, count: number): void
  /** Deliveries that failed because the database rejects their outcome. */
  unrecordable(platform: string, count: number): void
  /** The circuit breaker of an application's device table has opened. */
  breakerOpened(platform: string): void
  /** Whether messages to the platform are refused because its backlog limit is reached. */
  refusing(platform: string, yes: boolean): void
  /** A request was refused because of a backlog limit. */
  refused(platform: string): void
  /** A request was refused, or ended, because it passed a limit. */
  refusal(reason: RefusalReason): void
  /** `read` says by how many seconds the process's clock is ahead of the database's; it is called at each scrape. */
  clockOffset(read: () => number): void
  /** `count` says what the gateway has open; it is called at each scrape. */
  underWay(count: () => { requests: number; connections: number }): void
  /** A request to the gateway has its response, after so many seconds. */
  requested(request: CompletedRequest, seconds: number): void
  /** What waits is read from the sources at each scrape. */
  watch(sources: WaitingSources): void
  contentType: string
  text(): Promise<string>
}

export function createMetrics({ perApplication }: { perApplication: boolean }): Metrics {
  const registers = [new Registry()]
  const [registry] = registers as [Registry]
  collectDefaultMetrics({ register: registry })

  const deliveries = new Counter({
    name: 'push_deliveries_total',
    help: 'Delivery attempts by outcome',
    labelNames: ['platform', 'outcome', 'reason', ...(perApplication ? (['application'] as const) : [])],
    registers,
  })
  const latencies = createHistogram(LATENCY)
  const dwells = createHistogram(DWELL)
  const requests = createRequestTimes()
  const byPlatform = createPlatformMetrics(registers)

  let readWaiting: (() => Promise<void>) | undefined
  return {
    delivered({ application, ...labels }, count) {
      deliveries.inc(perApplication && application !== undefined ? { ...labels, application } : labels, count)
    },
    responded: (platform) => latencies.of(`platform="${platform}"`),
    dwelt: (platform, lane) => dwells.of(`platform="${platform}",lane="${lane}"`),
    requested: requests.observe,
    ...byPlatform,
    ...createLimitMetrics(registers),
    clockOffset(read) {
      addGauge(registers, {
        name: 'push_clock_offset_seconds',
        help: 'By how much the clock of this process is ahead of the database’s',
        read: read,
      })
    },
    watch(sources) {
      const read = createWaitingGauges(registers)
      readWaiting = () => read(sources)
    },
    contentType: registry.contentType,
    async text() {
      await readWaiting?.()
      const counted = (await registry.metrics()) + (await formerMetrics(registry))
      return counted + latencies.text() + dwells.text() + requests.text()
    },
  }
}

/** Providers respond within tens of milliseconds on a good day, within ten seconds or never on a bad one. */
const LATENCY = {
  name: 'push_provider_latency_seconds',
  help: 'Time from a push to its response',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
}
/** From a good day to a night's pause. */
const DWELL = {
  name: 'push_dwell_seconds',
  help: 'Time from the acceptance of a delivery, or the start of its run, until the provider accepted it',
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600, 14_400],
}

/** Names of the release before: each is exported for one release beside the new one. */
const FORMER_METRICS: readonly (readonly [formerName: string, name: string])[] = [
  ['push_guard_trips_total', 'push_circuit_breaker_openings_total'],
]

/** The samples of renamed metrics once more, under their former names. */
async function formerMetrics(registry: Registry): Promise<string> {
  const texts = FORMER_METRICS.map(async ([formerName, name]) => {
    const text = await registry.getSingleMetricAsString(name)
    const help = `# HELP ${formerName} Former name of ${name}; the next release no longer exports it`
    return `${text.replaceAll(name, formerName).replace(/^# HELP .*$/m, help)}\n`
  })
  return (await Promise.all(texts)).join('')
}

/** Metrics of a platform as a whole. */
function createPlatformMetrics(
  registers: Registry[],
): Pick<Metrics, 'dropped' | 'unrecordable' | 'breakerOpened' | 'refusing' | 'refused'> {
  const labelNames = ['platform'] as const
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers })
  const dropped = counter('push_dropped_tokens_total', 'Devices dropped because their token is dead')
  const unrecordable = counter(
    'push_unrecordable_deliveries_total',
    'Deliveries that failed because the database rejects their outcome',
  )
  const breakerOpened = counter(
    'push_circuit_breaker_openings_total',
    'Openings of circuit breakers: too many tokens were doubtful, so no more devices are dropped for them',
  )
  const refused = counter('push_refused_requests_total', 'Requests refused because of the backlog of a platform')
  const refusing = new Gauge({
    name: 'push_refusing',
    help: '1 while messages to the platform are refused because its backlog is beyond BACKLOG_LIMIT',
    labelNames,
    registers,
  })
  return {
    dropped: (platform, count) => dropped.inc({ platform }, count),
    unrecordable: (platform, count) => unrecordable.inc({ platform }, count),
    breakerOpened: (platform) => breakerOpened.inc({ platform }),
    refusing: (platform, yes) => refusing.set({ platform }, yes ? 1 : 0),
    refused: (platform) => refused.inc({ platform }),
  }
}

/** A gauge that is read at each scrape. */
const addGauge = (registers: Registry[], { name, help, read }: { name: string; help: string; read: () => number }) =>
  new Gauge({
    name,
    help,
    registers,
    collect() {
      this.set(read())
    },
  })

/** What the gateway has open, and what it refuses beyond its limits. */
function createLimitMetrics(registers: Registry[]): Pick<Metrics, 'refusal' | 'underWay'> {
  const refusals = new Counter({
    name: 'push_refusals_total',
    help: 'Requests refused or ended at a limit, by limit',
    labelNames: ['reason'],
    registers,
  })
  let current: (() => { requests: number; connections: number }) | undefined
  return {
    refusal: (reason) => refusals.inc({ reason }),
    underWay(count) {
      const isFirst = current === undefined
      current = count
      if (!isFirst) return
      addGauge(registers, {
        name: 'push_requests_under_way',
        help: 'Requests under way, of at most REQUEST_LIMIT',
        read: () => current?.().requests ?? 0,
      })
      addGauge(registers, {
        name: 'push_client_connections',
        help: 'Open connections of clients',
        read: () => current?.().connections ?? 0,
      })
    },
  }
}
