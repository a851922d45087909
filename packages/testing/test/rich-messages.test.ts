// Messages for some platforms, members for single phones, raw blocks and previews, over the whole way from the API to the phones.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { PLATFORMS, RAW_NAMES, type Platform } from '@push-server/contract'
import type { Push } from '@push-server/simulator'
import { APP, createApi, makeApiKey, openTestStack, waitFor, type Api } from '@push-server/testing'

t.setTimeout(900_000)

const stack = await openTestStack()
t.teardown(() => stack.close())
const { api, simulator } = stack
await stack.configure(APP, PLATFORMS)

const hex = () => randomUUID().replaceAll('-', '')

/** A user of their own with a phone on each platform. */
async function newUser() {
  const userId = randomUUID()
  const tokens = { ios: hex(), android: hex(), huawei: hex() }
  for (const platform of PLATFORMS) await stack.register({ userId, platform, token: tokens[platform] })
  return { userId, tokens }
}
type User = Awaited<ReturnType<typeof newUser>>

const pushesTo = ({ tokens }: User) => simulator.pushes.filter(({ token }) => Object.values(tokens).includes(token))
const platformsOf = (pushes: readonly Push[]) => pushes.map(({ platform }) => platform).toSorted()
const send = (message: object, caller: Api = api) => caller.post('/push/message/send', { appId: APP, message })
const deliveriesNow = async (id: string): Promise<string[]> =>
  (await api.get(`/push/message/${id}`)).body.responseObject.deliveries.map(
    ({ platform, status, reason }: { platform: Platform; status: string; reason?: string }) =>
      `${platform} ${status} ${reason ?? ''}`.trim(),
  )

/** Of a message whose deliveries have all been recorded: on a busy machine the response may come before. */
async function deliveriesOf(id: string): Promise<string[]> {
  await waitFor('the records', async () => !(await deliveriesNow(id)).some((text) => text.includes('pending')))
  return deliveriesNow(id)
}
const pushed = (user: User, count: number) => waitFor('the pushes', () => pushesTo(user).length >= count)

t.test('a message goes to the platforms that it names, in any of their names', async (t) => {
  const user = await newUser()
  const { userId } = user
  const { body } = await send({ userId, platforms: ['APNS', 'ios', 'Huawei'], body: { title: 'T' } })
  const [id] = body.responseObject.messageIds
  t.same(body.responseObject.result.android, { sent: 0, pending: 0, failed: 0, total: 0 })
  t.same((await deliveriesOf(id)).toSorted(), ['android skipped NotSelected', 'huawei sent', 'ios sent'])
  t.same(platformsOf(pushesTo(user)), ['huawei', 'ios'])

  const batch = [
    { userId, platforms: ['fcm'], body: { title: 'T' } },
    { userId, platforms: null, body: { title: 'T' } },
  ]
  const sent = await api.post('/push/message/batch/send', { appId: APP, batch })
  const statuses = await Promise.all(sent.body.responseObject.messageIds.map(deliveriesOf))
  t.same(
    statuses.map((each) => each.filter((text: string) => text.endsWith('sent')).length),
    [1, 3],
  )
})

t.test('names that are none, and no name at all, are refused', async (t) => {
  for (const platforms of [[], ['windows'], [null], 'ios', [1]]) {
    for (const [path, request, field] of [
      ['/push/message/send', { message: { userId: 'u', platforms, body: {} } }, 'requestObject.message.platforms'],
      ['/push/campaign/create', { message: {}, platforms }, 'requestObject.platforms'],
    ] as const) {
      const { status, body } = await api.post(path, { appId: APP, ...request })
      const [violation] = body.responseObject.violations
      t.ok(status === 400 && violation.fieldName.startsWith(field), `${path} ${JSON.stringify([platforms, body])}`)
    }
  }
})

t.test('only the limits of the chosen platforms count, and only what they all ignore is named', async (t) => {
  const { userId } = await newUser()
  const extras = { aps: 1 }
  t.equal((await send({ userId, body: { title: 'T', extras } })).status, 400)
  t.equal((await send({ userId, platforms: ['android'], body: { title: 'T', extras } })).status, 200)
  const strict = (platforms: readonly string[] | null) =>
    api.call('POST', '/push/message/send', {
      headers: { 'content-type': 'application/json', prefer: 'handling=strict' },
      body: JSON.stringify({
        requestObject: { appId: APP, message: { userId, platforms, body: { title: 'T', subtitle: 'S' } } },
      }),
    })
  t.equal((await strict(null)).status, 200, 'an iPhone shows it')
  const { status, body } = await strict(['android', 'huawei'])
  t.equal(status, 400)
  t.match(body.responseObject.violations, [{ fieldName: 'requestObject.message.body.subtitle' }])
  const lenient = await send({ userId, platforms: ['android'], body: { title: 'T', subtitle: 'S' } })
  t.equal(lenient.headers.get('x-push-warnings'), 'requestObject.message.body.subtitle')
})

