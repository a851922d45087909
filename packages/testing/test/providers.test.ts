// What stands between a worker and its providers: proxies, token endpoints that hang, settings that change the payload, and
// the providers of many applications in one process.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PLATFORMS, PROVIDER_NAMES, type Platform } from '@push-server/contract'
import {
  APP,
  generateServiceAccount,
  openTestStack,
  startConnectProxy,
  waitFor,
  type TestStack,
  type TestStackOptions,
} from '@push-server/testing'

t.setTimeout(1_800_000)
// Most of the time they wait for time-outs.
t.jobs = 4
/** One object for each test: tap keeps its state in it. */
const beside = () => ({ buffered: true })

const HELLO = { title: 'Hello', body: 'Is anybody there?' }
const SENT = { sent: 1, pending: 0, failed: 0, total: 1 }

async function open(t: Test, options: TestStackOptions): Promise<TestStack> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  return stack
}

const send = (stack: TestStack, appId: string, more: object = {}) =>
  stack.api.post('/push/message/send', { appId, message: { userId: appId, body: HELLO }, ...more })

/** One phone on each platform, of a user called as the application is. */
async function furnish(stack: TestStack, appId: string, platforms: readonly Platform[] = PLATFORMS): Promise<void> {
  await stack.configure(appId, platforms)
  for (const platform of platforms) {
    const token = Buffer.from(`${appId} ${platform}`).toString('hex').padEnd(64, '0')
    await stack.register({ appId, userId: appId, platform, token })
  }
}

/** The part of /health/ready on the providers of a platform. */
async function providersOf(stack: TestStack, platform: string) {
  const { status, parts } = await stack.context.health.report()
  const part = parts[`providers of ${platform}`]
  if (!part) throw new Error(`No part reports ${platform}`)
  return { status, essential: part.essential, detail: part.detail as { applications: { appId: string }[] } }
}

t.test(
  'a proxy: every provider and every token endpoint is reached through it, with its credentials',
  beside(),
  async (t) => {
    const proxy = await startConnectProxy('push', 'open sesame')
    t.teardown(() => proxy.close())
    const passwordFile = join(t.testdir({}), 'password')
    await writeFile(passwordFile, 'open sesame\n')
    const settings = Object.values(PROVIDER_NAMES).map((provider) => {
      const prefix = `${provider.toUpperCase()}_PROXY`
      return {
        [`${prefix}_ENABLED`]: 'true',
        [`${prefix}_PORT`]: String(proxy.port),
        [`${prefix}_USERNAME`]: 'push',
        [`${prefix}_PASSWORD_FILE`]: passwordFile,
      }
    })
    const stack = await open(t, { environment: Object.assign({}, ...settings) })
    await furnish(stack, APP)
    const { body } = await send(stack, APP)
    t.match(body.responseObject.result, { ios: SENT, android: SENT, huawei: SENT })
    const { apns, fcm, hms } = stack.simulator
    const expected = [apns.origin, fcm.origin, fcm.tokenUrl, hms.origin, hms.tokenUrl].map((url) => new URL(url).host)
    t.same(new Set(proxy.tunnels), new Set(expected), 'one tunnel at least to each of them')
    t.ok(proxy.tunnels.length >= expected.length, `${proxy.tunnels.length} tunnels`)
    t.equal(proxy.refused, 0)

    t.test('that refuses the credentials: nothing is pushed, and the worker says why', async (t) => {
      proxy.changePassword('changed')
      await furnish(stack, 'locked-out')
      await send(stack, 'locked-out', { mode: 'ASYNCHRONOUS' })
      for (const platform of PLATFORMS) {
        const named = async () => {
          const { detail } = await providersOf(stack, platform)
          return detail.applications.find(
            (application) => application.appId === 'locked-out' && 'failure' in application,
          )
        }
        const failure = await waitFor(`an error on ${platform}`, named)
        t.match(failure, { failure: { reason: /407/ } }, platform)
        const { status, essential, detail } = await providersOf(stack, platform)
        t.same(
          { status, essential },
          { status: 'ready', essential: false },
          'a provider out of reach is reported, no more',
        )
        t.match(detail, { open: 2, up: 1 })
        t.match(detail.applications.at(-1), { appId: APP, connection: 'up' }, 'the one with an error is named first')
        t.notMatch(JSON.stringify(detail), /open sesame|changed/)
        t.equal(stack.simulator.stats()[platform].received, 1, 'only the first')
      }
      t.ok(proxy.refused >= 3, `${proxy.refused} refused`)
    })
  },
)

