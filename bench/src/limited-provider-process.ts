// A simulator that takes so many pushes a second, in a process of its own: says where it is, and ends with its parent.
import { once } from 'node:events'
import { startSimulator, type LatencyMs } from '@push-server/simulator'

export interface LimitedProviderOrder {
  platform: 'ios' | 'android'
  perSecond: number
  latencyMs: LatencyMs
}

export interface LimitedProviderAddress {
  origin: string
  tokenUrl: string
  ca: string
}

process.on('disconnect', () => process.exit())
const [{ platform, perSecond, latencyMs }] = (await once(process, 'message')) as [LimitedProviderOrder]
const simulator = await startSimulator({ keep: 0, latencyMs })
await simulator.configure(platform, { rate: { perSecond } })
const { origin, ca } = platform === 'ios' ? simulator.apns : simulator.fcm
process.send?.({ origin, ca, tokenUrl: simulator.fcm.tokenUrl } satisfies LimitedProviderAddress)
