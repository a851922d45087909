// Quotas of keys and applications over HTTP: messages a second, and what may wait.
import { randomBytes, randomUUID } from 'node:crypto'
import { makeApiKey, openTestStack, waitFor, type Response } from '@push-server/testing'
import t from 'tap'
import { APP, BATCH, json, message, newToken, SEND, sending } from './_gateway.ts'
import { isOk, watch } from './_watched-api.ts'

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const ADMIN = `admin.${randomBytes(32).toString('hex')}`
const OTHER = 'other-app'

const stack = await openTestStack({
  services: ['gateway'],
  environment: { API_KEY_BOOTSTRAP: ADMIN, SYNC_TIMEOUT: '100ms', BACKLOG_LIMIT: '20', BATCH_SIZE: '5' },
})
t.teardown(() => stack.close())
for (const appId of [APP, OTHER]) await stack.configure(appId)
const { context, database, api } = stack
const { quotas } = context.store

const makeKey = (...appIds: string[]) => makeApiKey(context, { scopes: ['message', 'campaign'], appIds })
const idOf = (key: string) => key.split('.')[0] ?? ''
const send = (key: string, appId = APP, headers: Record<string, string> = {}) =>
  api.call('POST', SEND, json({ requestObject: { appId, message: message() } }, { ...bearer(key), ...headers }))
const sendBatch = (key: string, size: number) =>
  api.call(
    'POST',
    BATCH,
    json({ requestObject: { appId: APP, batch: Array.from({ length: size }, () => message()) } }, bearer(key)),
  )
const stored = async () => (await database.query('SELECT 1 FROM messages')).length
const statuses = (responses: Response[], status: number) => responses.filter((response) => response.status === status)

t.test('a key beyond its messages a second: 429, and nobody else is refused', async (t) => {
  const [limited, free] = [await makeKey(), await makeKey()]
  await quotas.change({ keyId: idOf(limited) }, { messagesPerSecond: 1, burst: 10 })
  const before = await stored()
  // More than are there again before all of them are through, however slow the machine is.
  const responses = await Promise.all(Array.from({ length: 200 }, () => send(limited)))
  const [taken, refused] = [statuses(responses, 200), statuses(responses, 429)]
  t.equal(taken.length + refused.length, 200)
  t.ok(taken.length >= 10 && refused.length > 0, `${taken.length} taken, ${refused.length} refused`)
  t.equal((await stored()) - before, taken.length, 'nothing of the refused ones is stored')
  for (const { headers } of taken) {
    t.equal(headers.get('ratelimit-limit'), '10')
    t.match(headers.get('ratelimit-remaining'), /^\d$/)
    t.match(headers.get('ratelimit-reset'), /^\d+$/)
  }
  for (const { headers, body } of refused) {
    t.match(body, {
      status: 'ERROR',
      responseObject: {
        code: 'ERROR_TOO_MANY_REQUESTS',
        message: /API key is 1 messages a second; nothing was stored/,
      },
    })
    t.match(headers.get('retry-after'), /^[1-9]\d*$/)
    t.equal(headers.get('ratelimit-limit'), '10')
  }
  const other = await send(free)
  isOk(t, other, 'another key for the same application')
  t.equal(other.headers.get('ratelimit-limit'), null, 'without a quota there are no headers')
  t.match((await watch(api.url, bearer(ADMIN)).get('/metrics')).body, /push_refusals_total\{reason="key-rate"\} \d+/)
})

t.test('a batch takes all its messages or none, and one beyond the burst is told so', async (t) => {
  const key = await makeKey()
  await quotas.change({ keyId: idOf(key) }, { messagesPerSecond: 1, burst: 4 })
  const before = await stored()
  const tooLarge = await sendBatch(key, 5)
  t.match(
    [tooLarge.status, tooLarge.body.responseObject],
    [413, { code: 'ERROR_TOO_LARGE', message: /has 5 messages.*this API key allows 4 at once; nothing was stored/ }],
  )
  t.equal(tooLarge.headers.get('retry-after'), null, 'waiting does not help')
  const responses = await Promise.all(Array.from({ length: 60 }, () => sendBatch(key, 4)))
  const taken = statuses(responses, 200)
  t.ok(taken.length >= 1 && statuses(responses, 429).length === 60 - taken.length)
  t.equal((await stored()) - before, taken.length * 4)
})

