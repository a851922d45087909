// Removes rows that have reached their maximum age: every minute, in small steps, in any number of processes at once.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '@push-server/store'
import type { Context, Service } from '../context.ts'
import { policyOf, type RetentionPolicy } from './retention-policy.ts'

/** Rows of one step. It takes some 15 ms, or a second or two when each row has hundreds of devices. */
const STEP = 500
/** Small rows that no others depend on. */
const SMALL_STEP = 5000

type Removed = Record<
  | 'chunks'
  | 'messages'
  | 'resends'
  | 'devices'
  | 'deviceEvents'
  | 'inbox'
  | 'campaignUsers'
  | 'campaigns'
  | 'keys'
  | 'tokens',
  number
>

const stepsOf = (
  { retention }: Store,
  policy: RetentionPolicy,
): [what: keyof Removed, remove: () => Promise<number>][] => [
  ['chunks', () => retention.removeChunks(policy.contents, STEP)],
  ['messages', () => retention.removeMessages(policy.messages, STEP, { keyed: false })],
  ['messages', () => retention.removeMessages(policy.keyedMessages, STEP, { keyed: true })],
  ['resends', () => retention.removeResends(policy.messages, STEP)],
  ['devices', () => retention.removeDevices(policy.devices, STEP)],
  ['deviceEvents', () => retention.removeDeviceEvents(policy.deviceEvents, SMALL_STEP)],
  ['inbox', () => retention.removeExpiredInbox(STEP)],
  ['inbox', async () => (policy.inbox === undefined ? 0 : retention.removeOldInbox(policy.inbox, STEP))],
  ['campaignUsers', () => retention.removeCampaignUsers(SMALL_STEP)],
  ['chunks', () => retention.removeCampaignChunks(STEP)],
  ['campaigns', () => retention.removeCampaigns(STEP)],
  ['keys', () => retention.removeKeys(STEP)],
  ['tokens', () => retention.removeTokens(STEP)],
]

/** One round, until nothing is left to remove or `signal` is aborted. Resolves with the counts of removed rows. */
async function removeOld({ config, store }: Context, signal?: AbortSignal): Promise<Removed> {
  const removed: Removed = {
    chunks: 0,
    messages: 0,
    resends: 0,
    devices: 0,
    deviceEvents: 0,
    inbox: 0,
    campaignUsers: 0,
    campaigns: 0,
    keys: 0,
    tokens: 0,
  }
  for (const [what, remove] of stepsOf(store, policyOf(config))) {
    for (;;) {
      const start = performance.now()
      const count = await remove()
      removed[what] += count
      if (count === 0 || signal?.aborted) break
      // Rests as long as the step took: a large backlog takes half of one connection at most.
      await sleep(performance.now() - start)
    }
  }
  return removed
}

/** The service that removes old rows. Any number may run: rows that one has locked the others skip. */
export const retention: Service = async (context) => {
  const { config, log } = context
  const stopping = new AbortController()
  let running: Promise<void> | undefined

  async function pass(): Promise<void> {
    const removed = await removeOld(context, stopping.signal)
    if (Object.values(removed).some((count) => count > 0)) log.info({ removed }, 'old rows removed')
  }

  const timer = setInterval(() => {
    running ??= pass()
      .catch((error: unknown) => log.warn({ err: error }, 'retention failed, retrying in the next pass'))
      .finally(() => (running = undefined))
  }, config.retentionInterval)
  return async () => {
    clearInterval(timer)
    stopping.abort()
    await running
  }
}
