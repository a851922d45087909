// The load that tests of failures are about: 2000 messages to three platforms, each accounted for in the end.
import type { Test } from 'tap'
import { PLATFORMS } from '@push-server/contract'
import {
  APP,
  openTestStack,
  registerCrowd,
  waitFor,
  type Crowd,
  type Sent,
  type TestStack,
  type TestStackOptions,
} from '@push-server/testing'

/** For what hangs, as in `until`. */
export const HANG_MS = 300_000
export const MESSAGES = 2000
export const CROWD: Crowd = { appId: APP, users: MESSAGES }
export const CONCURRENCY = 50
const LATENCY_MS = 100
/** What pushes in flight bring in responses within one checkpoint of 250 ms. */
const CHECKPOINT = CONCURRENCY * Math.ceil(250 / LATENCY_MS)
/** What the death of one worker may duplicate. */
export const DUPLICATES_OF_ONE = CONCURRENCY + CHECKPOINT

const CONCURRENCIES = {
  APNS_CONCURRENCY: String(CONCURRENCY),
  FCM_CONCURRENCY: String(CONCURRENCY),
  HMS_CONCURRENCY: String(CONCURRENCY),
}

export async function openUnderLoad(
  t: Test,
  options: TestStackOptions,
  crowds: readonly Crowd[] = [CROWD],
): Promise<TestStack> {
  const environment = { ...CONCURRENCIES, ...options.environment }
  const stack = await openTestStack({ simulator: { latencyMs: LATENCY_MS }, ...options, environment })
  t.teardown(() => stack.close())
  for (const crowd of crowds) {
    await stack.configure(crowd.appId, PLATFORMS)
    await registerCrowd(stack.database, crowd)
  }
  return stack
}

const received = (stack: TestStack) =>
  Object.values(stack.simulator.stats()).reduce((sum, platform) => sum + platform.received, 0)

/** Resolves when so many pushes have arrived: in the middle of it. */
export const arrived = (stack: TestStack, pushes: number) =>
  stack.simulator.waitFor(() => received(stack) >= pushes, HANG_MS)

/** Waits until everything is settled, and counts. `most`: duplicates that are allowed. */
export async function account(
  t: Test,
  stack: TestStack,
  { messageIds, most = 0 }: Pick<Sent, 'messageIds'> & { most?: number },
) {
  await waitFor('everything accepted to settle', async () => {
    const [row] = await stack.database.query<{ open: number }>(
      'SELECT count(*)::int AS open FROM chunks WHERE settled_at IS NULL',
    )
    return row?.open === 0
  })
  const accepted = new Set(messageIds).size
  t.ok(accepted >= MESSAGES, `${accepted} messages were accepted`)
  const statuses = await stack.database.query(
    'SELECT status, count(*)::int AS deliveries FROM deliveries WHERE message_id = ANY($1::uuid[]) GROUP BY status',
    [messageIds],
  )
  t.same(statuses, [{ status: 'sent', deliveries: accepted }], 'each of them is reported as sent')
  const stats = Object.values(stack.simulator.stats())
  const distinct = stats.reduce((sum, { distinctTokens }) => sum + distinctTokens, 0)
  t.equal(distinct, accepted, 'each of them was received')
  const duplicates = received(stack) - accepted
  t.ok(duplicates <= most, `${duplicates} duplicates, ${most} are allowed`)
  t.same(
    await stack.database.query('SELECT token FROM devices WHERE dropped_at IS NOT NULL'),
    [],
    'no token is dropped',
  )
  t.same(await stack.database.query('SELECT * FROM provider_pauses'), [], 'nothing stays paused')
}
