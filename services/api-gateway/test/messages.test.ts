// Messages from the request to what became of them: responses, status, lists, idempotent replays and back-pressure, over HTTP. What needs a
// worker runs once on each back end of the queues.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { APP, BACKENDS, openTestStack, waitFor, type TestStack } from '@push-server/testing'
import { BATCH, json, message, newToken, SEND } from './_gateway.ts'
import { isOk, refusedWith, violates, watch, type WatchedApi } from './_watched-api.ts'

const ZERO = { sent: 0, pending: 0, failed: 0, total: 0 }
const ZEROS = { ios: ZERO, android: ZERO, huawei: ZERO }
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/
const LIST = '/push/message/list'

interface Bench {
  stack: TestStack
  api: WatchedApi
  /** Registers iPhones of one new user, with these tokens. */
  phones(...tokens: string[]): Promise<string>
  stored(): Promise<number>
}

async function openBench(t: Test, options: Parameters<typeof openTestStack>[0]): Promise<Bench> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  await stack.configure()
  return {
    stack,
    api: watch(stack.api.url),
    async phones(...tokens) {
      const userId = `user-${randomUUID()}`
      for (const token of tokens) await stack.register({ userId, token, activationId: randomUUID() })
      return userId
    },
    async stored() {
      const [row] = await stack.database.query<{ count: number }>('SELECT count(*)::int AS count FROM messages')
      return row?.count ?? Number.NaN
    },
  }
}

const sending = (userId: string, more: object = {}) => ({ appId: APP, message: message({ userId }), ...more })
const keyed = (key: string, object: object) => json({ requestObject: object }, { 'idempotency-key': key })
const statusOf = async (api: WatchedApi, id: string) => (await api.get(`/push/message/${id}`)).body.responseObject
const listOf = (api: WatchedApi, query: Record<string, string>) =>
  api.get(`${LIST}?${new URLSearchParams({ appId: APP, ...query }).toString()}`)
const sentTo = (stack: TestStack, token: string) => stack.simulator.pushes.filter((push) => push.token === token)

