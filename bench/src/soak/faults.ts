// What a soak makes fail, one thing after the other, chosen by chance; each says how many pushes it may have repeated.
import { setTimeout as sleep } from 'node:timers/promises'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { APNS_SETTINGS, emptyQueue, generateApnsKey, generateServiceAccount } from '@push-server/testing'
import { insist, wrapped } from './insist.ts'
import { APP, LATENCY_MS, PREFIXES, USERS, WINDOW, type SoakStage } from './stage.ts'

export interface Fault {
  name: string
  /** Repeats for each time: what was in flight and not recorded. */
  mayRepeat: number
  /** Resolves when what failed is in order again; recovering goes on. */
  inject(): Promise<void>
}

/** How often each was injected. */
export type Injected = ReadonlyMap<Fault, number>

/** Beside the window, the answers of a checkpoint of 250 ms. */
const UNRECORDED = WINDOW * (1 + Math.ceil(250 / LATENCY_MS))
/** A request to Huawei holds all tokens of a chunk: those of eight chunks of campaigns come on top. */
const UNRECORDED_HMS = UNRECORDED + 8 * 100
const REPEATS_OF: Record<string, number> = {
  'apns-worker': UNRECORDED,
  'fcm-worker': UNRECORDED,
  'hms-worker': UNRECORDED_HMS,
}
const REPEATS_OF_ALL = 3 * UNRECORDED + UNRECORDED_HMS

export function createFaults(stage: SoakStage, random: () => number): Fault[] {
  return [...serverFaults(stage), ...providerFaults(stage, random), ...credentialsFaults(stage)]
}

function serverFaults({ house, postgres, redis, services }: SoakStage): Fault[] {
  const restarted = async (server: { kill(): Promise<void>; start(): Promise<void> }) => {
    await server.kill()
    await server.start()
  }
  return [
    ...services.map(({ name, kill }) => ({
      name: `${name} killed`,
      mayRepeat: REPEATS_OF[name] ?? 0,
      inject: kill,
    })),
    { name: 'PostgreSQL killed', mayRepeat: REPEATS_OF_ALL, inject: () => restarted(postgres) },
    ...(redis ? [{ name: 'Redis killed', mayRepeat: 0, inject: () => restarted(redis) }] : []),
    { name: 'queue emptied', mayRepeat: 0, inject: async () => void (await emptyQueue(house)) },
  ]
}

/** Tokens that are answered in some way once. */
const SCRIPTED = 10
/** What one connection had under way: a window of pushes, or to Huawei one request for a chunk. */
const ON_ONE_CONNECTION = Math.max(WINDOW, 100)

function providerFaults({ house: { simulator } }: SoakStage, random: () => number): Fault[] {
  const anyPlatform = () => PLATFORMS[Math.floor(random() * PLATFORMS.length)] ?? 'ios'
  const forAWhile = (least: number) => sleep(least + random() * 2_000)
  const script = (answer: Parameters<typeof simulator.answer>[1]) => {
    const prefix = PREFIXES[anyPlatform()]
    for (let count = 0; count < SCRIPTED; count++) {
      const user = 1 + Math.floor(random() * USERS)
      simulator.answer(prefix + user.toString(16).padStart(63, '0'), { ...answer, times: 1 })
    }
  }
  return [
    {
      name: 'connections to a provider cut',
      mayRepeat: UNRECORDED_HMS,
      inject: async () => simulator.disconnect(anyPlatform(), 'cut'),
    },
    {
      name: 'GOAWAY of a provider',
      mayRepeat: UNRECORDED_HMS,
      inject: async () => simulator.disconnect(anyPlatform(), 'goaway'),
    },
    {
      name: 'provider down for seconds',
      mayRepeat: UNRECORDED_HMS,
      async inject() {
        const platform = anyPlatform()
        await simulator.conduct(platform, { down: true })
        await forAWhile(500)
        await simulator.conduct(platform, { down: false })
      },
    },
    {
      name: 'provider slow for seconds',
      mayRepeat: 0,
      async inject() {
        const platform = anyPlatform()
        await simulator.conduct(platform, { latencyMs: 1_500 })
        await forAWhile(500)
        await simulator.conduct(platform, { latencyMs: null })
      },
    },
    { name: '503 to some tokens', mayRepeat: 0, inject: async () => script({ status: 503, retryAfter: 1 }) },
    {
      name: 'answers to some tokens lost',
      mayRepeat: SCRIPTED * ON_ONE_CONNECTION,
      inject: async () => script({ fault: 'lose' }),
    },
    { name: 'access tokens expired', mayRepeat: 0, inject: async () => simulator.expireTokens() },
  ]
}

const UPLOADS: Record<Platform, () => object> = {
  ios: () => ({ ...APNS_SETTINGS, privateKeyBase64: Buffer.from(generateApnsKey()).toString('base64') }),
  android: () => ({
    projectId: 'test-project',
    privateKeyBase64: Buffer.from(generateServiceAccount()).toString('base64'),
  }),
  huawei: () => ({ projectId: 'test-project', clientId: '100000001', clientSecret: 'another secret' }),
}

function credentialsFaults({ house: { api, simulator } }: SoakStage): Fault[] {
  return [
    {
      name: 'credentials changed',
      mayRepeat: 0,
      async inject() {
        for (const platform of PLATFORMS) {
          const body = wrapped({ appId: APP, ...UPLOADS[platform]() })
          await insist(api, ['POST', `/admin/app/${platform}/update`, body])
        }
      },
    },
    {
      name: 'credentials refused, then resumed by hand',
      mayRepeat: 0,
      async inject() {
        simulator.answer(PREFIXES.ios, { status: 403, reason: 'InvalidProviderToken' })
        await sleep(1_000)
        simulator.forgetAnswers(PREFIXES.ios)
        await insist(api, ['POST', '/admin/app/ios/resume', wrapped({ appId: APP })])
      },
    },
  ]
}

export interface Injecting {
  random: () => number
  pauseMs: { min: number; max: number }
  /** Ms since the epoch. */
  until: number
}

/** Each once, in any order, before any comes twice. */
export async function injectFaults(faults: readonly Fault[], options: Injecting): Promise<Injected> {
  const { random, pauseMs, until } = options
  const injected = new Map<Fault, number>(faults.map((fault) => [fault, 0]))
  let left: Fault[] = []
  while (Date.now() < until) {
    if (left.length === 0) left = [...faults]
    const [fault] = left.splice(Math.floor(random() * left.length), 1)
    if (!fault) break
    await fault.inject()
    injected.set(fault, (injected.get(fault) ?? 0) + 1)
    await sleep(pauseMs.min + random() * (pauseMs.max - pauseMs.min))
  }
  return injected
}