t.test('a message that is sent again goes to its platforms', async (t) => {
  const user = await newUser()
  const { body } = await send({ userId: user.userId, platforms: ['ios'], body: { title: 'T' } })
  const [id] = body.responseObject.messageIds
  await deliveriesOf(id)
  const refused = await api.call('POST', `/push/message/${id}/resend`)
  t.match(refused.body.responseObject, { code: 'ERROR_GENERIC' }, 'nobody is left')
  const { userId } = user
  const token = hex()
  await stack.register({ userId, platform: 'ios', token })
  await stack.register({ userId, platform: 'android', token: hex() })
  const resent = await api.call('POST', `/push/message/${id}/resend`)
  t.equal(resent.status, 200, JSON.stringify(resent.body))
  await waitFor('the push', () => simulator.pushes.some((push) => push.token === token))
  t.same(await deliveriesOf(resent.body.responseObject.messageIds[0]), ['ios sent'])
})

t.test('a campaign goes to its platforms: live, as a test, by its audience, and again', async (t) => {
  const user = await newUser()
  const created = await api.post('/push/campaign/create', {
    appId: APP,
    message: { title: 'T' },
    platforms: ['FCM', 'hms'],
  })
  const { id } = created.body.responseObject
  await api.post(`/push/campaign/${id}/user/add`, [user.userId])
  const detail = await api.get(`/push/campaign/${id}/detail`)
  t.same(detail.body.responseObject.platforms, ['android', 'huawei'])
  const audience = await api.get(`/push/campaign/${id}/audience?resend=all`)
  t.match(audience.body.responseObject, { users: 1, devices: 2, platforms: { ios: 0, android: 1, huawei: 1 } })

  await api.post(`/push/campaign/send/test/${id}`, { userId: user.userId })
  await pushed(user, 2)
  t.same(platformsOf(pushesTo(user)), ['android', 'huawei'], 'as a test')
  await api.post(`/push/campaign/send/live/${id}`, {})
  await waitFor('the run', async () => (await api.get(`/push/campaign/${id}/detail`)).body.responseObject.sent)
  t.same(platformsOf(pushesTo(user)), ['android', 'android', 'huawei', 'huawei'], 'live')

  const left = await api.get(`/push/campaign/${id}/audience?resend=unreached-devices`)
  t.match(left.body.responseObject, { users: 0, devices: 0 }, 'nobody is left: the iPhone is not meant')
})

t.test('in the form of a version a campaign has the members of that version alone', async (t) => {
  const message = { title: 'T', subtitle: 'S', link: 'bank:pay', vibrate: [1] }
  const created = await api.post('/push/campaign/create', { appId: APP, message, platforms: ['ios'] })
  const { id } = created.body.responseObject
  for (const version of ['1.9', '1.10']) {
    const { body } = await api.get(`/push/campaign/${id}/detail`)
    t.match(body.responseObject.message, message)
    const versioned = await createApi(api.url, { 'x-push-compatibility': version }).get(`/push/campaign/${id}/detail`)
    t.same(versioned.body.responseObject, { id: Number(id), appId: APP, sent: false, message: { title: 'T' } }, version)
  }
})