for (const backend of BACKENDS) {
  t.test(`messages on ${backend.name}`, { skip: backend.skip }, async (t) => {
    const bench = await openBench(t, { backend })
    const { stack, api, phones, stored } = bench
    const { post } = api

    t.test('send: the response', async (t) => {
      const userId = await phones(newToken(), newToken())
      const ios = { sent: 2, pending: 0, failed: 0, total: 2 }
      const { body } = await post(SEND, sending(userId))
      const { messageIds, ...response } = body.responseObject
      const flat = { ios, android: ZERO, huawei: ZERO, apns: ios, fcm: ZERO, hms: ZERO }
      t.same(response, { mode: 'SYNCHRONOUS', result: { ...ZEROS, ios }, ...flat })
      t.equal(messageIds.length, 1)
      const nobody = await post(SEND, sending('nobody'))
      t.same(nobody.body.responseObject.result, ZEROS, 'no device is no error')
      for (const mode of ['ASYNCHRONOUS', null]) {
        const { messageIds: ids, ...rest } = (await post(SEND, sending(userId, { mode }))).body.responseObject
        t.same([ids.length, rest], [1, mode === null ? {} : { mode }], `mode ${mode}`)
        await waitFor('the delivery', async () =>
          (await statusOf(api, ids[0])).deliveries.every(({ status }: { status: string }) => status === 'sent'),
        )
      }
    })

    t.test('send: personal ones only to who is active, targeted ones only to that activation', async (t) => {
      const [active, blocked] = [newToken(), newToken()]
      const [activationId, blockedId] = [randomUUID(), randomUUID()]
      const userId = randomUUID()
      await stack.register({ userId, token: active, activationId })
      await stack.register({ userId, token: blocked, activationId: blockedId, status: 'BLOCKED' })
      const send = async (more: object) =>
        (await post(SEND, { appId: APP, message: message({ userId, ...more }) })).body.responseObject
      const personal = await send({ attributes: { personal: true } })
      t.same(personal.result.ios, { sent: 1, pending: 0, failed: 0, total: 1 }, 'the other is not counted')
      const { deliveries } = await statusOf(api, personal.messageIds[0])
      const skipped = deliveries.find((delivery: { activationId: string }) => delivery.activationId === blockedId)
      t.match(skipped, { status: 'skipped', reason: 'NotActive', attempts: 0 }, 'but accounted for')
      t.equal((await send({ attributes: { personal: false } })).result.ios.sent, 2)
      t.equal((await send({ activationId })).result.ios.total, 1)
      t.equal((await send({ activationId: '' })).result.ios.total, 0, 'the empty one matches none')
      t.same([sentTo(stack, active).length, sentTo(stack, blocked).length], [3, 1])
    })

    t.test('send: nulls mean the default; numbers for words are refused', async (t) => {
      const userId = await phones(newToken())
      const send = (more: object) => post(SEND, { appId: APP, message: message({ userId, ...more }) })
      for (const attributes of [null, {}, { silent: null }, { personal: null }])
        t.equal((await send({ attributes })).body.responseObject.result.ios.sent, 1, JSON.stringify(attributes))
      t.equal((await send({ priority: null })).body.responseObject.result.ios.sent, 1)
      const before = await stored()
      violates(t, await send({ priority: 1 }), ['requestObject.message.priority', /one of NORMAL, HIGH/])
      violates(t, await post(SEND, sending(userId, { mode: 0 })), ['requestObject.mode', /one of SYNCHRONOUS/])
      t.equal(await stored(), before)
    })

    t.test('batch: from 1 to 20, summed up; one bad item and nothing is sent', async (t) => {
      const tokens = Array.from({ length: 20 }, newToken)
      const users = await Promise.all(tokens.map((token) => phones(token)))
      const batch = users.map((userId) => message({ userId }))
      const before = await stored()
      const refused = [
        [[], 'There are no push messages in the batch.'],
        [
          [...batch, message()],
          'Too many messages in batch - do no send more than 20 messages at once to avoid server congestion.',
        ],
        [
          [...batch.slice(1), { body: {} }],
          'Push message at index: 19 is not valid. Nested error is: Push message must contain a user ID.',
        ],
        [[...batch.slice(1), message({ userId: '' })], 'No userId was specified'],
      ] as const
      for (const [messages, text] of refused) refusedWith(t, await post(BATCH, { appId: APP, batch: messages }), text)
      t.equal(await stored(), before)
      t.ok(
        tokens.every((token) => sentTo(stack, token).length === 0),
        'nothing was sent',
      )
      const { body } = await post(BATCH, { appId: APP, batch })
      t.same(body.responseObject.result.ios, { sent: 20, pending: 0, failed: 0, total: 20 })
      t.equal(new Set(body.responseObject.messageIds).size, 20)
      for (const [index, id] of body.responseObject.messageIds.entries())
        t.equal((await statusOf(api, id)).userId, users[index], 'in their order')
    })

    t.test('status: how each delivery fares, without a word of its token', async (t) => {
      const [good, gone, busy] = [newToken(), `faded410${newToken().slice(8)}`, newToken()]
      const userId = await phones(good, gone, busy)
      stack.simulator.respondTo(busy, { status: 503, reason: 'ServiceUnavailable', retryAfter: 600, times: 1 })
      const { body } = await post(SEND, sending(userId))
      const [id] = body.responseObject.messageIds
      const response = await api.get(`/push/message/${id}`)
      t.match([response.status, response.body], [200, { status: 'OK', responseObject: { id, appId: APP, userId } }])
      const { timestampCreated, deliveries } = response.body.responseObject
      t.match(timestampCreated, TIMESTAMP)
      const common = { activationId: String, platform: 'ios', timestampUpdated: TIMESTAMP }
      t.match(deliveries, [
        { ...common, status: 'pending', reason: 'ServiceUnavailable', attempts: 1, timestampNextAttempt: TIMESTAMP },
        { ...common, status: 'failed', reason: 'Unregistered', attempts: 1 },
        { ...common, status: 'sent', attempts: 1 },
      ])
      t.ok(Date.parse(deliveries[0].timestampNextAttempt) > Date.now() + 30_000, 'not before the provider’s time')
      t.same(Object.keys(deliveries[2]).toSorted(), [
        'activationId',
        'attempts',
        'platform',
        'status',
        'timestampUpdated',
      ])
      for (const token of [good, gone, busy]) t.notOk(JSON.stringify(response.body).includes(token))
      t.equal((await statusOf(api, id.toUpperCase())).id, id, 'in either case of letters')
      const listed = await listOf(api, { userId })
      t.same(listed.body.responseObject.messages, [
        { id, appId: APP, userId, timestampCreated, result: body.responseObject.result },
      ])
    })

    t.test('a key: a replay sends nothing and says what became of the message', async (t) => {
      const token = newToken()
      const userId = await phones(token)
      const first = await api.call('POST', SEND, keyed('payment 1', sending(userId)))
      t.equal(first.body.responseObject.result.ios.sent, 1)
      for (const more of [{}, { mode: 'SYNCHRONOUS' }])
        t.same((await api.call('POST', SEND, keyed('payment 1', sending(userId, more)))).body, first.body)
      const { mode, messageIds } = (
        await api.call('POST', SEND, keyed('payment 1', sending(userId, { mode: 'ASYNCHRONOUS' })))
      ).body.responseObject
      t.same([mode, messageIds], ['ASYNCHRONOUS', first.body.responseObject.messageIds], 'the mode may differ')
      const turned = { message: { body: { title: 'Hello' }, userId }, appId: APP }
      t.same((await api.call('POST', SEND, keyed('payment 1', turned))).body, first.body, 'so may the order of members')
      const other = await api.call('POST', SEND, keyed('payment 1', sending('somebody else')))
      t.match(
        [other.status, other.body],
        [
          409,
          {
            status: 'ERROR',
            responseObject: {
              code: 'ERROR_IDEMPOTENCY',
              message: 'The Idempotency-Key was used for another request',
            },
          },
        ],
      )
      t.equal(sentTo(stack, token).length, 1)
      await stack.configure('other-app')
      const elsewhere = await api.call('POST', SEND, keyed('payment 1', { ...sending(userId), appId: 'other-app' }))
      isOk(t, elsewhere, 'each application has keys of its own')
      t.not(elsewhere.body.responseObject.messageIds[0], messageIds[0])
    })

    t.test('a key over a batch: all its ids; what was refused can be sent again, put right', async (t) => {
      const userId = await phones(newToken())
      const batch = [message({ userId }), message({ userId: 'nobody' })]
      const send = (object: object) => api.call('POST', BATCH, keyed('batch 1', object))
      t.equal((await send({ appId: APP, batch: [...batch, message({ userId: '' })] })).status, 400)
      t.equal((await send({ appId: 'nowhere', batch })).status, 400)
      const first = await send({ appId: APP, batch })
      t.equal(first.body.responseObject.messageIds.length, 2)
      t.same((await send({ appId: APP, batch })).body, first.body)
      t.equal((await send({ appId: APP, batch: batch.toReversed() })).status, 409, 'the order of messages counts')
    })

    t.test('a key on many at the same moment: stored once, all get the same ids', async (t) => {
      const token = newToken()
      const userId = await phones(token)
      const responses = await Promise.all(
        Array.from({ length: 10 }, () => api.call('POST', SEND, keyed('at once', sending(userId)))),
      )
      t.same([...new Set(responses.map(({ status }) => status))], [200])
      t.equal(new Set(responses.map(({ body }) => body.responseObject.messageIds[0])).size, 1)
      for (const { body } of responses) t.equal(body.responseObject.result.ios.sent, 1, 'each waited for the end')
      t.equal(sentTo(stack, token).length, 1)
      const others = await Promise.all(
        ['a', 'b', 'c', 'd'].map((title) =>
          api.call(
            'POST',
            SEND,
            keyed('different ones', { appId: APP, message: message({ userId, body: { title } }) }),
          ),
        ),
      )
      t.same(others.map(({ status }) => status).toSorted(), [200, 409, 409, 409], 'of different ones one wins')
      t.equal(sentTo(stack, token).length, 2)
    })

    t.test('a key past its age is free', async (t) => {
      const userId = await phones(newToken())
      const send = () => api.call('POST', SEND, keyed('old', sending(userId)))
      const first = await send()
      await stack.database.query("UPDATE idempotency_keys SET expires_at = now() - interval '1 ms' WHERE key = 'old'")
      const second = await send()
      t.not(second.body.responseObject.messageIds[0], first.body.responseObject.messageIds[0])
      t.same((await send()).body, second.body, 'and taken again')
    })

    t.test('no response disclosed anything internal, and each had an id', async (t) => {
      t.same(api.leaks, [])
    })
  })
}

