// How the form of a response is chosen, and what else there is to it; strict-clients.test.ts reads every response in every form.
import t, { type Test } from 'tap'
import { openTestStack, waitFor, type TestStack } from '@push-server/testing'
import { APP } from './_gateway.ts'
import { ASYNCHRONOUS_RESPONSES, ERROR, LISTED_ERROR, type Expected } from './forms/_models.ts'
import { flaws } from './forms/_strict-reader.ts'

interface Call {
  method?: string
  path: string
  object?: unknown
  /** Of the response, in the form. */
  expected: Expected
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

t.test('the ids of messages travel in a header, in the form of a version alone', async (t) => {
  const message = { userId: 'anna', body: { title: 'Hello' } }
  for (const [path, object, count] of [
    ['/push/message/send', { message }, 1],
    ['/push/message/batch/send', { batch: [message, message, message] }, 3],
  ] as const) {
    const request = { path, object: { appId: APP, mode: 'ASYNCHRONOUS', ...object } }
    const { response } = await call(t, stack, { ...request, expected: ASYNCHRONOUS_RESPONSES.ASYNCHRONOUS }, BASE)
    const ids = response.headers.get('x-message-ids')?.split(',') ?? []
    t.equal(ids.length, count)
    for (const id of ids) t.match(id, /^[0-9a-f-]{36}$/)
    const all = await call(t, stack, { ...request, expected: 'any' }, '')
    t.equal(all.response.headers.get('x-message-ids'), null)
    t.match(all.body.responseObject['messageIds'], { length: count })
  }
})

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
      const { body } = await call(
        t,
        stack,
        { path: '/admin/app/apns', object: bad, expected: LISTED_ERROR, headers },
        BASE,
      )
      t.ok(Object.hasOwn(body.responseObject, 'violations'), 'a validated bean')
      const strict = { ...headers, prefer: 'handling=strict' }
      const object = { appId: APP, more: 1 }
      t.ok(
        Object.hasOwn(
          (await call(t, stack, { path: '/admin/app/create', object, expected: LISTED_ERROR, headers: strict }, BASE))
            .body.responseObject,
          'violations',
        ),
      )
      await call(t, stack, { method: 'GET', path: '/nowhere', expected: ERROR, headers }, BASE)
      await call(t, stack, { method: 'PATCH', path: '/push/message/send', expected: ERROR, headers }, BASE)
    }
    const all = await call(t, stack, { path: '/admin/app/create', object: bad, expected: LISTED_ERROR }, '')
    t.match(
      all.body.responseObject,
      { message: 'Invalid method parameter value', violations: [{}] },
      'under the root as before',
    )
  },
)

t.test('a text that clients compare stays as it is where its list is left out', async (t) => {
  const object = { appId: APP, platform: 'ios', token: 'bb'.repeat(32), activationId: 'nobody-knows-it' }
  const request = { path: '/push/device/create', object }
  const message = 'Device registration failed because associated activation is not ACTIVE'
  const below = await call(t, stack, { ...request, expected: ERROR }, BASE)
  t.same(below.body.responseObject, { code: 'ERROR_GENERIC', message })
  const all = await call(t, stack, { ...request, expected: LISTED_ERROR }, '')
  t.match(all.body.responseObject, { message, violations: [{ fieldName: 'requestObject.userId' }] })
})

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

t.test('campaign/list: those not sent in the form of a version, all or those sent in the document’s', async (t) => {
  const created = await stack.api.post('/push/campaign/create', { appId: APP, message: { title: 'Unsent' } })
  const id = String(created.body.responseObject.id)
  const idsOf = async (base: string, query = '') => {
    const response = await fetch(`${stack.api.url}${base}/push/campaign/list${query}`)
    return ((await response.json()) as { responseObject: { id: unknown }[] }).responseObject.map((one) =>
      String(one.id),
    )
  }
  const live = await stack.api.post('/push/campaign/create', { appId: APP, message: { title: 'Sent' } })
  const sent = String(live.body.responseObject.id)
  await stack.api.call('POST', `/push/campaign/send/live/${sent}`)
  await waitFor('the campaign to be sent', async () => (await idsOf('', '?sent=true')).includes(sent))
  const has = async (...given: Parameters<typeof idsOf>) => {
    const ids = await idsOf(...given)
    return [ids.includes(id), ids.includes(sent)]
  }
  for (const query of ['', '?all=false']) t.same(await has(BASE, query), [true, false], query)
  t.same(await has(BASE, '?all=true'), [true, true])
  t.same(await has('', ''), [true, true])
  t.same(await has('', '?all=false'), [false, true])
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
