// Schedulers and workers that die at random moments of a run: everybody gets it, few get it twice, and the figures add up.
// The moments come from a seed that is printed; TEST_SEED repeats them.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  APP,
  BACKENDS,
  createRandom,
  openHouse,
  spawnService,
  until,
  type House,
  type ServiceProcess,
} from '@push-server/testing'

const LONG = process.env.TEST_LONG !== undefined
const ROUNDS = LONG ? 20 : 3
t.setTimeout(1_800_000)

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)
const USERS = 3000
const WINDOW = 50
const LATENCY_MS = 20
/** What a window of pushes brings in answers within one checkpoint of 250 ms. */
const CHECKPOINT = WINDOW * Math.ceil(250 / LATENCY_MS)

const SETTINGS = { APNS_WINDOW: String(WINDOW), CAMPAIGN_PARTITION: '500', CAMPAIGN_CONCURRENCY: '4' }

async function open(t: Test, backend: (typeof BACKENDS)[number]): Promise<House> {
  const house = await openHouse({
    backend,
    services: ['gateway'],
    environment: SETTINGS,
    simulator: { latencyMs: LATENCY_MS },
  })
  t.teardown(() => house.close())
  await house.configure()
  await house.database.query(
    `INSERT INTO devices (application_id, user_id, activation_id, platform, token, bucket, active, registered_at)
     SELECT id, 'user-' || n, 'of-' || n, 'ios', lpad(to_hex(n), 64, '0'), n % 1024, true, now() - interval '1 hour'
     FROM applications, generate_series(1, $1::int) n`,
    [USERS],
  )
  return house
}

async function startRun(house: House): Promise<string> {
  const { body } = await house.api.post('/push/campaign/create', { appId: APP, message: { title: 'Crash test' } })
  const id: string = body.responseObject.id
  await house.api.post(
    `/push/campaign/${id}/user/add`,
    Array.from({ length: USERS }, (_, index) => `user-${index + 1}`),
  )
  await house.api.post(`/push/campaign/send/live/${id}`, {})
  return id
}

const detailOf = async (house: House, id: string) =>
  (await house.api.get(`/push/campaign/${id}/detail`)).body.responseObject

/** A service that is killed and started again until it may stay. */
async function crash(house: House, name: string, { random, kills }: { random: () => number; kills: number }) {
  let service: ServiceProcess = spawnService(name, house.environment)
  for (let kill = 0; kill < kills; kill++) {
    // Not a wait for something: the moment of the death is what is tried.
    await sleep(300 + random() * 1500)
    await service.kill()
    service = spawnService(name, house.environment)
  }
  return service
}

async function checkDelivered(t: Test, house: House, { id, most }: { id: string; most: number }): Promise<void> {
  await until('the run to be sent', async () => (await detailOf(house, id)).state === 'sent')
  const { result } = await detailOf(house, id)
  t.same(result.ios, { sent: USERS, pending: 0, failed: 0, total: USERS }, 'the figures add up')
  const received = house.simulator.pushes.length
  t.equal(new Set(house.simulator.pushes.map(({ token }) => token)).size, USERS, 'nobody is left out')
  t.ok(received - USERS <= most, `${received - USERS} repeats, at most ${most} are allowed`)
  const ids = Map.groupBy(house.simulator.pushes, ({ token }) => token)
  const same = [...ids.values()].every((pushes) => new Set(pushes.map(({ headers }) => headers['apns-id'])).size === 1)
  t.ok(same, 'a repeat bears the same id')
}

for (const backend of BACKENDS)
  t.test(`a run through crashes on ${backend.name}`, { skip: backend.skip }, async (t) => {
    for (let round = 1; round <= ROUNDS; round++) {
      const seed = SEED + round
      const random = createRandom(seed)

      t.test(`round ${round}: schedulers and workers are killed, seed ${seed}`, async (t) => {
        const house = await open(t, backend)
        const id = await startRun(house)
        const kills = 2
        const services = await Promise.all([
          crash(house, 'campaign-scheduler', { random, kills }),
          crash(house, 'campaign-scheduler', { random, kills: 0 }),
          crash(house, 'apns-worker', { random, kills }),
          crash(house, 'apns-worker', { random, kills }),
        ])
        t.teardown(() => Promise.all(services.map((service) => service.kill())))
        await checkDelivered(t, house, { id, most: 2 * kills * (WINDOW + CHECKPOINT) })
      })

      t.test(`round ${round}: held and resumed while a worker is killed, seed ${seed}`, async (t) => {
        const house = await open(t, backend)
        await house.start('scheduler')
        const id = await startRun(house)
        const working = crash(house, 'apns-worker', { random, kills: 1 })
        for (let turn = 0; turn < 2; turn++) {
          await sleep(random() * 600)
          await house.api.post(`/push/campaign/${id}/pause`, {})
          await sleep(random() * 600)
          await house.api.post(`/push/campaign/${id}/resume`, {})
        }
        const worker = await working
        t.teardown(() => worker.kill())
        await checkDelivered(t, house, { id, most: WINDOW + CHECKPOINT })
      })

      t.test(`round ${round}: cancelled at some moment, seed ${seed}`, async (t) => {
        const house = await open(t, backend)
        await house.start('scheduler')
        await house.start('apns')
        const id = await startRun(house)
        await sleep(random() * 1200)
        const cancelled = await house.api.post(`/push/campaign/${id}/cancel`, {})
        const { ios } = await until('everything to be accounted for', async () => {
          const { result } = await detailOf(house, id)
          return result.ios.pending === 0 && result
        })
        if (cancelled.status === 200) t.equal((await detailOf(house, id)).state, 'cancelled')
        t.equal(ios.sent, house.simulator.pushes.length, 'what was sent is told, and nothing was sent twice')
        t.equal(ios.sent + ios.failed, ios.total)
      })
    }
  })
