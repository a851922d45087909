// What a soak makes fail, one thing after the other, chosen by chance; each says how many pushes it may duplicate.
import { setTimeout as sleep } from 'node:timers/promises'
import { PLATFORMS } from '@push-server/contract'
import { emptyQueue, generateUpdates } from '@push-server/testing'
import { insist, wrapped } from './insist.ts'
import { APP, LATENCY_MS, PREFIXES, USERS, CONCURRENCY, type SoakStage } from './stage.ts'

export interface Failure {
  name: string
  /** Duplicates for each time: what was in flight and not recorded. */
  mayDuplicate: number
  /** Resolves when what failed is in order again; recovering goes on. */
  inject(): Promise<void>
}

/** How often each was injected. */
export type Injected = ReadonlyMap<Failure, number>

/** The pushes in flight, and the responses of a checkpoint of 250 ms. */
const UNRECORDED = CONCURRENCY * (1 + Math.ceil(250 / LATENCY_MS))
/** A request to Huawei holds all tokens of a chunk: those of eight chunks of campaigns come on top. */
const UNRECORDED_HMS = UNRECORDED + 8 * 100
const DUPLICATES_OF: Record<string, number> = {
  'apns-worker': UNRECORDED,
  'fcm-worker': UNRECORDED,
  'hms-worker': UNRECORDED_HMS,
}
const DUPLICATES_OF_ALL = 3 * UNRECORDED + UNRECORDED_HMS

export function createFailures(stage: SoakStage, random: () => number): Failure[] {
  return [...serverFailures(stage), ...providerFailures(stage, random), ...credentialsFailures(stage)]
}

function serverFailures({ stack, postgres, redis, services }: SoakStage): Failure[] {
  const restarted = async (server: { kill(): Promise<void>; start(): Promise<void> }) => {
    await server.kill()
    await server.start()
  }
  return [
    ...services.map(({ name, kill }) => ({
      name: `${name} killed`,
      mayDuplicate: DUPLICATES_OF[name] ?? 0,
      inject: kill,
    })),
    { name: 'PostgreSQL killed', mayDuplicate: DUPLICATES_OF_ALL, inject: () => restarted(postgres) },
    ...(redis ? [{ name: 'Redis killed', mayDuplicate: 0, inject: () => restarted(redis) }] : []),
    { name: 'queue emptied', mayDuplicate: 0, inject: async () => void (await emptyQueue(stack)) },
  ]
}

/** Tokens that get a scripted response once. */
const SCRIPTED = 10
/** What one connection had under way: a window of pushes, or to Huawei one request for a chunk. */
const ON_ONE_CONNECTION = Math.max(CONCURRENCY, 100)

function providerFailures({ stack: { simulator } }: SoakStage, random: () => number): Failure[] {
  const anyPlatform = () => PLATFORMS[Math.floor(random() * PLATFORMS.length)] ?? 'ios'
  const forAWhile = (least: number) => sleep(least + random() * 2_000)
  const script = (response: Parameters<typeof simulator.respondTo>[1]) => {
    const prefix = PREFIXES[anyPlatform()]
    for (let count = 0; count < SCRIPTED; count++) {
      const user = 1 + Math.floor(random() * USERS)
      simulator.respondTo(prefix + user.toString(16).padStart(63, '0'), { ...response, times: 1 })
    }
  }
  return [
    {
      name: 'connections to a provider closed',
      mayDuplicate: UNRECORDED_HMS,
      inject: async () => simulator.disconnect(anyPlatform(), 'cut'),
    },
    {
      name: 'GOAWAY of a provider',
      mayDuplicate: UNRECORDED_HMS,
      inject: async () => simulator.disconnect(anyPlatform(), 'goaway'),
    },
    {
      name: 'provider down for seconds',
      mayDuplicate: UNRECORDED_HMS,
      async inject() {
        const platform = anyPlatform()
        await simulator.configure(platform, { down: true })
        await forAWhile(500)
        await simulator.configure(platform, { down: false })
      },
    },
    {
      name: 'provider slow for seconds',
      mayDuplicate: 0,
      async inject() {
        const platform = anyPlatform()
        await simulator.configure(platform, { latencyMs: 1_500 })
        await forAWhile(500)
        await simulator.configure(platform, { latencyMs: null })
      },
    },
    { name: '503 to some tokens', mayDuplicate: 0, inject: async () => script({ status: 503, retryAfter: 1 }) },
    {
      name: 'responses to some tokens lost',
      mayDuplicate: SCRIPTED * ON_ONE_CONNECTION,
      inject: async () => script({ failure: 'lose' }),
    },
    { name: 'access tokens expired', mayDuplicate: 0, inject: async () => simulator.expireTokens() },
  ]
}

function credentialsFailures({ stack: { api, simulator } }: SoakStage): Failure[] {
  return [
    {
      name: 'credentials changed',
      mayDuplicate: 0,
      async inject() {
        for (const platform of PLATFORMS) {
          const body = wrapped({ appId: APP, ...generateUpdates[platform]() })
          await insist(api, ['POST', `/admin/app/${platform}/update`, body])
        }
      },
    },
    {
      name: 'credentials refused, then resumed by hand',
      mayDuplicate: 0,
      async inject() {
        simulator.respondTo(PREFIXES.ios, { status: 403, reason: 'InvalidProviderToken' })
        await sleep(1_000)
        simulator.forgetResponses(PREFIXES.ios)
        await insist(api, ['POST', '/admin/app/ios/resume', wrapped({ appId: APP })])
      },
    },
  ]
}

export interface Injecting {
  random: () => number
  pauseMs: { min: number; max: number }
  /** Ms since the epoch. */
  waitFor: number
}

/** Each once, in any order, before any comes twice. */
export async function injectFailures(failures: readonly Failure[], options: Injecting): Promise<Injected> {
  const { random, pauseMs, waitFor } = options
  const injected = new Map<Failure, number>(failures.map((failure) => [failure, 0]))
  let left: Failure[] = []
  while (Date.now() < waitFor) {
    if (left.length === 0) left = [...failures]
    const [failure] = left.splice(Math.floor(random() * left.length), 1)
    if (!failure) break
    await failure.inject()
    injected.set(failure, (injected.get(failure) ?? 0) + 1)
    await sleep(pauseMs.min + random() * (pauseMs.max - pauseMs.min))
  }
  return injected
}
