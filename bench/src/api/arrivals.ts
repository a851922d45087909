// What has arrived at the providers, by their own count, beside what has to: each message exactly once.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Platform } from '@push-server/contract'
import { waitFor } from '@push-server/testing'
import type { Arrivals } from '../provider-process.ts'
import type { ProviderProcess, Stage } from '../stage.ts'
import { usersByMessages, type Sending } from './audience.ts'
import type { Cell } from './cells.ts'
import type { Target } from './ground.ts'

/** Of all providers together. */
export interface Arrived {
  pushes: number
  /** Milliseconds since the epoch. */
  lastPushAt: number
  failures: string[]
}

/** The sweep of the server finds after ten seconds what the queue has lost. */
const PATIENCE_MS = 30_000
const POLL_MS = 20

/** A new count at every provider, which responds after that time from here on. */
export async function beginCount({ providers }: Stage, latencyMs: Cell['latencyMs']): Promise<void> {
  for (const provider of providers) await provider.begin(latencyMs)
}

/** Resolves when everything has arrived and is recorded, or nothing has come for a while. */
export async function waitForArrivals(stage: Stage, target: Target, sendings: readonly Sending[]): Promise<Arrived> {
  const expected = sendings.reduce((sum, { messages, audience }) => sum + messages * audience.platforms.length, 0)
  let [pushes, since] = [-1, performance.now()]
  while (pushes < expected && performance.now() - since < PATIENCE_MS) {
    const seen = await stage.seen()
    if (seen.pushes > pushes) since = performance.now()
    pushes = seen.pushes
    if (pushes < expected) await sleep(POLL_MS)
  }
  const settling = await waitFor('every outcome to be stored', target.isSettled, PATIENCE_MS).catch(String)
  const arrivals = await Promise.all(stage.providers.map(async (each) => [each, await each.arrivals()] as const))
  return {
    pushes: arrivals.reduce((sum, [, each]) => sum + each.pushes, 0),
    lastPushAt: Math.max(...arrivals.map(([, { lastPushAt }]) => lastPushAt)),
    failures: [
      ...(typeof settling === 'string' ? [settling] : []),
      ...arrivals.flatMap(([provider, each]) => failuresOf(provider, each, sendings)),
    ],
  }
}

function failuresOf(
  { platform }: ProviderProcess,
  { tokensByPushes }: Arrivals,
  sendings: readonly Sending[],
): string[] {
  const [seen, due] = [JSON.stringify(tokensByPushes), JSON.stringify(tokensDue(platform, sendings))]
  return seen === due ? [] : [`${platform}: phones by their pushes are ${seen}, where ${due} are due`]
}

/** How many tokens of a platform have to get so many pushes, by that number. */
export function tokensDue(platform: Platform, sendings: readonly Sending[]): Record<number, number> {
  const due: Record<number, number> = {}
  for (const sending of sendings.filter(({ audience }) => audience.platforms.includes(platform)))
    for (const [pushes, users] of Object.entries(usersByMessages(sending)))
      due[Number(pushes)] = (due[Number(pushes)] ?? 0) + users
  return due
}
