// What may be done about messages after their acceptance, over HTTP: cancelling, sending later, what waits, what has failed, sending again.
// Where it matters what a worker has in hand, the test is the worker.
import { randomUUID } from 'node:crypto'
import type { Context } from '@push-server/domain'
import { APP, openTestStack, waitFor, type TestStack } from '@push-server/testing'
import t, { type Test } from 'tap'
import { BATCH, json, message, newToken, SEND } from './_gateway.ts'
import { isOk, refusedWith, violates, watch, type WatchedApi } from './_watched-api.ts'

type Chunks = Context['store']['chunks']
type ClaimedChunk = Exclude<Awaited<ReturnType<Chunks['claim']>>[number], string | undefined>
type DeliveryRecord = Parameters<Chunks['record']>[1][number]['deliveries'][number]

const LEASE_MS = 60_000
const WORKER = 'the test'

interface Bench {
  stack: TestStack
  api: WatchedApi
  /** Registers iPhones of one new user, with these tokens. */
  phones(...tokens: string[]): Promise<string>
  /** Sends and resolves with the ids. */
  send(userId: string, more?: object): Promise<string[]>
  statusOf(id: string): Promise<{ deliveries: Status[] }>
  cancel(id: string): ReturnType<WatchedApi['call']>
  resend(id: string, key?: string): ReturnType<WatchedApi['call']>
  chunksOf(id: string): Promise<number[]>
  claim(id: number): Promise<ClaimedChunk>
  /** Ends the claim; `status` of each delivery. */
  release(chunk: ClaimedChunk, status: Partial<DeliveryRecord>): Promise<void>
}

interface Status {
  status: string
  reason?: string
  attempts: number
  timestampNextAttempt?: string
}

async function openBench(t: Test, options: Parameters<typeof openTestStack>[0]): Promise<Bench> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  await stack.configure()
  const api = watch(stack.api.url)
  const { chunks } = stack.context.store
  return {
    stack,
    api,
    async phones(...tokens) {
      const userId = `user-${randomUUID()}`
      for (const token of tokens) await stack.register({ userId, token, activationId: randomUUID() })
      return userId
    },
    async send(userId, more = {}) {
      const { body } = await api.post(SEND, {
        appId: APP,
        mode: 'ASYNCHRONOUS',
        message: message({ userId, ...more }),
      })
      return body.responseObject.messageIds
    },
    statusOf: async (id) => (await api.get(`/push/message/${id}`)).body.responseObject,
    cancel: (id) => api.call('DELETE', `/push/message/${id}`),
    resend: (id, key) =>
      api.call(
        'POST',
        `/push/message/${id}/resend`,
        key === undefined ? {} : json({ requestObject: {} }, { 'idempotency-key': key }),
      ),
    async chunksOf(id) {
      const rows = await stack.database.query<{ id: string }>(
        'SELECT DISTINCT chunk_id AS id FROM deliveries WHERE message_id = $1 AND chunk_id IS NOT NULL ORDER BY 1',
        [id],
      )
      return rows.map((row) => Number(row.id))
    },
    async claim(id) {
      const [claim] = await chunks.claim([id], WORKER, LEASE_MS)
      if (!claim || typeof claim === 'string') throw new Error('not claimed')
      return claim
    },
    async release(chunk, status) {
      const deliveries = chunk.deliveries.map(({ id, attempts }) => ({
        id,
        status: 'sent' as const,
        reason: null,
        attempts: attempts + 1,
        nextAttemptAt: null,
        providerId: null,
        ...status,
      }))
      await chunks.record(WORKER, [{ claim: chunk, deliveries, release: { dueAt: null } }])
    },
  }
}

/** Offset of one hour, so that the offset counts. */
const isoAfter = (ms: number) => new Date(Date.now() + ms + 3_600_000).toISOString().replace('Z', '+01:00')
const first = <T>([value]: readonly T[]): T => {
  if (value === undefined) throw new Error('there is none')
  return value
}

