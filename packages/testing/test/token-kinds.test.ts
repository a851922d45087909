// Kinds of tokens on their whole way: Firebase installation ids and phones of HarmonyOS 5 beside the usual ones, in both lanes, and
// rows of former versions, which have no kinds.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { APP, openTestStack, waitFor, type TestStack } from '@push-server/testing'
import t from 'tap'
import { addHuaweiAccount } from './_kinds.ts'

t.setTimeout(1_800_000)

const FID = 'cWzL1yRkQ0mN0a9JcH7v2E'
const YOUNG_FID = 'faded410RkQ0mN0a9JcH7v'

const PHONES = [
  { userId: 'user-1', platform: 'android', token: `${FID}:APA91b`, as: 'token' },
  { userId: 'user-2', platform: 'android', token: FID, as: 'fid', tokenKind: 'fid' },
  { userId: 'user-3', platform: 'huawei', token: 'of-huawei-4', as: '2' },
  { userId: 'user-4', platform: 'huawei', token: 'of-harmony-5', as: '3', huaweiApi: 3 },
  { userId: 'user-5', platform: 'ios', token: 'ab'.repeat(32), as: '' },
]
const EXPECTED = PHONES.map(({ token, as }) => `${token} ${as}`).toSorted()

async function furnish(): Promise<void> {
  await addHuaweiAccount(stack, APP)
  for (const phone of PHONES) await register(stack, deviceOf(phone))
}

const deviceOf = ({ as: _, ...device }: (typeof PHONES)[number]) => device

async function ok({ api }: TestStack, path: string, object: object) {
  const { status, body } = await api.post(path, object)
  if (status !== 200) throw new Error(`${path}: ${JSON.stringify(body)}`)
  return body.responseObject
}

const register = (stack: TestStack, device: { userId: string; platform: string; token: string }) =>
  ok(stack, '/push/device/create', { appId: APP, activationId: `of-${device.userId}`, ...device })

/** One stack for all tests but one: each counts the pushes from its beginning on. */
const stack = await openTestStack()
t.teardown(() => stack.close())
await stack.configure(APP, ['ios', 'android', 'huawei'])
await furnish()

/** Each push with what its provider was given. */
const received = ({ simulator }: TestStack, first: number) =>
  simulator.pushes
    .slice(first)
    .map((push) => {
      if (push.platform === 'android') return `${push.token} ${push.target}`
      return push.platform === 'huawei' ? `${push.token} ${push.version}` : `${push.token} `
    })
    .toSorted()

const appMessageIdOf = (payload: Readonly<Record<string, unknown>>) =>
  (payload as { payload?: { notification?: { appMessageId?: string } } }).payload?.notification?.appMessageId

t.test('direct messages: each token goes as what it is', async (t) => {
  const first = stack.simulator.pushes.length
  const batch = PHONES.map(({ userId }) => ({ userId, body: { title: 'Hello' } }))
  await ok(stack, '/push/message/batch/send', { appId: APP, batch })
  await waitFor('all pushes', async () => stack.simulator.pushes.length === first + PHONES.length)
  t.same(received(stack, first), EXPECTED)
  const shown = stack.simulator.phones.find(({ token }) => token === 'of-harmony-5')?.notifications[0]
  t.match(shown, { title: 'Hello', channel: 'WORK' })
})

