// Failures under load, counted, beside the deaths of processes in deaths.test.ts: of 2000 accepted messages to three platforms each is
// delivered, duplicates stay within what was in flight, no good token is dropped, and the final statuses add up. The moments of deaths
// come from a seed (TEST_SEED).
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { PLATFORMS, type Platform } from '@push-server/contract'
import {
  APNS_SETTINGS,
  APP,
  BACKENDS,
  createTcpProxy,
  createRandom,
  emptyQueue,
  generateApnsKey,
  generateServiceAccount,
  sendToCrowd,
  spawnService,
  startOwnRedis,
  waitFor,
  type Crowd,
  type TestBackend,
} from '@push-server/testing'
import { account, arrived, CONCURRENCY, CROWD, HANG_MS, MESSAGES, openUnderLoad } from './_load.ts'

t.setTimeout(1_800_000)
// Much of the time they wait for responses and leases.
t.jobs = 2
/** One object for each test: tap keeps its state in it. */
const beside = (skip: string | false = false) => ({ buffered: true, skip })

const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000)

for (const backend of BACKENDS) {
  const own = () => beside(backend.skip)

  t.test(`on ${backend.name}: the queue is emptied under load, again and again`, own(), async (t) => {
    const stack = await openUnderLoad(t, { backend })
    const sending = sendToCrowd(stack.api, CROWD)
    let lost = 0
    for (const pushes of [200, 600, 1000]) {
      await arrived(stack, pushes)
      lost += await emptyQueue(stack)
    }
    t.ok(lost > 0, `${lost} jobs or keys were lost`)
    await account(t, stack, await sending)
  })

  t.test(`on ${backend.name}: the scheduler is killed at any moment, seed ${SEED}`, own(), async (t) => {
    const random = createRandom(SEED)
    // Without it nothing would be delivered: what is enqueued is lost at once.
    const stack = await openUnderLoad(t, { backend, services: ['gateway'] })
    const sent = await sendToCrowd(stack.api, CROWD)
    await emptyQueue(stack)
    for (const name of ['apns', 'fcm', 'hms'] as const) await stack.start(name)
    let scheduler = spawnService('campaign-scheduler', stack.environment)
    t.teardown(() => scheduler.kill())
    for (let kill = 0; kill < 3; kill++) {
      // Not a wait for something: the moment of the death is what is tried.
      await sleep(1000 + random() * 1500)
      await scheduler.kill()
      await emptyQueue(stack)
      scheduler = spawnService('campaign-scheduler', stack.environment)
    }
    await account(t, stack, sent)
  })
}

const redis = BACKENDS.find(({ name }) => name === 'redis')
const noRedis = redis?.skip ?? 'no back end of this name'

for (const [appendOnly, what] of [
  [true, 'with its log, it comes back with what it had'],
  [false, 'without a log, it comes back empty'],
] as const)
  t.test(`Redis is killed under load; ${what}`, beside(noRedis), async (t) => {
    const server = await startOwnRedis({ appendOnly })
    const backend: TestBackend = { name: 'redis', skip: false, environment: () => ({ REDIS_URL: server.url }) }
    t.teardown(() => server.close())
    const stack = await openUnderLoad(t, { backend })
    const sending = sendToCrowd(stack.api, CROWD)
    await arrived(stack, 300)
    await server.kill()
    const { messageIds, duplicated } = await sending
    t.equal(duplicated, 0, 'while it is away everything is accepted at once')
    await server.start()
    await account(t, stack, { messageIds })
  })

for (const end of ['cut', 'goaway', 'goaway-cut'] as const)
  t.test(`every connection to the providers ends, and again: ${end}`, beside(), async (t) => {
    const stack = await openUnderLoad(t, {})
    const sending = sendToCrowd(stack.api, CROWD)
    const moments = [300, 700, 1100, 1500]
    for (const pushes of moments) {
      await arrived(stack, pushes)
      for (const platform of PLATFORMS) stack.simulator.disconnect(platform, end)
    }
    // What was in flight on a connection that breaks may have been taken; HTTP/1.1, as HMS may speak, knows no other end.
    const interrupted = end === 'goaway' ? ['huawei'] : PLATFORMS
    await account(t, stack, { ...(await sending), most: moments.length * interrupted.length * CONCURRENCY })
    if (end === 'goaway')
      for (const { received: count, distinctTokens } of [stack.simulator.stats().ios, stack.simulator.stats().android])
        t.equal(count, distinctTokens, 'nothing is pushed again after GOAWAY')
  })

t.test('every provider is down for a while', beside(), async (t) => {
  const stack = await openUnderLoad(t, {})
  const sending = sendToCrowd(stack.api, CROWD)
  await arrived(stack, 500)
  await Promise.all(PLATFORMS.map((platform) => stack.simulator.configure(platform, { down: true })))
  const sent = await sending
  await waitFor('failed attempts', async () => {
    const rows = await stack.database.query<{ reason: string }>(
      `SELECT DISTINCT reason FROM deliveries WHERE status = 'pending' AND next_attempt_at IS NOT NULL AND reason LIKE 'Unsent%'`,
    )
    return rows.length > 0
  })
  await Promise.all(PLATFORMS.map((platform) => stack.simulator.configure(platform, { down: false })))
  await account(t, stack, { ...sent, most: PLATFORMS.length * CONCURRENCY })
})