t.test('without a worker', async (t) => {
  const bench = await openBench(t, { services: ['gateway'], environment: { SYNC_TIMEOUT: '30s' } })
  const { stack, api, phones, send, statusOf, cancel, resend, chunksOf, claim, release } = bench
  const { store } = stack.context
  const statuses = async (id: string) =>
    (await statusOf(id)).deliveries.map(({ status, reason }) => (reason === undefined ? status : `${status} ${reason}`))

  t.test('cancel: what is not pushed yet fails as Cancelled, and neighbours stay', async (t) => {
    const [userId, neighbour] = [await phones(newToken(), newToken()), await phones(newToken())]
    const batch = [message({ userId }), message({ userId: neighbour })]
    const { body } = await api.post(BATCH, { appId: APP, mode: 'ASYNCHRONOUS', batch })
    const [id = '', other = ''] = body.responseObject.messageIds
    t.same(await chunksOf(id), await chunksOf(other), 'they share their chunk')
    t.same((await cancel(id)).body.responseObject, { cancelled: 2, inDelivery: 0 })
    t.same(await statuses(id), ['failed Cancelled', 'failed Cancelled'])
    t.same(await statuses(other), ['pending'])
    const chunk = await claim(first(await chunksOf(other)))
    t.equal(chunk.deliveries.length, 1, 'a worker finds the neighbour alone')
    await release(chunk, {})
    const [row] = await stack.database.query(
      'SELECT settled_at IS NOT NULL AS settled, sent, failed, total FROM chunks WHERE id = $1',
      [chunk.id],
    )
    t.same(row, { settled: true, sent: 1, failed: 2, total: 3 })
    t.same((await cancel(id)).body.responseObject, { cancelled: 0, inDelivery: 0 }, 'again')
    t.same((await cancel(other)).body.responseObject, { cancelled: 0, inDelivery: 0 }, 'what was sent stays sent')
    t.same(await statuses(other), ['sent'])
    const alone = first(await send(userId))
    await cancel(alone)
    t.equal((await store.chunks.claim(await chunksOf(alone), WORKER, LEASE_MS))[0], undefined, 'settled')
    for (const nobody of [randomUUID(), 'x']) t.equal((await cancel(nobody)).status, 404, nobody)
    const marks = await stack.database.query('SELECT 1 FROM messages WHERE cancelled_at IS NOT NULL')
    t.equal(marks.length, 0, 'nothing is left to do')
  })

  t.test('cancel: what a worker has in hand is recorded as it ends, and not attempted again', async (t) => {
    const userId = await phones(newToken())
    const [made, putBack] = [first(await send(userId)), first(await send(userId))]
    const claims = [await claim(first(await chunksOf(made))), await claim(first(await chunksOf(putBack)))]
    for (const id of [made, putBack])
      t.same((await cancel(id)).body.responseObject, { cancelled: 0, inDelivery: 1 }, 'the caller knows')
    t.same(await statuses(made), ['pending'])
    const waiting = await store.chunks.changes(
      first(claims),
      first(claims).deliveries.map(({ id }) => id),
    )
    t.same(
      waiting.map(({ obstacle }) => obstacle),
      ['Cancelled'],
      'a push that has waited for 5 s is not made',
    )
    await release(first(claims), {})
    t.same(await statuses(made), ['sent'], 'it was pushed, and that is what is said')
    await release(first(claims.slice(1)), { status: 'pending', reason: 'Shutdown' })
    t.same(await statuses(putBack), ['pending Shutdown'])
    const again = await claim(first(await chunksOf(putBack)))
    t.same(
      again.deliveries.map(({ obstacle }) => obstacle),
      ['Cancelled'],
      'a worker that is faster than the sweep',
    )
    await release(again, { status: 'pending', reason: 'Shutdown' })
    t.equal(await store.messages.cancelRest(10), 1, 'the sweep')
    t.same(await statuses(putBack), ['failed Cancelled'])
    t.equal(await store.messages.cancelRest(10), 0)
    const marks = await stack.database.query('SELECT 1 FROM messages WHERE cancelled_at IS NOT NULL')
    t.equal(marks.length, 0, 'nothing is left to do')
  })

  t.test('cancel: a SYNCHRONOUS caller that waits has its response', async (t) => {
    const userId = await phones(newToken())
    const start = performance.now()
    const sending = api.post(SEND, { appId: APP, message: message({ userId }) })
    const id = await waitFor('the message', async () => {
      const { body } = await api.get(`/push/message/list?appId=${APP}&userId=${userId}`)
      return body.responseObject.messages[0]?.id as string | undefined
    })
    await cancel(id)
    t.same((await sending).body.responseObject.result.ios, { sent: 0, pending: 0, failed: 1, total: 1 })
    t.ok(performance.now() - start < 20_000, 'long before SYNC_TIMEOUT')
  })

  t.test('sendAt: refused unless it lies within DELIVERY_MAX_AGE, and before validUntil', async (t) => {
    const userId = await phones(newToken())
    const post = (sendAt: unknown, body: object = { title: 'x' }) =>
      api.post(SEND, { appId: APP, mode: 'ASYNCHRONOUS', message: { userId, sendAt, body } })
    const field = 'requestObject.message.sendAt'
    for (const bad of ['tomorrow', '2099-01-01T00:00:00', '', isoAfter(-1000)])
      violates(t, await post(bad), [field, /must be an ISO 8601 time with offset, in the future/], bad)
    violates(t, await post(isoAfter(25 * 3_600_000)), [field, /DELIVERY_MAX_AGE \(86400 s\)/])
    violates(t, await post(isoAfter(60_000), { validUntil: isoAfter(30_000) }), [field, /before validUntil/])
    const batch = [message({ userId }), message({ userId, sendAt: isoAfter(-1) })]
    violates(t, await api.post(BATCH, { appId: APP, batch }), ['requestObject.batch[1].sendAt', /in the future/])
    isOk(t, await post(null), 'null means now')
  })

  t.test('sendAt: responds at once, in a chunk of its own that is due then, whatever else makes it due', async (t) => {
    const userId = await phones(newToken())
    const sendAt = isoAfter(3_600_000)
    const batch = [message({ userId }), message({ userId, sendAt }), message({ userId, sendAt })]
    const request = () =>
      api.call(
        'POST',
        BATCH,
        json({ requestObject: { appId: APP, batch: batch.slice(1) } }, { 'idempotency-key': 'later' }),
      )
    const start = performance.now()
    const response = await request()
    t.same(response.body.responseObject.result.ios, { sent: 0, pending: 2, failed: 0, total: 2 }, 'SYNCHRONOUS, too')
    t.same((await request()).body, response.body, 'a replay does not wait either')
    t.ok(performance.now() - start < 20_000, 'long before SYNC_TIMEOUT')

    const { body } = await api.post(BATCH, { appId: APP, mode: 'ASYNCHRONOUS', batch })
    const [now = '', later = '', same = ''] = body.responseObject.messageIds
    const [soon, chunk] = [first(await chunksOf(now)), first(await chunksOf(later))]
    t.not(soon, chunk, 'it shares no chunk with what is sent now')
    t.same(await chunksOf(same), [chunk], 'but with what is sent at the same time')
    const { deliveries } = await statusOf(later)
    t.equal(Date.parse(deliveries[0]?.timestampNextAttempt ?? ''), Date.parse(sendAt))
    t.equal((await statusOf(now)).deliveries[0]?.timestampNextAttempt, undefined)
    const [row] = await stack.database.query(
      'SELECT due_at, expires_at - due_at AS age FROM chunks WHERE id = $1 AND waiter IS NULL',
      [chunk],
    )
    t.match(row, { due_at: new Date(sendAt), age: { days: 1 } }, 'its age counts from then')
    t.equal((await store.chunks.claim([chunk], WORKER, LEASE_MS))[0], undefined, 'not due')

    const application = await store.applications.find(APP)
    const key = { applicationId: application?.id ?? 0, platform: 'ios' as const }
    const version = (await store.credentials.open(key))?.version ?? 0
    await store.pauses.pause({ ...key, version, reason: 'Test' })
    await stack.database.query('UPDATE chunks SET settled_at = now() WHERE id <> $1 AND settled_at IS NULL', [chunk])
    await stack.database.query('UPDATE provider_pauses SET next_probe_at = now()')
    t.same(await store.pauses.probe(), [], 'what is sent later probes no pause')
    await store.pauses.resume(key, { all: true })
    t.equal((await store.chunks.claim([chunk], WORKER, LEASE_MS))[0], undefined, 'the end of a pause makes it not due')
    t.same(await store.chunks.sweep(0, 10), [], 'the sweep does not miss it')
    await stack.database.query('UPDATE chunks SET due_at = now() WHERE id = $1', [chunk])
    const early = await claim(chunk)
    t.same(early.deliveries, [], 'a process that makes it due all the same pushes nothing')
    t.equal(early.laterDueAt, Date.parse(sendAt))
    await stack.database.query('UPDATE chunks SET owner = NULL, lease_until = NULL WHERE id = $1', [chunk])
    t.same((await cancel(later)).body.responseObject, { cancelled: 1, inDelivery: 0 }, 'it can be cancelled')
  })

  t.test('waiting: each delivery with its reason and next attempt, page by page', async (t) => {
    const appId = `app-${randomUUID()}`
    await stack.configure(appId)
    const userId = `user-${randomUUID()}`
    for (let count = 0; count < 3; count++)
      await stack.register({ appId, userId, token: newToken(), activationId: randomUUID() })
    const sendTo = async (more: object = {}) =>
      first(
        (await api.post(SEND, { appId, mode: 'ASYNCHRONOUS', message: message({ userId, ...more }) })).body
          .responseObject.messageIds as string[],
      )
    const sendAt = isoAfter(600_000)
    const [now, later] = [await sendTo(), await sendTo({ sendAt })]
    const list = async (query: Record<string, string> = {}) =>
      (await api.get(`/push/message/waiting?${new URLSearchParams({ appId, ...query }).toString()}`)).body
        .responseObject
    const whole = await list()
    t.equal(whole.next, undefined)
    t.same(
      whole.deliveries.map(({ messageId }: { messageId: string }) => messageId),
      [now, now, now, later, later, later],
    )
    t.match(whole.deliveries[0], {
      userId,
      platform: 'ios',
      attempts: 0,
      inDelivery: false,
      reason: undefined,
      timestampNextAttempt: undefined,
    })
    t.equal(Date.parse(whole.deliveries[3].timestampNextAttempt), Date.parse(sendAt))
    const pages: unknown[][] = []
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: { deliveries: unknown[]; next?: string } = await list({ size: '4', ...(after && { after }) })
      pages.push(page.deliveries)
      after = page.next
    }
    t.same(
      pages.map(({ length }) => length),
      [4, 2],
    )
    t.same(pages.flat(), whole.deliveries)
    const one: unknown[] = []
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: { deliveries: unknown[]; next?: string } = await list({ size: '1', ...(after && { after }) })
      one.push(...page.deliveries)
      after = page.next
    }
    t.same(one, whole.deliveries, 'one by one')

    const claimed = await claim(first(await chunksOf(now)))
    t.equal((await list()).deliveries[0].inDelivery, true)
    await release(claimed, { status: 'pending', reason: 'Shutdown', nextAttemptAt: Date.now() + 60_000 })
    t.match((await list()).deliveries[0], {
      inDelivery: false,
      reason: 'Shutdown',
      attempts: 1,
      timestampNextAttempt: String,
    })
    await stack.database.query(
      `INSERT INTO provider_pauses (application_id, platform, lanes, reason, next_probe_at)
       SELECT id, 'ios', 'all', 'InvalidProviderToken', now() + interval '5 min' FROM applications WHERE app_id = $1`,
      [appId],
    )
    const { deliveries } = await list()
    t.equal(deliveries[0].reason, 'Paused: InvalidProviderToken')
    t.ok(Date.parse(deliveries[0].timestampNextAttempt) > Date.now() + 250_000, 'the next probe')
    t.equal(Date.parse(deliveries[3].timestampNextAttempt), Date.parse(sendAt), 'or its own time, if that is later')
    refusedWith(t, await api.get('/push/message/waiting?appId=nowhere'), 'Application with given ID does not exist')
    violates(t, await api.get(`/push/message/waiting?appId=${appId}&after=x`), ['after', /./])
    await stack.configure('idle-app')
    t.same((await api.get('/push/message/waiting?appId=idle-app')).body.responseObject, { deliveries: [] })
  })

  t.test('failed: by time and reason, page by page', async (t) => {
    const appId = `app-${randomUUID()}`
    await stack.configure(appId)
    const userId = `user-${randomUUID()}`
    for (let count = 0; count < 2; count++)
      await stack.register({ appId, userId, token: newToken(), activationId: randomUUID() })
    const ids: string[] = []
    for (let count = 0; count < 6; count++) {
      const { body } = await api.post(SEND, { appId, mode: 'ASYNCHRONOUS', message: message({ userId }) })
      ids.push(...body.responseObject.messageIds)
    }
    const [fine = '', ...failed] = ids
    const chunkOf = async (id: string) => claim(first(await chunksOf(id)))
    await release(await chunkOf(fine), {})
    for (const id of failed)
      await release(await chunkOf(id), { status: 'failed', reason: id === failed[0] ? 'BadTopic' : 'TooOld' })
    await stack.database.query(
      `UPDATE messages m SET created_at = '2026-02-08T12:00:00Z'::timestamptz + w.place * interval '1 min'
       FROM unnest($1::uuid[]) WITH ORDINALITY AS w(id, place) WHERE m.id = w.id`,
      [failed],
    )
    const get = (query: Record<string, string>) =>
      api.get(`/push/message/failed?${new URLSearchParams({ appId, ...query }).toString()}`)
    const list = async (query: Record<string, string> = {}) => (await get(query)).body.responseObject
    const idsOf = ({ messages }: { messages: { id: string }[] }) => messages.map(({ id }) => id)
    const whole = await list()
    t.same(idsOf(whole), failed, 'oldest first, none that has reached everybody')
    t.equal(whole.next, undefined)
    t.match(whole.messages[0], {
      userId,
      resendable: true,
      deliveries: [{ status: 'failed', reason: 'BadTopic', attempts: 1 }, {}],
    })
    t.same(idsOf(await list({ reason: 'TooOld' })), failed.slice(1))
    t.same(idsOf(await list({ reason: 'BadTop' })), [])
    t.same(
      idsOf(await list({ from: '2026-02-08T12:02:00Z', to: '2026-02-08T13:04:00+01:00' })),
      failed.slice(1, 3),
      'from, and before',
    )
    const pages: string[][] = []
    for (let after: string | undefined = ''; after !== undefined;) {
      const page: { messages: { id: string }[]; next?: string } = await list({ size: '2', ...(after && { after }) })
      pages.push(idsOf(page))
      after = page.next
    }
    t.same(pages, [failed.slice(0, 2), failed.slice(2, 4), failed.slice(4)])
    violates(t, await get({ from: '2026-02-08T12:00:00' }), ['from', /%2B/])
    violates(t, await get({ to: 'noon' }), ['to', /ISO 8601/])
    violates(t, await get({ after: '12-x' }), ['after', /./])
    refusedWith(t, await api.get('/push/message/failed?appId=nowhere'), 'Application with given ID does not exist')
    await stack.database.query('UPDATE messages SET body = NULL WHERE id = $1', [failed[0]])
    t.match((await list()).messages[0], { resendable: false })
  })

  t.test('resend: to the devices that have it not, as they are now, and to none twice', async (t) => {
    const [got, failed] = [newToken(), newToken()]
    const userId = await phones(got, failed)
    const id = first(await send(userId, { priority: 'NORMAL', attributes: { personal: true } }))
    const planned = async (message: string) =>
      stack.database.query<{ token: string; status: string }>(
        'SELECT token, status FROM deliveries WHERE message_id = $1',
        [message],
      )
    refusedWith(
      t,
      await resend(id),
      'There is no device to send this message to again: each one has it, or is still being pushed to',
    )
    const chunk = await claim(first(await chunksOf(id)))
    const outcomes = chunk.deliveries.map((delivery) => ({
      id: delivery.id,
      attempts: 1,
      nextAttemptAt: null,
      providerId: null,
      ...(delivery.token === got
        ? { status: 'sent' as const, reason: null }
        : { status: 'failed' as const, reason: 'TooOld' }),
    }))
    await store.chunks.record(WORKER, [{ claim: chunk, deliveries: outcomes, release: { dueAt: null } }])

    const responses = await Promise.all(Array.from({ length: 8 }, () => resend(id)))
    const accepted = responses.filter(({ status }) => status === 200)
    t.equal(accepted.length, 1, 'of many at the same moment one is stored')
    for (const { status, headers } of responses.filter(({ status }) => status === 503))
      t.ok(headers.get('retry-after'), `${status}`)
    const again: string = first(accepted).body.responseObject.messageIds[0]
    t.same(first(accepted).body.responseObject.mode, 'ASYNCHRONOUS')
    t.same(await planned(again), [{ token: failed, status: 'pending' }], 'the device without a `sent` alone')
    const [copy] = await stack.database.query('SELECT priority, personal, body FROM messages WHERE id = $1', [again])
    t.same(copy, { priority: 'NORMAL', personal: true, body: { title: 'Hello' } })
    t.equal((await resend(id)).status, 400, 'it is on its way')
    const second = await claim(first(await chunksOf(again)))
    await release(second, {})
    for (const any of [id, again]) t.equal((await resend(any)).status, 400, 'everybody has it, by the one or the other')
    await stack.register({ userId, token: newToken(), activationId: randomUUID() })
    isOk(t, await resend(again), 'a phone that was registered meanwhile')
    t.equal((await resend(randomUUID())).status, 404)
  })

  t.test('resend: under the checks of a new message', async (t) => {
    const userId = await phones(newToken())
    const failedOne = async (more: object = {}) => {
      const id = first(await send(userId, more))
      await release(await claim(first(await chunksOf(id))), { status: 'failed', reason: 'TooOld' })
      return id
    }
    const count = async () => (await stack.database.query('SELECT 1 FROM messages')).length
    const [gone, expired, kept] = [
      await failedOne(),
      await failedOne({ body: { validUntil: isoAfter(60_000) } }),
      await failedOne(),
    ]
    const links = async () => (await stack.database.query('SELECT 1 FROM message_resends')).length
    const [before, linksBefore] = [await count(), await links()]
    await stack.database.query('UPDATE messages SET body = NULL WHERE id = $1', [gone])
    refusedWith(t, await resend(gone), 'The content of this message is not kept any more: it cannot be sent again')
    await stack.database.query("UPDATE messages SET valid_until = now() - interval '1 s' WHERE id = $1", [expired])
    refusedWith(
      t,
      await resend(expired),
      'This message was valid until a time that has passed: it cannot be sent again',
    )
    violates(t, await resend(kept, 'x'.repeat(256)), ['Idempotency-Key', /1 to 255/])
    const large = JSON.stringify({ title: 'x'.repeat(5000) })
    await stack.database.query('UPDATE messages SET body = $2 WHERE id = $1', [kept, large])
    violates(t, await resend(kept), ['message.body', /4096/])
    await stack.database.query(`UPDATE messages SET body = '{"title":"x"}' WHERE id = $1`, [kept])
    t.equal(await count(), before, 'nothing is stored')
    t.equal(await links(), linksBefore, 'and nothing stands in the way of the next one')

    const response = await resend(kept, 'morning')
    isOk(t, response, 'resent')
    await stack.database.query('UPDATE messages SET body = NULL WHERE id = $1', [kept])
    t.same((await resend(kept, 'morning')).body, response.body, 'the same request under its key, whatever has changed')
    t.equal((await resend(gone, 'morning')).status, 409, 'another one under the key')
    t.equal(
      (
        await api.call(
          'POST',
          SEND,
          json({ requestObject: { appId: APP, message: message({ userId }) } }, { 'idempotency-key': 'morning' }),
        )
      ).status,
      409,
    )
  })

  t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))
})

