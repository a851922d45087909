// A campaign whose processes are killed: a test stack without scheduler and workers, users with an iPhone each, and what has to hold.
import type { CampaignProgress } from '@push-server/contract'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  analyzeDevices,
  APP,
  openTestStack,
  spawnService,
  waitFor,
  type TestStack,
  type ServiceProcess,
  type TestBackend,
} from '@push-server/testing'
import type { Test } from 'tap'

export const USERS = 3000
/** Pushes in flight of one worker. */
export const CONCURRENCY = 50
const LATENCY_MS = 60
/** What pushes in flight bring in responses within one checkpoint of 250 ms. */
const CHECKPOINT = CONCURRENCY * Math.ceil(250 / LATENCY_MS)
/** What the death of one worker may duplicate. */
export const MOST_DUPLICATES = CONCURRENCY + CHECKPOINT

const SETTINGS = { APNS_CONCURRENCY: String(CONCURRENCY), CAMPAIGN_PARTITION: '500', CAMPAIGN_CONCURRENCY: '4' }

export async function openCrowd(t: Test, backend: TestBackend, environment: Record<string, string> = {}) {
  const stack = await openTestStack({
    backend,
    services: ['gateway'],
    environment: { ...SETTINGS, ...environment },
    simulator: { latencyMs: LATENCY_MS },
  })
  t.teardown(() => stack.close())
  await stack.configure()
  await stack.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT id, 'user-' || n, 'of-' || n, 'ios', lpad(to_hex(n), 64, '0'), n % 1024, true, now() - interval '1 hour'
     FROM applications, generate_series(1, $1::int) n`,
    [USERS],
  )
  await analyzeDevices(stack.database)
  return stack
}

export async function startRun({ api }: TestStack): Promise<string> {
  const { body } = await api.post('/push/campaign/create', { appId: APP, message: { title: 'Crash test' } })
  const id: string = body.responseObject.id
  await api.post(
    `/push/campaign/${id}/user/add`,
    Array.from({ length: USERS }, (_, index) => `user-${index + 1}`),
  )
  await api.post(`/push/campaign/send/live/${id}`, {})
  return id
}

/** Ends with the test, however that comes. */
export function launch(t: Test, { environment }: TestStack, name: string): ServiceProcess {
  const service = spawnService(name, environment)
  t.teardown(() => service.kill())
  return service
}

export const detailOf = async ({ api }: TestStack, id: string) =>
  (await api.get(`/push/campaign/${id}/detail`)).body.responseObject

const LONGEST_RUN_MS = 300_000

/** Every progress that was seen until the run was over, in order. */
export async function follow({ api }: TestStack, id: string): Promise<CampaignProgress[]> {
  const seen: CampaignProgress[] = []
  await waitFor(
    'the run to be over',
    async () => {
      const progress: CampaignProgress = (await api.get(`/push/campaign/${id}/progress`)).body.responseObject
      seen.push(progress)
      // As often as a page that shows it might poll.
      await sleep(100)
      return progress.state === 'sent' || progress.state === 'cancelled'
    },
    LONGEST_RUN_MS,
  )
  return seen
}

/** It never goes backwards, nor beyond a total that is reported once the fan-out is complete and then stays. */
export function checkProgress(t: Test, seen: readonly CampaignProgress[]): void {
  const failures = seen.flatMap((now, index) => {
    const before = seen[index - 1]
    const isBackwards = before && ((now.sent ?? 0) < (before.sent ?? 0) || (now.failed ?? 0) < (before.failed ?? 0))
    const isBeyond = (now.sent ?? 0) + (now.failed ?? 0) > (now.total ?? USERS)
    const isUnsteady = now.total !== undefined && now.total !== USERS
    const isEarly = now.state === 'fanning-out' && now.total !== undefined
    return isBackwards || isBeyond || isUnsteady || isEarly ? [{ before, now }] : []
  })
  t.same(failures, [], `${seen.length} polls of the progress: never backwards, never beyond the total`)
}

/** Once the run is over: everybody has it, and the figures say so. */
export async function checkSent(t: Test, stack: TestStack, id: string): Promise<void> {
  const { result, state, sent } = await detailOf(stack, id)
  t.same([state, sent], ['sent', true])
  t.same(result.ios, { sent: USERS, pending: 0, failed: 0, total: USERS }, 'the figures add up')
  t.equal(new Set(stack.simulator.pushes.map(({ token }) => token)).size, USERS, 'nobody is left out')
}