t.test('one provider responds after 5 s: the others keep their rate, and none is lost', beside(), async (t) => {
  const stack = await openUnderLoad(t, {})
  await stack.simulator.configure('android', { latencyMs: 5000 })
  const since = performance.now()
  const sending = sendToCrowd(stack.api, CROWD)
  const share = (platform: Platform) => stack.simulator.stats()[platform].received
  const others = MESSAGES - Math.ceil(MESSAGES / 3)
  await stack.simulator.waitFor(() => share('ios') + share('huawei') >= others, HANG_MS)
  const took = Math.round(performance.now() - since)
  t.ok(
    share('android') < MESSAGES / 4,
    `${share('android')} by the slow one when the others were done, after ${took} ms`,
  )
  await stack.simulator.configure('android', { latencyMs: null })
  await account(t, stack, await sending)
})

/** Shut, until the test opens it. */
async function gateTo(t: Test, target: string) {
  const proxy = await createTcpProxy(target)
  t.teardown(() => proxy.shut())
  return proxy
}

t.test('the token endpoints are down when tokens expire', beside(), async (t) => {
  const stack = await openUnderLoad(t, { services: ['gateway', 'scheduler'] })
  const proxies = {
    fcmTokenUrl: await gateTo(t, stack.simulator.fcm.tokenUrl),
    hmsTokenUrl: await gateTo(t, stack.simulator.hms.tokenUrl),
  }
  for (const proxy of Object.values(proxies)) await proxy.open()
  const urls = Object.fromEntries(Object.entries(proxies).map(([name, { url }]) => [name, url]))
  Object.assign(stack.context, { config: { ...stack.context.config, ...urls } })
  for (const name of ['apns', 'fcm', 'hms'] as const) await stack.start(name)
  const sending = sendToCrowd(stack.api, CROWD)
  await arrived(stack, 500)
  for (const proxy of Object.values(proxies)) await proxy.shut()
  stack.simulator.expireTokens()
  const sent = await sending
  await waitFor('attempts without a token', async () => {
    const [row] = await stack.database.query<{ platforms: number }>(
      `SELECT count(DISTINCT platform)::int AS platforms FROM deliveries
       WHERE status = 'pending' AND reason LIKE 'TokenUnavailable%'`,
    )
    return row?.platforms === 2
  })
  for (const proxy of Object.values(proxies)) await proxy.open()
  await account(t, stack, sent)
})

t.test('the provider of one application is down: the other keeps its rate, and none is lost', beside(), async (t) => {
  const brisk: Crowd = { appId: 'brisk', users: MESSAGES, platforms: ['ios'], prefix: 'b' }
  const stuck: Crowd = { appId: 'stuck', users: MESSAGES, platforms: ['ios'], prefix: 'c' }
  const stack = await openUnderLoad(t, { services: ['gateway', 'scheduler'] }, [brisk, stuck])
  const proxy = await gateTo(t, stack.simulator.apns.origin)
  Object.assign(stack.context, { config: { ...stack.context.config, apnsDevelopmentUrl: proxy.url } })
  await stack.api.post('/admin/app/ios/update', {
    appId: stuck.appId,
    ...APNS_SETTINGS,
    environment: 'development',
    privateKeyBase64: Buffer.from(generateApnsKey()).toString('base64'),
  })
  await stack.start('apns')
  const stuckSent = await sendToCrowd(stack.api, stuck)
  const since = performance.now()
  const briskSent = await sendToCrowd(stack.api, brisk)
  await arrived(stack, MESSAGES)
  const took = Math.round(performance.now() - since)
  const [waiting] = await stack.database.query<{ pending: number }>(
    `SELECT count(*)::int AS pending FROM deliveries d JOIN messages m ON m.id = d.message_id
     WHERE d.status = 'pending' AND user_id LIKE 'stuck-%'`,
  )
  t.match(waiting, { pending: MESSAGES }, `everything of the other was pushed in ${took} ms`)
  await proxy.open()
  await account(t, stack, { messageIds: [...stuckSent.messageIds, ...briskSent.messageIds] })
})

const UPLOADS = {
  ios: () => ({ ...APNS_SETTINGS, privateKeyBase64: Buffer.from(generateApnsKey()).toString('base64') }),
  android: () => ({
    projectId: 'test-project',
    privateKeyBase64: Buffer.from(generateServiceAccount()).toString('base64'),
  }),
  huawei: () => ({ projectId: 'test-project', clientId: '100000001', clientSecret: String(Math.random()) }),
} satisfies Record<Platform, () => object>

t.test('credentials change while sending, again and again', beside(), async (t) => {
  const stack = await openUnderLoad(t, {})
  const sending = sendToCrowd(stack.api, CROWD)
  for (const pushes of [200, 600, 1000, 1400]) {
    await arrived(stack, pushes)
    for (const platform of PLATFORMS) {
      const { status } = await stack.api.post(`/admin/app/${platform}/update`, { appId: APP, ...UPLOADS[platform]() })
      t.equal(status, 200, `${platform} after ${pushes}`)
    }
  }
  await account(t, stack, await sending)
})

t.test('credentials are refused while sending: paused, resumed by hand, nothing is lost', beside(), async (t) => {
  const crowd: Crowd = { ...CROWD, platforms: ['ios'] }
  const stack = await openUnderLoad(t, {}, [crowd])
  const sending = sendToCrowd(stack.api, crowd)
  await arrived(stack, 300)
  stack.simulator.respondTo('0', { status: 403, reason: 'InvalidProviderToken' })
  const detail = async () => (await stack.api.post('/admin/app/detail', { appId: APP })).body.responseObject
  await waitFor('the pause', async () => (await detail()).paused?.ios)
  const sent = await sending
  stack.simulator.forgetResponses('0')
  t.equal((await stack.api.post('/admin/app/ios/resume', { appId: APP })).status, 200)
  await account(t, stack, sent)
})