t.test('messages without a worker', async (t) => {
  const environment = { SYNC_TIMEOUT: '300ms', BACKLOG_LIMIT: '10' }
  const { stack, api, phones, stored } = await openBench(t, { services: ['gateway'], environment })

  t.test('a replay waits for what is pending, not for ever', async (t) => {
    const userId = await phones(newToken())
    const first = await api.call('POST', SEND, keyed('waiting', sending(userId)))
    t.match(first.body.responseObject.result.ios, { pending: 1, total: 1 })
    const start = performance.now()
    t.same((await api.call('POST', SEND, keyed('waiting', sending(userId)))).body, first.body)
    const ms = performance.now() - start
    t.ok(ms >= 290 && ms < 20_000, `${ms} ms`)
    const { deliveries } = await statusOf(api, first.body.responseObject.messageIds[0])
    t.match(deliveries, [{ status: 'pending', attempts: 0, reason: undefined, timestampNextAttempt: undefined }])
  })

  t.test('too much waits: refused before anything is stored, until it has shrunk', async (t) => {
    const userId = await phones(...Array.from({ length: 10 }, newToken))
    const send = (more: object = {}) => api.post(SEND, sending(userId, { mode: 'ASYNCHRONOUS', ...more }))
    const refusing = async () => {
      const { body } = await api.get('/metrics')
      return /push_refusing\{platform="ios"\} (\d)/.exec(body)?.[1]
    }
    t.equal(await refusing(), '0')
    const first = await api.call('POST', SEND, keyed('before', sending(userId)))
    isOk(t, first, 'up to the limit')
    await waitFor('the refresh of the backlog', async () => (await refusing()) === '1')
    const before = await stored()
    const { status, headers, body } = await send()
    t.match(
      [status, body],
      [503, { status: 'ERROR', responseObject: { code: 'ERROR_UNAVAILABLE', message: /ios .*nothing was stored/ } }],
    )
    t.match(headers.get('retry-after'), /^\d+$/)
    t.equal((await api.call('POST', SEND, keyed('refused', sending(userId)))).status, 503)
    t.equal(await stored(), before)
    t.match((await api.get('/metrics')).body, /push_refused_requests_total\{platform="ios"\} 2/)
    isOk(t, await api.post(SEND, sending('nobody')), 'a user without a device there is not refused')
    isOk(t, await api.call('POST', SEND, keyed('before', sending(userId))), 'a replay stores nothing')
    await stack.database.query(
      `INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
       SELECT id, 'ios', 'all', 'Test', now() FROM applications WHERE app_id = $1`,
      [APP],
    )
    await waitFor('what is paused not to count', async () => (await refusing()) === '0')
    isOk(t, await send(), 'accepted again')
    isOk(t, await api.call('POST', SEND, keyed('refused', sending(userId))), 'the refused one was not remembered')
  })

  t.test('no response disclosed anything internal, and each had an id', async (t) => {
    t.same(api.leaks, [])
  })
})