t.test('a payload is measured as it will be sent', beside(), async (t) => {
  const stack = await open(t, { services: ['gateway'], environment: { FCM_DATA_ONLY: 'true', HMS_DATA_ONLY: 'true' } })
  await furnish(stack, APP)
  // Below the limit for iPhones; as data every quote needs a backslash, and another one for Huawei.
  const message = { userId: APP, body: { title: 'Quotes', body: '"'.repeat(2_010) } }
  const { status, body } = await stack.api.post('/push/message/send', { appId: APP, message })
  t.equal(status, 400)
  t.match(body.responseObject.violations, [
    { fieldName: 'requestObject.message.body', hint: /^payload for android has \d+ bytes, the limit is 4096$/ },
    { fieldName: 'requestObject.message.body', hint: /^payload for huawei has \d+ bytes, the limit is 4096$/ },
  ])
  t.equal(body.responseObject.violations.length, 2, 'APNs would take it')
  t.same(await stack.database.query('SELECT 1 FROM messages'), [], 'nothing is stored')
})

/** Accepts connections and says nothing. */
async function startMute(t: Test) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  t.teardown(close)
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`, sockets, close }
}

t.test(
  'a token endpoint that hangs: leases are renewed, and who has a token is not kept waiting',
  beside(),
  async (t) => {
    const mute = await startMute(t)
    const stack = await open(t, { services: ['gateway', 'scheduler'], environment: { LEASE_TIME: '10s' } })
    await furnish(stack, APP, ['android'])
    const stop = await stack.start('fcm')
    t.match((await send(stack, APP)).body.responseObject.result.android, SENT, 'its token is stored now')
    await stop()

    // More of them than there are connections for those who mint.
    const hung = ['hung-1', 'hung-2', 'hung-3', 'hung-4', 'hung-5', 'hung-6']
    for (const appId of hung) {
      await furnish(stack, appId, ['android'])
      const { id } = (await stack.context.store.applications.find(appId)) ?? { id: 0 }
      const account = { ...JSON.parse(generateServiceAccount()), client_email: `${appId}@example.com` }
      const settings = { projectId: account.project_id as string }
      const secret = Buffer.from(JSON.stringify(account))
      await stack.context.store.credentials.put({ applicationId: id, platform: 'android' }, { settings, secret })
    }
    const config = { ...stack.context.config, fcmTokenUrl: mute.url }
    Object.assign(stack.context, { config })
    await stack.start('fcm')
    await Promise.all(hung.map((appId) => send(stack, appId, { mode: 'ASYNCHRONOUS' })))
    await waitFor('some to request a token', () => mute.sockets.size > 0)
    const lease = () =>
      stack.database.query<{ chunks: number; epoch: number; left: number }>(
        `SELECT count(*)::int AS chunks, max(epoch) AS epoch, min(extract(epoch FROM lease_until - claimed.at))::float8 AS left
       FROM chunks, (SELECT min(created_at) AS at FROM messages WHERE user_id LIKE 'hung%') claimed
       WHERE owner IS NOT NULL`,
      )
    await waitFor('every chunk to be in hand', async () => (await lease())[0]?.chunks === hung.length)
    const reasonsOf = () =>
      stack.database.query<{ reason: string }>(
        `SELECT DISTINCT reason FROM deliveries d JOIN messages m ON m.id = d.message_id
         WHERE m.user_id LIKE 'hung%' AND reason IS NOT NULL`,
      )
    for (let round = 0; round < 5; round++)
      t.match((await send(stack, APP)).body.responseObject.result.android, SENT, 'the other application is served')
    t.same(await reasonsOf(), [], 'while all of them hang')
    const renewed = await waitFor('leases to be renewed', async () => {
      const [row] = await lease()
      return row && row.left > 13 && row
    })
    t.match(renewed, { chunks: hung.length, epoch: 1 }, 'nobody else took them')
    const reasons = await waitFor('the time-out', async () => {
      const rows = await reasonsOf()
      return rows.length > 0 && rows
    })
    t.match(reasons, [{ reason: /^TokenUnavailable: / }], 'it is bounded, and the push waits for another attempt')
    // Later requests for tokens are refused at once, so that the worker's end does not wait for it.
    mute.close()
  },
)
