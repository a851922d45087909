// What a benchmark of the whole server stands on: PostgreSQL, the queues' store and a provider for each platform, each in a
// process of its own.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { startPostgres } from '@push-server/embedded-postgres'
import { fakeSettings } from '@push-server/simulator'
import { freePort, spawnRedis, THIS_TREE, type Tree } from '@push-server/testing'
import { Client } from 'pg'
import { startScript, watch, watchChild, type BenchProcess, type WatchedProcess } from './processes.ts'
import type { Arrivals, Seen } from './provider-process.ts'

export interface Stage {
  /** For every service. */
  environment: Record<string, string>
  /** Whose services are started. */
  tree: Tree
  postgres: WatchedProcess
  /** Undefined where the queue is on PostgreSQL. */
  redis: WatchedProcess | undefined
  providers: ProviderProcess[]
  /** Pushes and distinct tokens of all providers. */
  seen(): Promise<Seen>
  /** Vacuums, analyses and writes every page out, so that no measurement pays for what ran before it. */
  maintain(): Promise<void>
  close(): Promise<void>
}

export interface ProviderProcess extends BenchProcess {
  platform: Platform
  seen(): Promise<Seen>
  arrivals(): Promise<Arrivals>
  /** From here on it responds after this latency, and counts from 0. No push may be under way. */
  begin(latencyMs: StageOptions['latencyMs']): Promise<void>
}

export interface StageOptions {
  backend: 'redis' | 'postgresql'
  latencyMs: number | { min: number; max: number }
  /** That have a provider (all). */
  platforms?: readonly Platform[]
  /** This one by default. The providers are always of this tree. */
  tree?: Tree
  /** `by-hand`: a vacuum or checkpoint of PostgreSQL's own falls into no measurement (automatic). */
  maintenance?: 'automatic' | 'by-hand'
  /** More settings of PostgreSQL (none). */
  settings?: Record<string, string>
}

/** Streams at a time on one connection, as of the real ones. */
const STREAMS: Record<Platform, number> = { ios: 1000, android: 100, huawei: 1 }

/** A checkpoint is due after the longest time and amount of log that PostgreSQL takes: it finds none by itself. */
const BY_HAND = { autovacuum: 'off', checkpoint_timeout: '1d', max_wal_size: '100GB' }

/** PostgreSQL as it comes, unless it is maintained by hand: what is committed is on disk. Redis writes its log once a second, as the compose file has it. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { backend, latencyMs, platforms = PLATFORMS, tree = THIS_TREE, maintenance = 'automatic' } = options
  const folder = await mkdtemp(join(tmpdir(), 'push-bench-'))
  await using opening = new AsyncDisposableStack()
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const redis = backend === 'redis' ? await startRedis(folder) : undefined
  if (redis) opening.defer(redis.stop)
  const settings = { max_connections: '300', ...(maintenance === 'by-hand' && BY_HAND), ...options.settings }
  const postgres = await startPostgres({ dir: join(folder, 'postgres'), settings })
  opening.defer(postgres.stop)
  const environment: Record<string, string> = {
    LOG_LEVEL: 'warn',
    DATABASE_URL: postgres.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    ...(redis && { REDIS_URL: redis.url }),
  }
  const providers: ProviderProcess[] = []
  for (const platform of platforms) {
    const { provider, settings } = await startProvider(platform, folder, latencyMs)
    providers.push(opening.adopt(provider, ({ stop }) => stop()))
    Object.assign(environment, settings)
  }
  const seen = () => sumOf(providers)
  const maintain = () => maintainDatabase(postgres.url)
  const opened = opening.move()
  const close = () => opened.disposeAsync()
  return { environment, tree, postgres: watch('PostgreSQL', postgres.pid), redis, providers, seen, maintain, close }
}

async function startProvider(platform: Platform, folder: string, latencyMs: StageOptions['latencyMs']) {
  const options = JSON.stringify({ latencyMs, maxStreams: STREAMS[platform] })
  const { line, process } = await startScript('provider-process.ts', [options])
  const { origin, control, ca } = JSON.parse(line) as Record<'origin' | 'control' | 'ca', string>
  const caFile = join(folder, `${platform}.pem`)
  await writeFile(caFile, ca)
  const provider: ProviderProcess = {
    ...process,
    name: `provider of ${platform}`,
    platform,
    seen: async () => (await (await fetch(control)).json()) as Seen,
    arrivals: async () => (await (await fetch(`${control}/arrivals`)).json()) as Arrivals,
    begin: async (latencyMs) => void (await fetch(control, { method: 'POST', body: JSON.stringify(latencyMs) })),
  }
  return { provider, settings: fakeSettings(platform, { origin }, caFile) }
}

async function sumOf(providers: readonly ProviderProcess[]): Promise<Seen> {
  const all = await Promise.all(providers.map((provider) => provider.seen()))
  return {
    pushes: all.reduce((sum, { pushes }) => sum + pushes, 0),
    distinctTokens: all.reduce((sum, { distinctTokens }) => sum + distinctTokens, 0),
  }
}

async function maintainDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of ['VACUUM (ANALYZE)', 'CHECKPOINT']) await client.query(statement)
  } finally {
    await client.end()
  }
}

async function startRedis(folder: string) {
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', '']
  return { ...watchChild('redis-server', await spawnRedis(flags)), url: `redis://127.0.0.1:${port}` }
}
