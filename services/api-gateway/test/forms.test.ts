// Responses in the form of a version, read as the reference server's strict client reads them: an unknown member is an error, and so is a
// value of another type.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { openTestStack, type TestStack } from '@push-server/testing'
import { APP, credentials } from './_gateway.ts'

/** A type by its word; an array of one, or members. */
type Expected = 'text' | 'number' | 'boolean' | 'any' | readonly [Expected] | { readonly [name: string]: Expected }

const FAMILIES = {
  '1.9': {
    platforms: ['ios', 'android', 'huawei'],
    settings: ['iosBundle', 'iosKeyId', 'iosTeamId', 'iosEnvironment', 'androidProjectId', 'huaweiProjectId'],
  },
  '1.10': {
    platforms: ['apns', 'fcm', 'hms'],
    settings: ['apnsBundle', 'apnsKeyId', 'apnsTeamId', 'apnsEnvironment', 'fcmProjectId', 'hmsProjectId'],
  },
} as const
type VersionForm = keyof typeof FAMILIES

const named = <T>(names: readonly string[], type: T) => Object.fromEntries(names.map((name) => [name, type]))

const COUNTERS = { sent: 'number', failed: 'number', pending: 'number', total: 'number' } as const
const MESSAGE = {
  ...named(
    ['title', 'titleLocKey', 'body', 'bodyLocKey', 'icon', 'sound', 'category', 'collapseKey', 'validUntil'],
    'text',
  ),
  titleLocArgs: ['text'],
  bodyLocArgs: ['text'],
  badge: 'number',
  extras: 'any',
} as const
const CAMPAIGN = { id: 'number', appId: 'text', sent: 'boolean', message: MESSAGE } as const
const SUMMARY = { ...named(['id', 'type', 'subject', 'summary', 'timestampCreated'], 'text'), read: 'boolean' } as const
const INBOX = { ...SUMMARY, userId: 'text', body: 'text', timestampRead: 'text', applications: ['text'] } as const
const ok = (responseObject: Expected) => ({ status: 'text', responseObject }) as const
const page = (responseObject: Expected) => ({ status: 'text', page: 'number', size: 'number', responseObject }) as const
const ALONE = { status: 'text' } as const

const isList = (expected: Expected): expected is readonly [Expected] => Array.isArray(expected)

/** What is wrong with the value, as a strict reader would say it. */
function flaws(value: unknown, expected: Expected, path = ''): string[] {
  if (expected === 'any') return []
  if (typeof expected === 'string') {
    const found = typeof value === 'string' ? 'text' : typeof value
    return found === expected ? [] : [`${path}: ${found} in place of ${expected}`]
  }
  if (isList(expected)) {
    if (!Array.isArray(value)) return [`${path}: no list`]
    return value.flatMap((item, index) => flaws(item, expected[0], `${path}[${index}]`))
  }
  if (typeof value !== 'object' || value === null) return [`${path}: no object`]
  const members = expected as Readonly<Record<string, Expected>>
  return Object.entries(value).flatMap(([name, member]) => {
    const type = members[name]
    return type === undefined ? [`${path}.${name}: unknown`] : flaws(member, type, `${path}.${name}`)
  })
}

interface Call {
  method?: string
  path: string
  object?: unknown
  /** Of the response, in the form; what the response must have at least. */
  expected: Expected
  least?: Expected
  headers?: Record<string, string>
}

