// Processes that are killed under load: a worker of each kind, the gateway, PostgreSQL. Everything is accounted for, and duplicates stay
// within what was in flight.
import t from 'tap'
import { PLATFORMS, type Platform } from '@push-server/contract'
import { BACKENDS, sendToCrowd, spawnService, startOwnPostgres, waitFor, type Crowd } from '@push-server/testing'
import { account, arrived, CROWD, DUPLICATES_OF_ONE, openUnderLoad } from './_load.ts'

t.setTimeout(1_800_000)
// Much of the time they wait for responses and leases.
t.jobs = 2

const WORKERS = { ios: 'apns-worker', android: 'fcm-worker', huawei: 'hms-worker' } satisfies Record<Platform, string>

for (const backend of BACKENDS) {
  /** One object for each test: tap keeps its state in it. */
  const own = () => ({ buffered: true, skip: backend.skip })

  t.test(`on ${backend.name}: a worker of each kind is killed under load`, own(), async (t) => {
    const stack = await openUnderLoad(t, { backend, services: ['gateway', 'scheduler'] })
    const workers = Object.values(WORKERS)
    const doomed = workers.map((name) => spawnService(name, stack.environment))
    t.teardown(() => Promise.all(doomed.map((worker) => worker.kill())))
    const sending = sendToCrowd(stack.api, CROWD)
    await arrived(stack, 500)
    await Promise.all(doomed.map((worker) => worker.kill()))
    for (const name of ['apns', 'fcm', 'hms'] as const) await stack.start(name)
    await account(t, stack, { ...(await sending), most: workers.length * DUPLICATES_OF_ONE })
  })

  t.test(`on ${backend.name}: the gateway is killed under load, again and again`, own(), async (t) => {
    const stack = await openUnderLoad(t, { backend, services: ['apns', 'fcm', 'hms', 'scheduler'] })
    let gateway = spawnService('api-gateway', stack.environment)
    t.teardown(() => gateway.kill())
    const sending = sendToCrowd(stack.api, CROWD)
    for (const pushes of [300, 900, 1500]) {
      await arrived(stack, pushes)
      await gateway.kill()
      gateway = spawnService('api-gateway', stack.environment)
    }
    await account(t, stack, await sending)
  })

  t.test(`on ${backend.name}: PostgreSQL is killed under load and comes back`, own(), async (t) => {
    const postgres = await startOwnPostgres({ fsync: 'off', max_connections: '200' })
    // What is opened last is closed first: the test stack, which drops its database.
    t.teardown(() => postgres.close())
    const meanwhile: Crowd = { appId: 'meanwhile', users: 20, prefix: 'd' }
    const stack = await openUnderLoad(t, { backend, cluster: postgres.url }, [CROWD, meanwhile])
    const isUnavailable = () =>
      stack.database.query('SELECT 1').then(
        () => false,
        () => true,
      )
    const sending = [sendToCrowd(stack.api, CROWD)]
    for (const pushes of [400, 1200]) {
      await arrived(stack, pushes)
      await postgres.kill()
      if (sending.length === 1) {
        await waitFor('PostgreSQL to be away', isUnavailable)
        sending.push(sendToCrowd(stack.api, meanwhile))
      }
      await postgres.start()
    }
    const [sent, late] = await Promise.all(sending)
    const messageIds = [...(sent?.messageIds ?? []), ...(late?.messageIds ?? [])]
    t.ok(late && late.duplicated > 0, `while it was away ${late?.duplicated} requests had to be made again`)
    await account(t, stack, { messageIds, most: 2 * PLATFORMS.length * DUPLICATES_OF_ONE })
  })
}
