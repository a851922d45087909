// One measurement of how much of a provider's limit is used: more work than the limit lets through is there at any time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tree } from '@push-server/testing'
import type { LimitOrder, LimitReport, Second } from './limit-push-process.ts'
import type { LimitedProviderAddress, LimitedProviderOrder } from './limited-provider-process.ts'
import { messageFrom, startPinned } from './processes.ts'

export const LATENCY_MS = { min: 30, max: 70 }
/** To find the rate in. */
export const WARM_UP_SECONDS = 10
const CORES = { push: 0, provider: 1 }

export interface LimitRun {
  /** Every second, of the warm-up as well. */
  all: Second[]
  /** After it, percent of the limit and of the requests. */
  used: number
  refused: number
  /** Percent of a core that the pushing process took. */
  core: number
}

export interface LimitOptions {
  platform: 'ios' | 'android'
  perSecond: number
  seconds: number
  /** Whose client pushes; the provider is of this tree always. */
  tree?: Tree
}

export async function runLimit({ platform, perSecond, seconds, tree }: LimitOptions): Promise<LimitRun> {
  const provider = startPinned('limited-provider-process.ts', { core: CORES.provider })
  const folder = mkdtempSync(join(tmpdir(), 'bench-limit-'))
  try {
    provider.send({ platform, perSecond, latencyMs: LATENCY_MS } satisfies LimitedProviderOrder)
    const { ca, ...address } = await messageFrom<LimitedProviderAddress>(provider, 'the provider')
    const caFile = join(folder, 'ca.pem')
    writeFileSync(caFile, ca)
    const pushing = startPinned('limit-push-process.ts', { core: CORES.push, ...(tree && { tree }) })
    pushing.send({ platform, ...address, caFile, seconds: WARM_UP_SECONDS + seconds } satisfies LimitOrder)
    return summed(await messageFrom<LimitReport>(pushing, 'the pushing process'), perSecond * seconds)
  } finally {
    provider.disconnect()
    rmSync(folder, { recursive: true })
  }
}

function summed({ seconds: all, cpuMicros, wallMs }: LimitReport, limit: number): LimitRun {
  const measured = all.slice(WARM_UP_SECONDS)
  const sent = total(measured, 'sent')
  const refused = total(measured, 'refused')
  return { all, used: (100 * sent) / limit, refused: (100 * refused) / (sent + refused), core: cpuMicros / 10 / wallMs }
}

export const total = (seconds: readonly Second[], of: keyof Second) =>
  seconds.reduce((sum, second) => sum + second[of], 0)