async function call(
  t: Test,
  stack: TestStack,
  { method = 'POST', path, object, expected, headers = {} }: Call,
  base: string,
) {
  const response = await fetch(`${stack.api.url}${base}${path}`, {
    method,
    headers: { ...(object !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(object !== undefined && { body: JSON.stringify({ requestObject: object }) }),
  })
  const body = (await response.json()) as Record<string, unknown> & { responseObject: Record<string, never> }
  t.same(flaws(body, expected), [], `${method} ${path}: ${response.status}`)
  t.equal(response.headers.get('content-type'), 'application/json; charset=utf-8', path)
  return { response, body }
}

const stack = await openTestStack({ environment: { SYNC_TIMEOUT: '10s' } })
t.teardown(() => stack.close())
await stack.configure(APP, ['ios', 'android', 'huawei'])
await stack.register({ userId: 'anna', token: 'aa'.repeat(32), activationId: 'anna' })

const BASE = '/powerauth-push-server'
const RICH = {
  title: 'Hello',
  body: 'There',
  badge: 1,
  sound: null,
  extras: { a: 1, b: null },
  validUntil: '2099-01-01T00:00:00Z',
}

for (const form of ['1.9', '1.10'] as const satisfies VersionForm[])
  t.test(`every response of the reference server’s operations, in the form ${form}`, async (t) => {
    const { platforms, settings } = FAMILIES[form]
    const application = { appId: 'text', ...named(platforms, 'boolean') } as const
    const applications = ok({ applicationList: [application] })
    const headers = { 'x-push-compatibility': form }
    const act = (given: Call) => call(t, stack, { headers, ...given }, BASE)
    const appId = `app-${randomUUID()}`
    const device = {
      appId,
      platform: 'ios',
      token: 'bb'.repeat(32),
      activationId: randomUUID().slice(0, 30),
      userId: 'u',
    }

    await act({
      method: 'GET',
      path: '/push/service/status',
      expected: ok(
        named(
          ['applicationName', 'applicationDisplayName', 'applicationEnvironment', 'version', 'buildTime', 'timestamp'],
          'text',
        ),
      ),
    })
    t.equal(
      (await act({ path: '/admin/app/create', object: { appId }, expected: ok({ appId: 'text' }) })).response.status,
      200,
    )
    const listed = await act({ method: 'GET', path: '/admin/app/list', expected: applications })
    t.ok(
      platforms.every((name) => Object.hasOwn(listed.body.responseObject['applicationList']?.[0] ?? {}, name)),
      'all three platforms',
    )
    await act({ method: 'GET', path: '/admin/app/unconfigured/list', expected: applications })
    for (const path of ['/admin/app/ios/update', '/admin/app/apns'])
      await act({ path, object: credentials({ appId }), expected: ALONE })
    const detail = await act({
      path: '/admin/app/detail',
      object: { appId, includeIos: true },
      expected: ok({ application, ...named(settings, 'text') }),
    })
    t.ok(detail.body.responseObject[settings[0]], 'with its settings')
    await act({ method: 'DELETE', path: `/admin/app/apns?appId=${appId}`, expected: ALONE })
    t.equal((await act({ path: '/push/device/create', object: device, expected: ALONE })).response.status, 200)
    await act({
      path: '/push/device/create/multi',
      object: { ...device, activationIds: [device.activationId] },
      expected: ALONE,
    })
    await act({ path: '/push/device/delete', object: { appId, token: device.token }, expected: ALONE })

    const message = { userId: 'anna', body: RICH }
    for (const mode of ['SYNCHRONOUS', 'ASYNCHRONOUS']) {
      const sent = await act({
        path: '/push/message/send',
        object: { appId: APP, mode, message },
        expected: ok({ mode: 'text', ...named(platforms, COUNTERS) }),
      })
      t.match(sent.response.headers.get('x-message-ids'), /^[0-9a-f-]{36}$/, 'the id travels in a header')
      if (mode === 'SYNCHRONOUS')
        t.same(sent.body.responseObject[platforms[0]], { sent: 1, failed: 0, pending: 0, total: 1 })
    }
    const batch = Array.from({ length: 3 }, () => message)
    const sent = await act({
      path: '/push/message/batch/send',
      object: { appId: APP, mode: 'ASYNCHRONOUS', batch },
      expected: ok({ mode: 'text' }),
    })
    t.equal(sent.response.headers.get('x-message-ids')?.split(',').length, 3)

    const created = await act({
      path: '/push/campaign/create',
      object: { appId: APP, message: RICH },
      expected: ok({ id: 'number' }),
    })
    const id = created.body.responseObject['id']
    await act({ path: `/push/campaign/${id}/user/add`, object: ['anna'], expected: ALONE })
    await act({
      method: 'GET',
      path: `/push/campaign/${id}/user/list?page=0&size=10`,
      expected: page({ campaignId: 'number', users: ['text'] }),
    })
    await act({ method: 'GET', path: '/push/campaign/list?all=true', expected: ok([CAMPAIGN]) })
    await act({ path: `/push/campaign/send/test/${id}`, object: { userId: 'anna' }, expected: ALONE })
    await act({ path: `/push/campaign/send/live/${id}`, object: {}, expected: ALONE })
    const shown = await act({ method: 'GET', path: `/push/campaign/${id}/detail`, expected: ok(CAMPAIGN) })
    t.equal(typeof (shown.body.responseObject['message'] as unknown as { validUntil: unknown }).validUntil, 'string')
    t.notOk(JSON.stringify(shown.body).includes('null'), 'nulls are left out')
    await act({ path: `/push/campaign/${id}/user/delete`, object: ['anna'], expected: ALONE })
    await act({
      method: 'DELETE',
      path: `/push/campaign/${id}/delete?force=true`,
      expected: ok({ deleted: 'boolean' }),
    })

    const inbox = {
      userId: 'anna',
      subject: 'A subject',
      summary: 'A summary',
      body: 'A long body',
      type: 'text',
      applications: [APP],
      validUntil: '2099-01-01T00:00:00Z',
    }
    const posted = await act({ path: '/inbox/messages', object: inbox, expected: ok(INBOX) })
    const inboxId = posted.body.responseObject['id']
    const own = `userId=anna&appId=${APP}`
    await act({
      method: 'GET',
      path: `/inbox/messages/list?userId=anna&applications=${APP}`,
      expected: page([SUMMARY]),
    })
    await act({ method: 'GET', path: `/inbox/messages/count?${own}`, expected: ok({ countUnread: 'number' }) })
    await act({ path: '/inbox/messages/read', object: { inboxId }, expected: ALONE })
    await act({ method: 'GET', path: `/inbox/messages/detail?id=${inboxId}`, expected: ok(INBOX) })
    await act({ path: '/inbox/messages/read-all', object: { userId: 'anna', appId: APP }, expected: ALONE })
  })

const ERROR = ok({ code: 'text', message: 'text' })
const LISTED = ok({ code: 'text', message: 'text', violations: [{ fieldName: 'text', hint: 'text' }] })

t.test(
  'errors in the form of a version name the first field in their message, and list fields where the reference does',
  async (t) => {
    const bad = { appId: 'x'.repeat(300) }
    for (const headers of [{ 'x-push-compatibility': '1.9' }, {}] as Record<string, string>[]) {
      const plain = await call(t, stack, { path: '/admin/app/create', object: bad, expected: ERROR, headers }, BASE)
      t.match(plain.body.responseObject, {
        code: 'ERROR_REQUEST',
        message: /^Invalid method parameter value: requestObject\.appId /,
      })
      const { body } = await call(t, stack, { path: '/admin/app/apns', object: bad, expected: LISTED, headers }, BASE)
      t.ok(Object.hasOwn(body.responseObject, 'violations'), 'a validated bean')
      const strict = { ...headers, prefer: 'handling=strict' }
      const object = { appId: APP, more: 1 }
      t.ok(
        Object.hasOwn(
          (await call(t, stack, { path: '/admin/app/create', object, expected: LISTED, headers: strict }, BASE)).body
            .responseObject,
          'violations',
        ),
      )
      await call(t, stack, { method: 'GET', path: '/nowhere', expected: ERROR, headers }, BASE)
      await call(t, stack, { method: 'PATCH', path: '/push/message/send', expected: ERROR, headers }, BASE)
    }
    const all = await call(t, stack, { path: '/admin/app/create', object: bad, expected: LISTED }, '')
    t.match(
      all.body.responseObject,
      { message: 'Invalid method parameter value', violations: [{}] },
      'under the root as before',
    )
  },
)

t.test('the form is chosen by the header, else by the base', async (t) => {
  const send = async (base: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${stack.api.url}${base}/push/message/send`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({
        requestObject: { appId: APP, mode: 'SYNCHRONOUS', message: { userId: 'nobody', body: { title: 'x' } } },
      }),
    })
    const { responseObject } = (await response.json()) as { responseObject: object }
    return Object.keys(responseObject).toSorted()
  }
  const inForm = { '1.9': ['android', 'huawei', 'ios', 'mode'], '1.10': ['apns', 'fcm', 'hms', 'mode'] }
  t.same(await send(BASE), inForm['1.10'])
  t.ok((await send('')).includes('messageIds'))
  for (const base of ['', BASE]) {
    for (const form of ['1.9', '1.10'] as const)
      t.same(await send(base, { 'x-push-compatibility': form }), inForm[form])
    t.ok((await send(base, { 'x-push-compatibility': 'all' })).includes('messageIds'))
    t.same(
      await send(base, { 'x-push-compatibility': '3.0' }),
      base === '' ? ['code', 'message', 'violations'] : ['code', 'message'],
    )
  }
})

t.test('campaign/list?all=false: not sent in the form of a version, sent in the document’s', async (t) => {
  const created = await stack.api.post('/push/campaign/create', { appId: APP, message: { title: 'Unsent' } })
  const id = String(created.body.responseObject.id)
  const idsOf = async (base: string) => {
    const response = await fetch(`${stack.api.url}${base}/push/campaign/list?all=false`)
    return ((await response.json()) as { responseObject: { id: unknown }[] }).responseObject.map((one) =>
      String(one.id),
    )
  }
  t.ok((await idsOf(BASE)).includes(id))
  t.notOk((await idsOf('')).includes(id))
})

t.test('ERROR_VIOLATIONS=false: no error has a list, and what is no JSON stays what it is', async (t) => {
  const other = await openTestStack({ services: ['gateway'], environment: { ERROR_VIOLATIONS: 'false' } })
  t.teardown(() => other.close())
  const bad = { appId: 'x'.repeat(300) }
  for (const base of ['', BASE])
    for (const path of ['/admin/app/create', '/admin/app/apns']) {
      const { body } = await call(t, other, { path, object: bad, expected: ERROR }, base)
      t.match(body.responseObject, { message: /^Invalid method parameter value: requestObject\.\w+ / })
    }
  for (const base of ['', BASE])
    for (const [path, start] of [
      ['/', '<!doctype html>'],
      ['/metrics', '# HELP'],
      ['/v3/api-docs.yaml', 'openapi:'],
      ['/swagger-ui/', '<!'],
    ] as const) {
      const response = await fetch(other.api.url + base + path)
      t.notMatch(response.headers.get('content-type'), /json/, path)
      t.ok((await response.text()).trimStart().toLowerCase().startsWith(start.toLowerCase()), base + path)
    }
})

t.test('every path is served below the prefix and under the root, and nothing beside it is', async (t) => {
  const statusOf = async (path: string) => (await fetch(`${stack.api.url}${path}`, { redirect: 'manual' })).status
  for (const path of [
    '/push/service/status',
    '/health/live',
    '/v3/api-docs',
    '/swagger-ui/',
    '/admin/queues/',
    '/metrics',
    '/',
  ])
    t.equal(await statusOf(BASE + path), await statusOf(path), path)
  for (const path of [
    `${BASE}foo/push/service/status`,
    '/powerauth-push-server%2Fpush/service/status',
    `${BASE}${BASE}/push/service/status`,
  ])
    t.equal(await statusOf(path), 404, path)
  const bare = await fetch(stack.api.url + BASE, { redirect: 'manual' })
  t.equal(bare.status, 302)
  t.equal(bare.headers.get('location'), 'powerauth-push-server/', 'relatively')
})
