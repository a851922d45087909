// Schedulers and workers that die at random moments of a run: everybody gets it, few get it twice, and the figures add up.
// The moments come from a seed that is printed; TEST_SEED gives the same again.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { BACKENDS, createRandom, waitFor, type TestStack } from '@push-server/testing'
import {
  checkProgress,
  checkSent,
  detailOf,
  follow,
  launch,
  MOST_DUPLICATES,
  openCrowd,
  startRun,
  USERS,
} from './_campaign.ts'

// What a death leaves behind is a matter of the queue and the database: over the other transport a few rounds will do.
const LONG = process.env.TEST_LONG !== undefined && process.env.HTTP2_TRANSPORT !== 'node'
const ROUNDS = LONG ? 20 : 3
t.setTimeout(LONG ? 7_200_000 : 1_800_000)
// Much of the time they wait for processes to start and for leases of the dead.
t.jobs = 3

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

/** How long before a worker's death its pushes may not be recorded yet: one checkpoint, and what a busy machine adds. */
const UNRECORDED_MS = 5000

interface Crashes {
  stack: TestStack
  random: () => number
  kills: number
}

/** Killed some time after each start, until it may stay. */
async function crashScheduler(t: Test, { stack, random, kills }: Crashes): Promise<void> {
  let service = launch(t, stack, 'campaign-scheduler')
  for (let kill = 0; kill < kills; kill++) {
    // Not a wait for something: the moment of the death is what is tried.
    await sleep(300 + random() * 1500)
    await service.kill()
    service = launch(t, stack, 'campaign-scheduler')
  }
}

/** Killed whenever so many pushes have arrived, and so in the middle of chunks; `deaths` gets the times. */
async function crashWorker(t: Test, { stack, random, kills, deaths }: Crashes & { deaths: number[] }): Promise<void> {
  const moments = Array.from({ length: kills }, () => Math.ceil(random() * 0.9 * USERS)).toSorted((a, b) => a - b)
  let service = launch(t, stack, 'apns-worker')
  for (const moment of moments) {
    await waitFor(`${moment} pushes`, () => stack.simulator.pushes.length >= moment)
    deaths.push(Date.now())
    await service.kill()
    service = launch(t, stack, 'apns-worker')
  }
}

/** Only what arrived shortly before a worker died comes again, few of them, under the same id. */
function checkDuplicates(t: Test, { simulator }: TestStack, deaths: readonly number[]): void {
  const byToken = [...Map.groupBy(simulator.pushes, ({ token }) => token).values()]
  const duplicated = byToken.filter((pushes) => pushes.length > 1)
  const most = deaths.length * MOST_DUPLICATES
  t.ok(
    simulator.pushes.length - USERS <= most,
    `${simulator.pushes.length - USERS} duplicates, at most ${most} are allowed`,
  )
  const isExcused = ({ receivedAt }: { receivedAt: Date }) =>
    deaths.some((death) => +receivedAt > death - UNRECORDED_MS && +receivedAt < death + UNRECORDED_MS)
  const unexcused = duplicated.filter((pushes) => !pushes.slice(0, -1).every(isExcused))
  t.same(unexcused.length, 0, 'only pushes that the death of a worker has left unrecorded are pushed again')
  const ids = (pushes: typeof simulator.pushes) => new Set(pushes.map(({ headers }) => headers['apns-id'])).size
  t.ok(
    duplicated.every((pushes) => ids(pushes) === 1),
    'a duplicate bears the same id',
  )
}

for (const backend of BACKENDS)
  for (let round = 1; round <= ROUNDS; round++) {
    const test = (title: string, seed: number, run: (t: Test, random: () => number) => Promise<void>) =>
      t.test(`${backend.name}, round ${round}: ${title}, seed ${seed}`, { skip: backend.skip }, (t) =>
        run(t, createRandom(seed)),
      )

    test('schedulers and workers are killed', SEED + round, async (t, random) => {
      const stack = await openCrowd(t, backend)
      const id = await startRun(stack)
      const deaths: number[] = []
      const [seen] = await Promise.all([
        follow(stack, id),
        crashScheduler(t, { stack, random, kills: 2 }),
        crashScheduler(t, { stack, random, kills: 0 }),
        crashWorker(t, { stack, random, kills: 2, deaths }),
        crashWorker(t, { stack, random, kills: 1, deaths }),
      ])
      checkProgress(t, seen)
      await checkSent(t, stack, id)
      checkDuplicates(t, stack, deaths)
    })

    test('held and resumed while a worker is killed', SEED + ROUNDS + round, async (t, random) => {
      const stack = await openCrowd(t, backend)
      await stack.start('scheduler')
      const id = await startRun(stack)
      const deaths: number[] = []
      const hold = async () => {
        for (let index = 0; index < 2; index++) {
          await sleep(random() * 600)
          await stack.api.post(`/push/campaign/${id}/pause`, {})
          await sleep(random() * 600)
          await stack.api.post(`/push/campaign/${id}/resume`, {})
        }
      }
      const [seen] = await Promise.all([follow(stack, id), crashWorker(t, { stack, random, kills: 1, deaths }), hold()])
      checkProgress(t, seen)
      await checkSent(t, stack, id)
      checkDuplicates(t, stack, deaths)
    })

    test('cancelled at some moment', SEED + 2 * ROUNDS + round, async (t, random) => {
      const stack = await openCrowd(t, backend)
      await stack.start('scheduler')
      await stack.start('apns')
      const id = await startRun(stack)
      const moment = Math.floor(random() * USERS)
      await waitFor(`${moment} pushes`, () => stack.simulator.pushes.length >= moment)
      const cancelled = await stack.api.post(`/push/campaign/${id}/cancel`, {})
      const { ios } = await waitFor('everything to be accounted for', async () => {
        const { result } = await detailOf(stack, id)
        return result.ios.pending === 0 && result
      })
      if (cancelled.status === 200) t.equal((await detailOf(stack, id)).state, 'cancelled')
      t.equal(ios.sent, stack.simulator.pushes.length, 'what was sent is reported, and nothing was sent twice')
      t.equal(ios.sent + ios.failed, ios.total)
    })
  }
