// One measurement of whole workers: a campaign's chunks wait in the queue, then so many workers are started and take them all.
// The first third of the audience warms them up. Measured is the rest, until the last outcome is in the database: processor time
// of the workers' processes, over the pushes that the provider saw meanwhile.
import { waitFor } from '@push-server/testing'
import { secondsOf, type WatchedProcess } from './processes.ts'
import { costBetween, readCost, type ServerCost } from './server-cost.ts'
import { accepted, startUnseen, WORKERS, type Server } from './server.ts'
import type { ProviderProcess, Stage } from './stage.ts'

export interface Setup {
  backend: 'redis' | 'postgresql'
  workers: number
}

export interface WorkerRun {
  /** The services are the workers. */
  cost: ServerCost
  providerMicros: number
  /** The most that one worker has held. */
  rssMiB: number
}

/** What all measurements share. */
export interface Ground {
  stage: Stage
  server: Server
  provider: ProviderProcess
  /** To the whole audience. */
  campaign: string
  audience: number
  /** Settings of the workers. */
  settings: Record<string, string>
}

/** Below, most of what is measured is code that is still being compiled, and the figures of one round say little of the next. */
export const QUICK_AUDIENCE = 150_000
const WARM_UP_SHARE = 1 / 3
const PATIENCE_MS = 10 * 60_000

export async function runWorkers(ground: Ground, { backend, workers }: Setup): Promise<WorkerRun> {
  const { stage, server, provider, campaign, audience, settings } = ground
  // An empty setting is none: the queue is then on PostgreSQL.
  const environment = { ...stage.environment, ...(backend === 'postgresql' && { REDIS_URL: '' }) }
  await using services = new AsyncDisposableStack()
  const start = async (name: string, more: Record<string, string> = {}) =>
    services.adopt(await startUnseen(stage, name, { ...environment, ...more }), ({ stop }) => stop())

  await start('campaign-scheduler')
  await accepted('live', server.api.post(`/push/campaign/send/live/${campaign}?resend=true`, {}))
  await waitFor(
    'all chunks to be in the queue',
    async () => (await progressOf(ground)).state === 'sending',
    PATIENCE_MS,
  )
  await stage.maintain()
  const { pushes: former } = await provider.seen()
  const running = await Promise.all(Array.from({ length: workers }, () => start(WORKERS[provider.platform], settings)))
  const read = () => readAll(ground, backend, running)
  const warm = former + audience * WARM_UP_SHARE
  const before = await waitFor(
    'workers to be warm',
    async () => found(await read(), ({ pushes }) => pushes >= warm),
    PATIENCE_MS,
  )
  // The database is not queried before: each request to the gateway costs it what is measured here.
  await waitFor('all pushes', async () => (await provider.seen()).pushes - former >= audience, PATIENCE_MS)
  await waitFor('all outcomes to be recorded', async () => (await progressOf(ground)).pending === 0, PATIENCE_MS)
  const after = await read()
  await waitFor('the campaign to be sent', async () => (await progressOf(ground)).state === 'sent')
  const { sent } = await progressOf(ground)
  if (sent !== audience || after.pushes - former !== audience)
    throw new Error(`${audience} devices, but ${after.pushes - former} pushes and ${sent} recorded as sent`)
  return {
    cost: costBetween(before, after),
    providerMicros: 1e6 * (after.provider - before.provider),
    rssMiB: after.rssMiB,
  }
}

async function progressOf({ server, campaign }: Ground): Promise<{ state: string; pending?: number; sent?: number }> {
  return (await server.api.get(`/push/campaign/${campaign}/progress`)).body.responseObject
}

const found = <T>(value: T, isIt: (value: T) => boolean): T | undefined => (isIt(value) ? value : undefined)

async function readAll({ provider, stage }: Ground, backend: Setup['backend'], workers: readonly WatchedProcess[]) {
  const { pushes } = await provider.seen()
  const redis = backend === 'redis' ? stage.redis : undefined
  return {
    ...readCost({ services: workers, postgres: stage.postgres, redis }, pushes),
    provider: secondsOf(provider),
    rssMiB: Math.round(Math.max(...workers.map((each) => each.peakMemory() ?? 0))),
  }
}