t.test('quotas hold for messages that are sent again', async (t) => {
  const bench = await openBench(t, { services: ['gateway'], environment: { QUOTA_APP_RATE: '1', BATCH_SIZE: '1' } })
  const userId = await bench.phones(newToken())
  const id = first(await bench.send(userId))
  const response = await bench.resend(id)
  t.equal(response.status, 429)
  t.ok(response.headers.get('ratelimit-limit'))
})

t.test('with workers', async (t) => {
  const bench = await openBench(t, {})
  const { stack, phones, send, statusOf, cancel, resend } = bench
  const sentTo = (token: string) => stack.simulator.pushes.filter((push) => push.token === token)
  const ended = async (id: string) => (await statusOf(id)).deliveries.every(({ status }) => status !== 'pending')

  t.test('sendAt: pushed then, not before; cancelled ones never', async (t) => {
    const [token, other] = [newToken(), newToken()]
    const [userId, third] = [await phones(token), await phones(other)]
    const sendAt = isoAfter(1_500)
    const [id, cancelled] = [first(await send(userId, { sendAt })), first(await send(third, { sendAt }))]
    t.same((await cancel(cancelled)).body.responseObject, { cancelled: 1, inDelivery: 0 })
    await waitFor('the push', () => ended(id))
    t.equal(sentTo(token).length, 1)
    t.ok(stack.context.store.clock.now() >= Date.parse(sendAt) - 1_000, 'not before, but for the tolerance of clocks')
    t.match((await statusOf(id)).deliveries, [{ status: 'sent', attempts: 1 }])
    t.equal(sentTo(other).length, 0)
    t.match((await statusOf(cancelled)).deliveries, [{ status: 'failed', reason: 'Cancelled', attempts: 0 }])
  })

  t.test('cancel in the midst of pushing: each delivery says what became of it', async (t) => {
    const tokens = Array.from({ length: 60 }, newToken)
    const users = await Promise.all(tokens.map((token) => phones(token)))
    const outcomes = await Promise.all(
      users.map(async (userId) => {
        const id = first(await send(userId))
        return { id, ...(await cancel(id)).body.responseObject }
      }),
    )
    await waitFor('all ends', async () => (await Promise.all(outcomes.map(({ id }) => ended(id)))).every(Boolean))
    const pushed: number[] = []
    for (const [place, { id, cancelled }] of outcomes.entries()) {
      const { deliveries } = await statusOf(id)
      const [delivery] = deliveries
      const pushes = sentTo(tokens[place] ?? '').length
      pushed.push(pushes)
      t.equal(pushes, delivery?.status === 'sent' ? 1 : 0, `${delivery?.status} ${delivery?.reason}`)
      if (cancelled > 0) t.match(delivery, { status: 'failed', reason: 'Cancelled' })
    }
    t.comment(`${pushed.filter(Boolean).length} of ${tokens.length} were pushed`)
    const open = await stack.database.query('SELECT 1 FROM chunks WHERE settled_at IS NULL')
    t.equal(open.length, 0, 'every chunk has settled')
    const [counts] = await stack.database.query('SELECT sum(total)::int - sum(sent + failed)::int AS left FROM chunks')
    t.same(counts, { left: 0 }, 'and counts what it has')
  })

  t.test('the morning after: what failed is found and sent again', async (t) => {
    const [token, fine] = [newToken(), newToken()]
    const userId = await phones(token, fine)
    stack.simulator.respondTo(token, { status: 413, times: 1 })
    const id = first(await send(userId))
    await waitFor('the failure', () => ended(id))
    const { body } = await bench.api.get(`/push/message/failed?appId=${APP}`)
    const found = body.responseObject.messages.find((each: { id: string }) => each.id === id)
    t.match(found, { resendable: true, deliveries: [{ status: 'failed' }] })
    const response = await resend(id)
    const again: string = response.body.responseObject.messageIds[0]
    await waitFor('the second push', () => ended(again))
    t.match((await statusOf(again)).deliveries, [{ status: 'sent' }])
    t.same([sentTo(fine).length, (await statusOf(again)).deliveries.length], [1, 1], 'the other phone has it once')
  })
})