t.test('campaigns: the chunk keeps the kinds of its tokens', async (t) => {
  const first = stack.simulator.pushes.length
  const { id } = await ok(stack, '/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const users = PHONES.map(({ userId }) => userId)
  await stack.api.post(`/push/campaign/${id}/user/add`, users)
  await ok(stack, `/push/campaign/send/live/${id}`, {})
  await waitFor('the run to be over', async () => {
    const { body } = await stack.api.get(`/push/campaign/${id}/progress`)
    return body.responseObject.state === 'sent'
  })
  t.same(received(stack, first), EXPECTED)
  const ids = stack.simulator.pushes.slice(first).flatMap(({ payload }) => appMessageIdOf(payload) ?? [])
  t.match(ids, [/^[0-9a-f-]{36}$/], 'numbers of runs are those of other installations, too')
  t.same(
    await stack.database.query('SELECT count(*)::int AS kept FROM chunks WHERE token_kinds IS NOT NULL'),
    [{ kept: 0 }],
    'they go with the tokens',
  )
})

t.test('rows of former versions have no kinds, and go on as they were', async (t) => {
  const first = stack.simulator.pushes.length
  await stack.database.query('UPDATE devices SET token_kind = NULL')
  t.teardown(furnish)
  const batch = PHONES.map(({ userId }) => ({ userId, body: { title: 'Hello' } }))
  await ok(stack, '/push/message/batch/send', { appId: APP, batch })
  await waitFor('all pushes', async () => stack.simulator.pushes.length === first + PHONES.length)
  const usual: Record<string, string> = { android: 'token', huawei: '2', ios: '' }
  t.same(received(stack, first), PHONES.map(({ token, platform }) => `${token} ${usual[platform]}`).toSorted())
})

t.test(
  'a message waits while its phone gets a token of another kind: it goes to the new one, as what that is',
  async (t) => {
    const stack = await openTestStack({ services: ['gateway'] })
    t.teardown(() => stack.close())
    await stack.configure(APP, ['android'])
    await register(stack, { userId: 'user-1', platform: 'android', token: `${FID}:APA91b` })
    await ok(stack, '/push/message/send', {
      appId: APP,
      mode: 'ASYNCHRONOUS',
      message: { userId: 'user-1', body: { title: 'T' } },
    })
    await ok(stack, '/push/device/create', {
      appId: APP,
      activationId: 'of-user-1',
      userId: 'user-1',
      platform: 'android',
      token: FID,
      tokenKind: 'fid',
    })
    t.same(
      await stack.database.query('SELECT token, token_kind AS kind FROM devices'),
      [{ token: FID, kind: 'fid' }],
      'one row',
    )
    await stack.start('fcm')
    await stack.start('scheduler')
    await waitFor('the push', async () => stack.simulator.pushes.length === 1)
    t.same(received(stack, 0), [`${FID} fid`])
  },
)

t.test('an installation id that is not registered yet is kept for a day, then dropped', async (t) => {
  await ok(stack, '/push/device/create', {
    appId: APP,
    activationId: 'of-user-6',
    userId: 'user-6',
    platform: 'android',
    token: YOUNG_FID,
    tokenKind: 'fid',
  })
  const droppedAfterSend = async () => {
    const message = { userId: 'user-6', body: { title: 'T' } }
    const { result } = await ok(stack, '/push/message/send', { appId: APP, mode: 'SYNCHRONOUS', message })
    t.match(result.android, { failed: 1, total: 1 })
    const [row] = await stack.database.query<{ reason: string | null }>(
      'SELECT drop_reason AS reason FROM devices WHERE token = $1',
      [YOUNG_FID],
    )
    return row?.reason
  }
  t.equal(await droppedAfterSend(), null)
  await stack.database.query("UPDATE devices SET registered_at = now() - interval '25 hours' WHERE token = $1", [
    YOUNG_FID,
  ])
  t.equal(await droppedAfterSend(), 'UNREGISTERED')
})

t.test('a success by one version of HMS proves nothing of the credentials for the other one', async (t) => {
  const stack = await openTestStack({ services: ['gateway', 'hms'] })
  t.teardown(() => stack.close())
  await stack.configure(APP, ['huawei'])
  await addHuaweiAccount(stack, APP)
  const bad = { userId: 'bad', token: 'bad-of-harmony', platform: 'huawei', huaweiApi: 3 }
  for (const phone of [bad, ...PHONES.filter(({ platform }) => platform === 'huawei').map(deviceOf)])
    await register(stack, phone)
  stack.simulator.respondTo(bad.token, { status: 400, reason: '80300007' })
  const send = async (userId: string) => {
    const message = { userId, body: { title: 'T' } }
    return (await ok(stack, '/push/message/send', { appId: APP, mode: 'SYNCHRONOUS', message })).result.huawei
  }
  const dropped = async () =>
    (await stack.database.query('SELECT FROM devices WHERE token = $1 AND dropped_at IS NOT NULL', [bad.token])).length
  t.match(await send('user-3'), { sent: 1 }, 'version 2 works')
  t.match(await send('bad'), { failed: 1 })
  t.match(await send('user-3'), { sent: 1 })
  t.equal(await dropped(), 0, 'the mistake may be that of the account')
  t.match(await send('user-4'), { sent: 1 }, 'version 3 works, too')
  await waitFor('the drop', async () => (await dropped()) === 1)
})

t.test('texts by their keys alone fail for HarmonyOS 5, and are refused when the request is strict', async (t) => {
  const message = { userId: 'user-4', body: { titleLocKey: 'transfer.title' } }
  const send = { appId: APP, mode: 'SYNCHRONOUS', message }
  const { result, messageIds } = await ok(stack, '/push/message/send', send)
  t.match(result.huawei, { sent: 0, failed: 1, total: 1 })
  const { body } = await stack.api.get(`/push/message/${messageIds[0]}`)
  t.match(body.responseObject.deliveries, [{ status: 'failed', reason: 'NoText' }])

  const strict = { 'content-type': 'application/json', prefer: 'handling=strict' }
  for (const [path, object] of [
    ['/push/message/send', send],
    ['/push/campaign/create', { appId: APP, message: message.body }],
  ] as const) {
    const response = await stack.api.call('POST', path, {
      headers: strict,
      body: JSON.stringify({ requestObject: object }),
    })
    t.equal(response.status, 400)
    const [violation] = response.body.responseObject.violations
    t.match(violation, { fieldName: /titleLocKey$/, hint: /HarmonyOS 5/ }, path)
  }
})

t.test('APNs: connections are of one application, and end with its credentials', async (t) => {
  const open = new Set<Socket>()
  const relay = createServer((client) => {
    const origin = connect(Number(new URL(stack.simulator.apns.origin).port), '127.0.0.1')
    open.add(client)
    client.on('error', () => {}).on('close', () => (open.delete(client), origin.destroy()))
    origin.on('error', () => {}).on('close', () => client.destroy())
    client.pipe(origin).pipe(client)
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  t.teardown(() => relay.close())
  const environment = { APNS_PRODUCTION_URL: `https://127.0.0.1:${(relay.address() as AddressInfo).port}` }
  const stack = await openTestStack({ services: ['gateway', 'apns'], environment })
  t.teardown(() => stack.close())

  for (const [index, appId] of ['app-1', 'app-2'].entries()) {
    await stack.configure(appId)
    await stack.register({ appId, userId: 'user', token: `a${index}`.repeat(32) })
  }
  const send = async (appId: string) => {
    const message = { userId: 'user', body: { title: appId } }
    const { result } = await ok(stack, '/push/message/send', { appId, mode: 'SYNCHRONOUS', message })
    t.match(result.ios, { sent: 1 }, appId)
  }
  await send('app-1')
  const first = new Set(open)
  await send('app-2')
  const second = new Set([...open].filter((one) => !first.has(one)))
  t.ok(first.size > 0 && second.size > 0, 'each application has connections of its own')
  await stack.configure('app-1')
  await send('app-1')
  await waitFor('the connections of the former credentials to close', async () =>
    [...first].every((one) => !open.has(one)),
  )
  await send('app-2')
  t.ok(
    [...second].every((one) => open.has(one)),
    'those of the other application stay',
  )
  t.ok(
    [...open].some((one) => !second.has(one)),
    'new ones for the new credentials',
  )
})

t.test("APNs: the id of Apple's push console stands in the status of the message", async (t) => {
  const uniqueId = '0b3b8b0f-6f2c-4e3f-9d2a-7a5b7c1f2d10'
  stack.simulator.respondTo('ab'.repeat(32), { status: 200, headers: { 'apns-unique-id': uniqueId }, times: 1 })
  const send = async () => {
    const message = { userId: 'user-5', body: { title: 'T' } }
    const { messageIds } = await ok(stack, '/push/message/send', { appId: APP, mode: 'SYNCHRONOUS', message })
    return (await stack.api.get(`/push/message/${messageIds[0]}`)).body.responseObject.deliveries[0]
  }
  t.match(await send(), { status: 'sent', apnsUniqueId: uniqueId })
  t.notOk('apnsUniqueId' in (await send()), 'where none is given, none is shown')
})
