// What a soak runs on: servers of its own, the simulator in this process, and every service in a process of its own that is
// started again whenever it was killed, as an orchestrator would.
import { setTimeout as sleep } from 'node:timers/promises'
import { PLATFORMS, type Platform } from '@push-server/contract'
import {
  freePort,
  openTestStack,
  registerCrowd,
  spawnService,
  startOwnPostgres,
  startOwnRedis,
  waitFor,
  type TestStack,
  type OwnServer,
  type ServiceProcess,
  type TestBackend,
} from '@push-server/testing'
import { WORKERS } from '../server.ts'

export const APP = 'soak'
export const USERS = 300
/** Pushes in flight of one worker. */
export const CONCURRENCY = 50
export const LATENCY_MS = 100
/** Tokens of each platform begin with it, so that responses can be scripted for one of them. */
export const PREFIXES: Readonly<Record<Platform, string>> = { ios: 'a', android: 'b', huawei: 'c' }

const SERVICES = [
  'api-gateway',
  'campaign-scheduler',
  'campaign-scheduler',
  WORKERS.ios,
  ...Object.values(WORKERS),
] as const

export interface SoakService {
  name: string
  /** Of /metrics. */
  url: string
  /** SIGKILL; another one is started soon and is ready after a while. */
  kill(): Promise<void>
  ready(): Promise<unknown>
}

export interface SoakStage {
  stack: TestStack
  postgres: OwnServer
  /** Undefined where the queue is on PostgreSQL. */
  redis: OwnServer | undefined
  services: readonly SoakService[]
  close(): Promise<void>
}

export async function openSoakStage(backend: 'redis' | 'postgresql'): Promise<SoakStage> {
  await using opening = new AsyncDisposableStack()
  const redis = backend === 'redis' ? await startOwnRedis({ appendOnly: true }) : undefined
  if (redis) opening.defer(redis.close)
  const postgres = await startOwnPostgres({ max_connections: '300' })
  opening.defer(postgres.close)
  const stack = await openTestStack({
    backend: backendOf(redis),
    services: [],
    cluster: postgres.url,
    simulator: { latencyMs: LATENCY_MS },
    environment: {
      APNS_CONCURRENCY: String(CONCURRENCY),
      FCM_CONCURRENCY: String(CONCURRENCY),
      HMS_CONCURRENCY: String(CONCURRENCY),
      CAMPAIGN_PARTITION: '100',
      DATABASE_POOL: '5',
    },
  })
  opening.defer(stack.close)
  await stack.configure(APP, PLATFORMS)
  for (const platform of PLATFORMS)
    await registerCrowd(stack.database, {
      appId: APP,
      users: USERS,
      platforms: [platform],
      prefix: PREFIXES[platform],
    })
  const services = await Promise.all(SERVICES.map((name) => startSoakService(stack, name, opening)))
  const opened = opening.move()
  return { stack, postgres, redis, services, close: () => opened.disposeAsync() }
}

const backendOf = (redis: OwnServer | undefined): TestBackend => ({
  name: redis ? 'redis' : 'postgresql',
  skip: false,
  environment: () => ({ ...(redis && { REDIS_URL: redis.url, QUEUE_PREFIX: 'soak' }) }),
})

/** For what hangs, not for what is slow. */
const READY_MS = 300_000
const START_AGAIN_MS = 200

async function startSoakService(stack: TestStack, name: string, opening: AsyncDisposableStack): Promise<SoakService> {
  const port = String(await freePort())
  const url = name === 'api-gateway' ? stack.api.url : `http://127.0.0.1:${port}`
  const spawn = () => spawnService(name, { ...stack.environment, HEALTH_PORT: port })
  const ready = () => waitFor(`${name} to be ready`, () => isReady(url), READY_MS)
  let service: ServiceProcess | undefined
  const closing = new AbortController()
  // One that is started while PostgreSQL recovers ends at once, and is started again.
  async function supervise() {
    while (!closing.signal.aborted) {
      service = spawn()
      await service.ended
      if (!closing.signal.aborted) await sleep(START_AGAIN_MS)
    }
  }
  const supervised = supervise()
  opening.defer(async () => {
    closing.abort()
    await service?.kill()
    await supervised
  })
  await ready()
  return { name, url, ready, kill: async () => service?.kill() }
}

const isReady = (url: string) =>
  fetch(`${url}/health/ready`).then(
    ({ ok }) => ok,
    () => false,
  )