t.test('asking', async (t) => {
  const { stack, api, phones } = await openBench(t, {
    services: ['gateway'],
    environment: { SYNC_TIMEOUT: '100ms' },
  })

  t.test('a key that is none names the header and changes nothing', async (t) => {
    const before = await stack.database.query('SELECT 1 FROM messages')
    const bad = ['', 'x'.repeat(256), 'schlüssel', 'tab\tulator']
    for (const key of bad)
      for (const [path, object] of [
        [SEND, sending('nobody')],
        [BATCH, { appId: APP, batch: [message()] }],
      ] as const)
        violates(t, await api.call('POST', path, keyed(key, object)), ['Idempotency-Key', /1 to 255 printable ASCII/])
    t.equal((await stack.database.query('SELECT 1 FROM messages')).length, before.length)
    for (const key of ['x', 'x'.repeat(255), 'with blank, and ~ signs!'])
      isOk(t, await api.call('POST', SEND, keyed(key, sending('nobody'))), `${key.length} characters`)
  })

  t.test('without a key nothing is remembered', async (t) => {
    await stack.database.query('DELETE FROM idempotency_keys')
    isOk(t, await api.post(SEND, sending('nobody')), 'sent')
    t.equal((await stack.database.query('SELECT 1 FROM idempotency_keys')).length, 0)
  })

  t.test('status: an id that nobody has', async (t) => {
    for (const id of [randomUUID(), 'x', '1', '00000000-0000-0000-0000-00000000000g', `${randomUUID()}0`]) {
      const { status, body } = await api.get(`/push/message/${id}`)
      t.match([status, body], [404, { status: 'ERROR', responseObject: { code: 'ERROR_NOT_FOUND' } }], id)
    }
  })

  t.test('list: newest first, page by page, by application and user', async (t) => {
    const userId = await phones(newToken(), newToken())
    const ids: string[] = []
    for (let count = 0; count < 5; count++)
      ids.unshift((await api.post(SEND, sending(userId, { mode: 'ASYNCHRONOUS' }))).body.responseObject.messageIds[0])
    // Those of one batch have one time; their ids keep them in order.
    await stack.database.query('UPDATE messages SET created_at = $2 WHERE user_id = $1', [userId, new Date()])
    const idsOf = (messages: { id: string }[]) => messages.map(({ id }) => id)
    const whole = await listOf(api, { userId })
    t.match(whole.body, { status: 'OK', page: 0, size: 100 })
    t.same(Object.keys(whole.body), ['status', 'page', 'size', 'responseObject'])
    const { messages } = whole.body.responseObject
    t.same(idsOf(messages), ids)
    t.same(messages[0].result, { ...ZEROS, ios: { sent: 0, pending: 2, failed: 0, total: 2 } })
    const pages = []
    for (const page of ['0', '1', '2', '3']) {
      const { body } = await listOf(api, { userId, page, size: '2' })
      t.match(body, { page: Number(page), size: 2 })
      pages.push(idsOf(body.responseObject.messages))
    }
    t.same(pages, [ids.slice(0, 2), ids.slice(2, 4), ids.slice(4), []])
    const none = await listOf(api, { userId: 'somebody else' })
    t.same(none.body, { status: 'OK', page: 0, size: 100, responseObject: { messages: [] } })
    await stack.configure('empty-app')
    const elsewhere = await listOf(api, { userId, appId: 'empty-app' })
    t.same(elsewhere.body.responseObject.messages, [])
  })

  t.test('list: what is wrong with a question', async (t) => {
    refusedWith(t, await listOf(api, { userId: 'u', appId: 'nowhere' }), 'Application with given ID does not exist')
    violates(t, await api.get(`${LIST}?userId=u`), ['appId', /must not be null/])
    violates(t, await api.get(`${LIST}?appId=${APP}`), ['userId', /must not be null/])
    violates(t, await listOf(api, { userId: '' }), ['userId', /empty/])
    violates(t, await listOf(api, { userId: 'x'.repeat(256) }), ['userId', /at most 255/])
    for (const [query, page, size] of [
      [{ page: '-1', size: '0' }, 0, 100],
      [{ page: 'two', size: 'many' }, 0, 100],
      [{ page: '3', size: '2001' }, 3, 2000],
    ] as const)
      t.match((await listOf(api, { userId: 'u', ...query })).body, { page, size }, JSON.stringify(query))
  })

  t.test('no response disclosed anything internal, and each had an id', async (t) => {
    t.same(api.leaks, [])
  })
})

