// What a process counts, in the format of Prometheus. Each process has one registry, which is passed down and never global.
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { createLatencies } from './latencies.ts'

export interface DeliveryLabels {
  platform: string
  outcome: 'sent' | 'failed' | 'retried' | 'paused'
  reason: string
  /** Only with METRICS_PER_APP: the internal number of the application. */
  application?: string
}

export interface Backlog {
  platform: string
  lane: string
  chunks: number
  deliveries: number
  /** How long the oldest due chunk has been due, in seconds; 0 when none is due. */
  oldestDueSeconds: number
}

/** What waits, and how many applications are paused on which platform. */
export type BacklogSampler = () => Promise<{
  backlog: readonly Backlog[]
  paused: readonly { platform: string; count: number }[]
}>

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
  /** `sample` says what waits; it is called at each scrape. */
  watch(sample: BacklogSampler): void
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
  const latencies = createLatencies()
  const byPlatform = createPlatformMetrics(registers)

  let sample: BacklogSampler | undefined
  let refresh: ReturnType<typeof createBacklogGauges> | undefined
  return {
    delivered({ application, ...labels }, count) {
      deliveries.inc(perApplication && application !== undefined ? { ...labels, application } : labels, count)
    },
    responded: latencies.of,
    ...byPlatform,
    ...createLimitMetrics(registers),
    clockOffset(read) {
      addGauge(registers, {
        name: 'push_clock_offset_seconds',
        help: 'By how much the clock of this process is ahead of the database’s',
        read: read,
      })
    },
    watch(required) {
      refresh = createBacklogGauges(registers)
      sample = required
    },
    contentType: registry.contentType,
    async text() {
      if (sample && refresh) await refresh(sample)
      return (await registry.metrics()) + (await formerMetrics(registry)) + latencies.text()
    },
  }
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

/** Gauges of the backlog: one query at each scrape serves all of them. */
function createBacklogGauges(registers: Registry[]) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers })
  const lane = ['platform', 'lane'] as const
  const chunks = gauge('push_backlog_chunks', 'Chunks that are not settled', lane)
  const deliveries = gauge('push_backlog_deliveries', 'Deliveries that are not settled', lane)
  const oldest = gauge('push_backlog_oldest_due_seconds', 'How long the oldest due chunk has been due', lane)
  const paused = gauge('push_paused_platforms', 'Applications whose platform is paused', ['platform'])
  const unknown = gauge(
    'push_backlog_unknown',
    '1 while the backlog is unknown because the database does not respond',
    [],
  )

  return async (sample: BacklogSampler) => {
    for (const one of [chunks, deliveries, oldest, paused]) one.reset()
    try {
      const seen = await sample()
      unknown.set(0)
      for (const { platform, lane, ...backlog } of seen.backlog) {
        chunks.set({ platform, lane }, backlog.chunks)
        deliveries.set({ platform, lane }, backlog.deliveries)
        oldest.set({ platform, lane }, backlog.oldestDueSeconds)
      }
      for (const { platform, count } of seen.paused) paused.set({ platform }, count)
    } catch {
      // The scrape succeeds all the same: this gauge is the alarm, and the failed part of /health/ready says why.
      unknown.set(1)
    }
  }
}