t.test('a replay takes nothing, nor does what is refused for another reason', async (t) => {
  const key = await makeKey()
  await quotas.change({ keyId: idOf(key) }, { messagesPerSecond: 1, burst: 1 })
  const duplicated = { 'idempotency-key': randomUUID() }
  const first = await send(key, APP, duplicated)
  isOk(t, first, 'the first')
  const duplicates = await Promise.all(Array.from({ length: 20 }, () => send(key, APP, duplicated)))
  for (const duplicate of duplicates) t.same([duplicate.status, duplicate.body], [200, first.body])
  const unknown = await Promise.all(Array.from({ length: 3 }, async () => (await send(key, 'nowhere')).status))
  t.notOk(unknown.includes(200))
  await waitFor('a second’s worth', async () => (await send(key)).status === 200)
})

t.test('an application’s messages a second, whichever key sends them', async (t) => {
  const keys = [await makeKey(APP), await makeKey(APP)]
  await quotas.change({ appId: APP }, { messagesPerSecond: 1, burst: 5 })
  t.teardown(() => quotas.change({ appId: APP }, { messagesPerSecond: null, burst: null }))
  await waitFor('the gateway to know', async () => (await send(keys[0] ?? '')).headers.get('ratelimit-limit') === '5')
  const responses = await Promise.all(keys.flatMap((key) => Array.from({ length: 50 }, () => send(key))))
  const refused = statuses(responses, 429)
  t.equal(statuses(responses, 200).length + refused.length, 100)
  t.ok(refused.length > 0)
  t.match(refused[0]?.body.responseObject.message, /application mobile-app is 1 messages a second/)
  isOk(t, await send(await makeKey(), OTHER), 'another application')
})

t.test('the test of a campaign counts as a message', async (t) => {
  const key = await makeKey()
  const campaign = await api.call(
    'POST',
    '/push/campaign/create',
    json({ requestObject: { appId: OTHER, message: { title: 'Hello' } } }, bearer(key)),
  )
  const { id } = campaign.body.responseObject
  await quotas.change({ keyId: idOf(key) }, { messagesPerSecond: 1, burst: 3 })
  await waitFor('the gateway to know', async () => (await send(key, OTHER)).headers.get('ratelimit-limit') === '3')
  const test = await api.call(
    'POST',
    `/push/campaign/send/test/${id}`,
    json({ requestObject: { userId: 'nobody' } }, bearer(key)),
  )
  t.equal(test.headers.get('ratelimit-limit'), '3')
})

t.test('one application’s backlog refuses nobody else’s messages', async (t) => {
  const key = await makeKey()
  const phone = (appId: string) =>
    stack.register({ userId: appId, token: newToken(), activationId: randomUUID(), appId })
  for (let count = 0; count < 25; count += 1) await phone(APP)
  await phone(OTHER)
  const sendTo = (appId: string) =>
    api.call(
      'POST',
      SEND,
      json(
        { requestObject: { ...sending({ title: 'Hello' }), appId, message: message({ userId: appId }) } },
        bearer(key),
      ),
    )
  isOk(t, await sendTo(APP), 'beyond BACKLOG_LIMIT of 20 at once')
  isOk(t, await sendTo(OTHER), 'one of another application waits as well')
  await waitFor('the backlog to be noticed', async () => (await sendTo(APP)).status === 503)
  const refused = await sendTo(APP)
  t.match(refused.body.responseObject, { code: 'ERROR_UNAVAILABLE', message: /this application to ios.*nothing was/ })
  t.match(refused.headers.get('retry-after'), /^\d+$/)
  isOk(t, await sendTo(OTHER), 'it is taken')
})

t.test('an application’s own limit of what may wait', async (t) => {
  const key = await makeKey()
  const appId = 'small-app'
  await stack.configure(appId)
  for (let count = 0; count < 3; count += 1)
    await stack.register({ userId: appId, token: newToken(), activationId: randomUUID(), appId })
  await quotas.change({ appId }, { backlog: 2 })
  const sendTo = () =>
    api.call('POST', SEND, json({ requestObject: { appId, message: message({ userId: appId }) } }, bearer(key)))
  isOk(t, await sendTo(), 'nothing waits yet')
  await waitFor('the backlog to be noticed', async () => (await sendTo()).status === 503)
})