t.test('MESSAGE_STORAGE_ENABLED=false: a message goes once nobody waits for it, its key stays', async (t) => {
  const { stack, api, phones, stored } = await openBench(t, {
    environment: { MESSAGE_STORAGE_ENABLED: 'false', RETENTION_INTERVAL: '50ms', SYNC_TIMEOUT: '10s' },
  })
  const userId = await phones(newToken())
  const kept = await api.call('POST', SEND, keyed('kept', sending(userId)))
  const sent = await api.post(SEND, sending(userId))
  const nobody = await api.post(SEND, sending('nobody'))
  const [id] = sent.body.responseObject.messageIds
  t.equal((await statusOf(api, id)).deliveries[0].status, 'sent', 'there is time to read it')
  await stack.database.query(`UPDATE chunks SET settled_at = settled_at - interval '71 s'`)
  await stack.database.query(`UPDATE messages SET created_at = created_at - interval '71 s'`)
  await waitFor('the removal', async () => (await stored()) === 1)
  for (const gone of [id, nobody.body.responseObject.messageIds[0]])
    t.equal((await api.get(`/push/message/${gone}`)).status, 404)
  t.same(await stack.database.query('SELECT count(*)::int AS chunks FROM chunks'), [{ chunks: 0 }])
  t.same(
    await stack.database.query('SELECT count(*)::int AS deliveries, max(body::text) AS body FROM messages, deliveries'),
    [{ deliveries: 1, body: null }],
  )
  t.same(
    (await api.call('POST', SEND, keyed('kept', sending(userId)))).body,
    kept.body,
    'a replay still knows its tally',
  )
})
