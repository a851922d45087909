// Gauges of what waits and where: they are read at each scrape, each source for itself.
import { Gauge, type Registry } from 'prom-client'
import { withDeadline } from './deadline.ts'

export interface Backlog {
  platform: string
  lane: string
  chunks: number
  deliveries: number
  /** How long the oldest due chunk has been due, in seconds; 0 when none is due. */
  oldestDueSeconds: number
}

/** A platform of an application that nothing, or no campaign, is sent to. */
export interface PausedPlatform {
  platform: string
  application: string
  lanes: string
  reason: string
}

export interface QueueDepth {
  platform: string
  lane: string
  /** Of BullMQ: waiting, active, delayed. */
  state: string
  jobs: number
}

/** Each rejects while what it asks is out of reach. */
export interface WaitingSources {
  /** What waits in the database, how many applications are paused on which platform, and the first hundreds of them by name. */
  backlog(): Promise<{
    backlog: readonly Backlog[]
    paused: readonly { platform: string; count: number }[]
    applications: readonly PausedPlatform[]
  }>
  queues(): Promise<readonly QueueDepth[]>
  /** Connections of the pool, and callers that wait for one. */
  pool(): { used: number; idle: number; waiting: number }
}

/** A scrape has a time limit too. */
const SOURCE_MS = 2_000

/** Returns what reads all of them. */
export function createWaitingGauges(registers: Registry[]): (sources: WaitingSources) => Promise<void> {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge({ name, help, labelNames, registers })
  const readBacklog = backlogGauges(gauge)
  const queueJobs = gauge('push_queue_jobs', 'Jobs in the queues by state', ['platform', 'lane', 'state'])
  const connections = gauge('push_database_connections', 'Connections of the pool by state', ['state'])
  const callers = gauge('push_database_waiting', 'Statements that wait for a connection of the pool', [])

  async function readQueues(sources: WaitingSources): Promise<void> {
    queueJobs.reset()
    for (const { jobs, ...labels } of await sources.queues()) queueJobs.set(labels, jobs)
  }

  return async (sources) => {
    const { used, idle, waiting } = sources.pool()
    connections.set({ state: 'used' }, used)
    connections.set({ state: 'idle' }, idle)
    callers.set(waiting)
    // Without the queue's store there are no such series, and the failed part of /health/ready says why.
    await Promise.all([readBacklog(sources), inTime(readQueues(sources)).catch(() => queueJobs.reset())])
  }
}

const inTime = <T>(read: Promise<T>) =>
  withDeadline(read, SOURCE_MS, () => {
    throw new Error(`No response within ${SOURCE_MS} ms`)
  })

type NewGauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) => Gauge<L>

function backlogGauges(gauge: NewGauge): (sources: WaitingSources) => Promise<void> {
  const lane = ['platform', 'lane'] as const
  const chunks = gauge('push_backlog_chunks', 'Chunks that are not settled', lane)
  const deliveries = gauge('push_backlog_deliveries', 'Deliveries that are not settled', lane)
  const oldest = gauge('push_backlog_oldest_due_seconds', 'How long the oldest due chunk has been due', lane)
  const paused = gauge('push_paused_platforms', 'Applications whose platform is paused', ['platform'])
  const pauses = gauge(
    'push_paused',
    '1 for each platform of an application that is paused, of some hundreds at most',
    ['platform', 'application', 'lanes', 'reason'],
  )
  const unknown = gauge(
    'push_backlog_unknown',
    '1 while the backlog is unknown because the database does not respond',
    [],
  )

  return async (sources) => {
    for (const one of [chunks, deliveries, oldest, paused, pauses]) one.reset()
    try {
      const seen = await sources.backlog()
      unknown.set(0)
      for (const { platform, lane, ...backlog } of seen.backlog) {
        chunks.set({ platform, lane }, backlog.chunks)
        deliveries.set({ platform, lane }, backlog.deliveries)
        oldest.set({ platform, lane }, backlog.oldestDueSeconds)
      }
      for (const { platform, count } of seen.paused) paused.set({ platform }, count)
      for (const { platform, application, lanes, reason } of seen.applications)
        pauses.set({ platform, application, lanes, reason: shortReason(reason) }, 1)
    } catch {
      // The scrape succeeds all the same: this gauge is the alarm, and the failed part of /health/ready says why.
      unknown.set(1)
    }
  }
}

/** A colon precedes texts of the transport: as a label each text would be a series of its own. */
const shortReason = (reason: string) => reason.replace(/:.*/s, '')
