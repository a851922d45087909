// What is measured: each client with the window and the connections at which it uses up its core.
import type { Platform } from '@push-server/contract'
import type { ClientName } from './clients/index.ts'

export interface Contender {
  client: ClientName
  connections: number
  /** Calls under way at a time. */
  calls: number
}

export interface Scenario {
  name: string
  platform: Platform
  latencyMs: number | { min: number; max: number }
  streams: number
  /** The first one is what the others are compared with. */
  contenders: readonly Contender[]
  isQuick: boolean
}

const REAL_LATENCY = { min: 25, max: 75 }

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'APNs: 1000 streams a connection, 25–75 ms',
    platform: 'ios',
    latencyMs: REAL_LATENCY,
    streams: 1_000,
    isQuick: true,
    contenders: [
      { client: 'ours, lean', connections: 8, calls: 8_000 },
      { client: 'ours, APNs provider', connections: 8, calls: 24 },
      { client: 'ours, node', connections: 2, calls: 2_000 },
      { client: 'node:http2, bare', connections: 2, calls: 2_000 },
      { client: 'undici, h2', connections: 2, calls: 2_000 },
      { client: 'node-apn', connections: 2, calls: 2_000 },
      { client: 'apns2', connections: 32, calls: 500 },
    ],
  },
  {
    name: 'APNs: 1000 streams on one connection, no latency',
    platform: 'ios',
    latencyMs: 0,
    streams: 1_000,
    isQuick: false,
    contenders: [
      { client: 'ours, lean', connections: 1, calls: 1_000 },
      { client: 'ours, node', connections: 1, calls: 1_000 },
      { client: 'node:http2, bare', connections: 1, calls: 1_000 },
      { client: 'undici, h2', connections: 1, calls: 1_000 },
      { client: 'node-apn', connections: 1, calls: 1_000 },
      { client: 'apns2', connections: 32, calls: 200 },
    ],
  },
  {
    name: 'FCM: 100 streams a connection, 25–75 ms',
    platform: 'android',
    latencyMs: REAL_LATENCY,
    streams: 100,
    isQuick: true,
    contenders: [
      { client: 'ours, lean (FCM)', connections: 40, calls: 4_000 },
      { client: 'ours, FCM provider', connections: 40, calls: 16 },
      { client: 'firebase-admin send', connections: 500, calls: 500 },
      { client: 'firebase-admin sendEach', connections: 10, calls: 10 },
    ],
  },
  {
    name: 'FCM: 100 streams a connection, no latency',
    platform: 'android',
    latencyMs: 0,
    streams: 100,
    isQuick: false,
    contenders: [
      { client: 'ours, lean (FCM)', connections: 10, calls: 1_000 },
      { client: 'firebase-admin send', connections: 200, calls: 200 },
      { client: 'firebase-admin sendEach', connections: 4, calls: 4 },
    ],
  },
  {
    name: 'HMS: 1000 tokens a request, 25–75 ms',
    platform: 'huawei',
    latencyMs: REAL_LATENCY,
    streams: 1,
    isQuick: true,
    contenders: [{ client: 'ours, HMS provider', connections: 60, calls: 60 }],
  },
]

/** The one at a real latency, whose first contender is what a worker of the platform is compared with. */
export function realScenario(platform: Platform): Scenario {
  const scenario = SCENARIOS.find((each) => each.platform === platform && each.latencyMs === REAL_LATENCY)
  if (!scenario) throw new Error(`No scenario of ${platform}`)
  return scenario
}