t.test('limits are named with their member', async (t) => {
  const cases: [body: object, member: string][] = [
    [{ image: 'http://example.com/a.png' }, 'image'],
    [{ image: `https://example.com/${'a'.repeat(2_048)}` }, 'image'],
    [{ link: 'no link' }, 'link'],
    [{ link: 'javascript:alert(1)' }, 'link'],
    [{ threadId: 'x'.repeat(65) }, 'threadId'],
    [{ tag: 'x'.repeat(65) }, 'tag'],
    [{ notifyId: -1 }, 'notifyId'],
    [{ hmsCategory: 'PLAY_VOICE' }, 'hmsCategory'],
    [{ interruptionLevel: 'loud' }, 'interruptionLevel'],
    [{ criticalSound: { name: 'a', volume: 2 } }, 'criticalSound.volume'],
    [{ relevanceScore: 1.5 }, 'relevanceScore'],
    [{ color: 'red' }, 'color'],
    [{ eventTime: 'tomorrow' }, 'eventTime'],
    [{ vibrate: [60_000] }, 'vibrate[0]'],
    [{ vibrate: Array.from({ length: 11 }, () => 1) }, 'vibrate'],
    [{ analyticsLabel: 'a b' }, 'analyticsLabel'],
    [{ title: 'T', mutableContent: true, dataOnly: true }, 'mutableContent'],
    [{ mutableContent: true }, 'mutableContent'],
    [{ link: 'bank:pay', extras: { link: 1 } }, 'extras'],
  ]
  for (const [body, member] of cases) {
    const response = await send({ userId: 'u', body })
    const [violation] = response.body.responseObject.violations ?? []
    t.same([response.status, violation?.fieldName], [400, `requestObject.message.body.${member}`], JSON.stringify(body))
  }
  const silent = { userId: 'u', attributes: { silent: true }, body: { title: 'T', mutableContent: true } }
  t.equal((await send(silent)).status, 400)
})

t.test('raw blocks need the switch of the application', async (t) => {
  const user = await newUser()
  const raw = { title: 'T', fcm: { android: { notification: { title: 'Raw' } } } }
  const off = await send({ userId: user.userId, body: raw })
  t.match(off.body.responseObject.violations, [{ fieldName: 'requestObject.message.body.fcm' }])
  const campaign = await api.post('/push/campaign/create', { appId: APP, message: raw })
  t.match(campaign.body.responseObject.violations, [{ fieldName: 'requestObject.message.fcm' }])
  const detail = () => api.post('/admin/app/detail', { appId: APP })
  t.equal((await detail()).body.responseObject.rawBlocks, undefined)

  t.equal((await api.post('/admin/app/raw-blocks', { appId: 'unknown', enabled: true })).status, 400)
  t.equal((await api.post('/admin/app/raw-blocks', { appId: APP, enabled: true })).status, 200)
  t.equal((await detail()).body.responseObject.rawBlocks, true)
  const on = await send({
    userId: user.userId,
    body: { ...raw, apns: { payload: { aps: { alert: { title: 'Raw' } } } } },
  })
  t.equal(on.status, 200, JSON.stringify(on.body))
  await pushed(user, 3)
  const titles = pushesTo(user).map(({ platform, payload }) => [platform, JSON.stringify(payload).includes('"Raw"')])
  t.same(titles.toSorted(), [
    ['android', true],
    ['huawei', false],
    ['ios', true],
  ])
  const twice = await api.call('POST', '/push/message/send', {
    body: `{"requestObject":{"appId":"${APP}","message":{"userId":"u","body":{"fcm":{"data":{"token":"x"},"tok\\u0065n":"x"}}}}}`,
  })
  t.match(twice.body.responseObject.violations, [{ fieldName: 'requestObject.message.body.fcm.token' }])
})

t.test('raw blocks need their scope, wherever they stand', async (t) => {
  await api.post('/admin/app/raw-blocks', { appId: APP, enabled: true })
  const keys = await Promise.all(
    (
      [
        ['message', 'campaign'],
        ['message', 'campaign', 'message-raw'],
      ] as const
    ).map((scopes) => makeApiKey(stack.context, { scopes })),
  )
  // The gateway sees within ten seconds that there are keys.
  await waitFor('keys to be required', async () => (await send({ userId: 'u', body: {} })).status === 401)
  const [without, having] = keys.map((key) => createApi(api.url, { authorization: `Bearer ${key}` }))
  const { userId } = await newUser()
  for (const name of RAW_NAMES) {
    const body = { title: 'T', [name]: {} }
    const requests = [
      ['/push/message/send', { appId: APP, message: { userId, body } }],
      [
        '/push/message/batch/send',
        {
          appId: APP,
          batch: [
            { userId, body: {} },
            { userId, body },
          ],
        },
      ],
      ['/push/message/preview', { appId: APP, message: { userId, body } }],
      ['/push/campaign/create', { appId: APP, message: body }],
      ['/push/campaign/preview', { appId: APP, message: body }],
    ] as const
    for (const [path, request] of requests) {
      t.equal((await without?.post(path, request))?.status, 403, `${path} ${name}`)
      t.equal((await having?.post(path, request))?.status, 200, `${path} ${name}`)
    }
  }
})
