// A message's way through the whole test stack, once on each back end of the queues.
import t from 'tap'
import { APP, BACKENDS, generateApnsKey, openTestStack, waitFor, type TestStack } from '@push-server/testing'

const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')
const ZERO = { sent: 0, pending: 0, failed: 0, total: 0 }
const SENT_ONE = { sent: 1, pending: 0, failed: 0, total: 1 }
const FAILED_ONE = { sent: 0, pending: 0, failed: 1, total: 1 }
const PENDING_ONE = { sent: 0, pending: 1, failed: 0, total: 1 }

/** The response to a SYNCHRONOUS send may be there a moment before the pause. */
const pausedOf = (stack: TestStack, appId: string) =>
  waitFor('the pause', async () => (await stack.api.post('/admin/app/detail', { appId })).body.responseObject.paused)

const message = (userId: string, more: object = {}) => ({
  userId,
  body: { title: 'Balance update', body: '$745.00' },
  ...more,
})
const send = (stack: TestStack, message: object, more: object = {}) =>
  stack.api.post('/push/message/send', { appId: APP, message, ...more })
const received = (stack: TestStack, expected: string) =>
  stack.simulator.pushes.filter((push) => push.token === expected)

const deliveriesOf = (stack: TestStack, messageId: string) =>
  stack.database.query<{ status: string; reason: string | null; attempts: number; provider_id: string | null }>(
    'SELECT status, reason, attempts, provider_id FROM deliveries WHERE message_id = $1 ORDER BY id',
    [messageId],
  )

for (const backend of BACKENDS) {
  t.test(`journeys on ${backend.name}`, { skip: backend.skip }, async (t) => {
    const stack = await openTestStack({ backend })
    t.teardown(() => stack.close())
    await stack.configure()

    t.test('synchronous: the phone has it when the response arrives', async (t) => {
      await stack.register({ userId: 'sync', token: token('sync') })
      const { status, body } = await send(stack, message('sync'))
      t.equal(status, 200)
      t.match(body.responseObject, { mode: 'SYNCHRONOUS', result: { ios: SENT_ONE, android: ZERO, huawei: ZERO } })
      t.same(body.responseObject.ios, SENT_ONE, 'mirrored flat under the older name')
      t.same(body.responseObject.apns, SENT_ONE, 'and under the newer one')
      const [push, ...others] = received(stack, token('sync'))
      t.match(push, {
        headers: { 'apns-topic': 'com.example.app' },
        payload: { aps: { alert: { title: 'Balance update', body: '$745.00' } } },
      })
      t.equal(others.length, 0)
      const [delivery] = await deliveriesOf(stack, body.responseObject.messageIds[0])
      t.match(delivery, { status: 'sent', reason: null, attempts: 1 })
      t.equal(delivery?.provider_id, push?.headers['apns-id'], 'the provider’s name for it is kept')
    })

    t.test('three platforms: each phone has it, and an error of one does not touch the others', async (t) => {
      const platforms = ['ios', 'android', 'huawei'] as const
      await stack.configure('three', platforms)
      for (const platform of platforms)
        await stack.register({ userId: 'three', token: token(platform), platform, appId: 'three' })
      const toThree = {
        appId: 'three',
        message: message('three', { body: { title: 'Hello', body: 'World', badge: 2 } }),
      }
      const { body } = await stack.api.post('/push/message/send', toThree)
      t.same(body.responseObject.result, { ios: SENT_ONE, android: SENT_ONE, huawei: SENT_ONE })
      for (const platform of platforms) t.equal(received(stack, token(platform)).length, 1, platform)

      stack.simulator.respondTo(token('android'), { status: 401, reason: 'UNAUTHENTICATED' })
      const failing = await stack.api.post('/push/message/send', toThree)
      t.same(failing.body.responseObject.result, { ios: SENT_ONE, android: PENDING_ONE, huawei: SENT_ONE })
      t.same(Object.keys(await pausedOf(stack, 'three')), ['android'])
    })

    t.test('access tokens that expire in between are renewed, and nothing fails', async (t) => {
      const platforms = ['android', 'huawei'] as const
      await stack.configure('renewing', platforms)
      for (const platform of platforms)
        await stack.register({ userId: 'renewing', token: token(`r-${platform}`), platform, appId: 'renewing' })
      for (let round = 1; round <= 2; round++) {
        const { body } = await stack.api.post('/push/message/send', { appId: 'renewing', message: message('renewing') })
        t.same(body.responseObject.result, { ios: ZERO, android: SENT_ONE, huawei: SENT_ONE }, `round ${round}`)
        stack.simulator.expireTokens()
      }
    })

    t.test('asynchronous: a response at once, delivered afterwards', async (t) => {
      await stack.register({ userId: 'async', token: token('async') })
      for (const mode of ['ASYNCHRONOUS', null]) {
        const { body } = await send(stack, message('async'), { mode })
        t.equal(body.responseObject.messageIds.length, 1)
        t.notOk(body.responseObject.result, 'no counters')
        t.equal(body.responseObject.mode ?? null, mode)
      }
      await stack.simulator.waitFor(() => received(stack, token('async')).length === 2)
    })

    t.test('a batch of 20 is summed up', async (t) => {
      const users = Array.from({ length: 20 }, (_, index) => `batch-${index}`)
      for (const userId of users) await stack.register({ userId, token: token(userId) })
      const batch = users.map((userId) => message(userId))
      const { body } = await stack.api.post('/push/message/batch/send', { appId: APP, batch })
      t.same(body.responseObject.result.ios, { sent: 20, pending: 0, failed: 0, total: 20 })
      t.equal(new Set(body.responseObject.messageIds).size, 20)
      const chunks = await stack.database.query('SELECT 1 FROM chunks WHERE total = 20')
      t.equal(chunks.length, 1, 'one chunk for the whole request')
    })

    t.test('personal: not to a device whose activation is not ACTIVE', async (t) => {
      await stack.register({ userId: 'personal', token: token('blocked'), status: 'BLOCKED' })
      await stack.register({ userId: 'personal', token: token('active') })
      const { body } = await send(stack, message('personal', { attributes: { personal: true } }))
      t.same(body.responseObject.result.ios, SENT_ONE, 'the other one is not counted')
      const deliveries = await deliveriesOf(stack, body.responseObject.messageIds[0])
      t.same(deliveries.map(({ status, reason }) => [status, reason]).sort(), [
        ['sent', null],
        ['skipped', 'NotActive'],
      ])
      t.equal(received(stack, token('blocked')).length, 0)
      const plain = await send(stack, message('personal'))
      t.equal(plain.body.responseObject.result.ios.sent, 2, 'what is not personal goes to both')
    })

    t.test('targeted: only the device of the activation', async (t) => {
      await stack.register({ userId: 'targeted', token: token('one'), activationId: 'activation-one' })
      await stack.register({ userId: 'targeted', token: token('two'), activationId: 'activation-two' })
      const { body } = await send(stack, message('targeted', { activationId: 'activation-two' }))
      t.same(body.responseObject.result.ios, SENT_ONE)
      t.equal(received(stack, token('one')).length, 0)
      t.equal(received(stack, token('two')).length, 1)
      const none = await send(stack, message('targeted', { activationId: '' }))
      t.same(none.body.responseObject.result.ios, ZERO, 'the empty one matches none')
    })

    t.test('two rows of one token: one push', async (t) => {
      await stack.register({ userId: 'twice', token: token('first'), activationId: 'activation-a' })
      await stack.register({ userId: 'twice', token: token('twice'), activationId: 'activation-b' })
      await stack.database.query("UPDATE devices SET token = $1 WHERE activation_id = 'activation-a'", [token('twice')])
      const { body } = await send(stack, message('twice'))
      t.same(body.responseObject.result.ios, SENT_ONE)
      t.equal(received(stack, token('twice')).length, 1)
    })

    t.test('nobody there: all zeros', async (t) => {
      const { status, body } = await send(stack, message('nobody'))
      t.equal(status, 200)
      t.same(body.responseObject.result, { ios: ZERO, android: ZERO, huawei: ZERO })
    })

    t.test('a token called unregistered is dropped softly, and back after a new registration', async (t) => {
      const dead = `faded410${token('dead').slice(8)}`
      await stack.register({ userId: 'dead', token: dead })
      const { body } = await send(stack, message('dead'))
      t.same(body.responseObject.result.ios, FAILED_ONE)
      const read = () =>
        stack.database.query<{ dropped: boolean; drop_reason: string }>(
          'SELECT dropped_at IS NOT NULL AS dropped, drop_reason FROM devices WHERE token = $1',
          [dead],
        )
      t.same(await read(), [{ dropped: true, drop_reason: 'Unregistered' }])
      const again = await send(stack, message('dead'))
      t.same(again.body.responseObject.result.ios, ZERO, 'no longer a device of the user')
      await stack.register({ userId: 'dead', token: dead })
      t.same(await read(), [{ dropped: false, drop_reason: null }])
    })

    t.test(
      'a token that our own configuration can make bad is dropped while the circuit breaker is closed',
      async (t) => {
        const doubtful = `faded400${token('doubtful').slice(8)}`
        await stack.register({ userId: 'doubtful', token: doubtful })
        const { body } = await send(stack, message('doubtful'))
        t.same(body.responseObject.result.ios, FAILED_ONE)
        const rows = await stack.database.query('SELECT drop_reason, drop_doubtful FROM devices WHERE token = $1', [
          doubtful,
        ])
        t.same(rows, [{ drop_reason: 'BadDeviceToken', drop_doubtful: true }])
      },
    )

    t.test('credentials missing: counted as failed', async (t) => {
      await stack.context.store.applications.create('bare')
      await stack.register({ userId: 'bare', token: token('bare'), appId: 'bare' })
      const { body } = await stack.api.post('/push/message/send', { appId: 'bare', message: message('bare') })
      t.same(body.responseObject.result.ios, FAILED_ONE)
      t.match(await deliveriesOf(stack, body.responseObject.messageIds[0]), [
        { status: 'failed', reason: 'NotConfigured' },
      ])
    })

    t.test('an expired validUntil: one attempt, nothing kept by the provider, no retry', async (t) => {
      const past = { body: { title: 'Old news', validUntil: '2016-10-12T11:20:04Z' } }
      await stack.register({ userId: 'past', token: token('past') })
      const { body } = await send(stack, message('past', past))
      t.same(body.responseObject.result.ios, SENT_ONE)
      t.equal(received(stack, token('past'))[0]?.headers['apns-expiration'], '0')
      const busy = `faded503${token('busy').slice(8)}`
      await stack.register({ userId: 'busy', token: busy })
      const refused = await send(stack, message('busy', past))
      t.same(refused.body.responseObject.result.ios, FAILED_ONE)
    })

    t.test('busy provider: pending in the response, delivered by a later attempt under the same id', async (t) => {
      const slow = token('slow')
      await stack.register({ userId: 'slow', token: slow })
      stack.simulator.respondTo(slow, { status: 503, reason: 'ServiceUnavailable', times: 1 })
      const { body } = await send(stack, message('slow'))
      t.same(body.responseObject.result.ios, PENDING_ONE)
      const [messageId] = body.responseObject.messageIds
      const sent = await waitFor('the second attempt', async () => {
        const [delivery] = await deliveriesOf(stack, messageId)
        return delivery?.status === 'sent' && delivery
      })
      t.equal(sent.attempts, 2)
      t.equal(received(stack, slow).length, 1)
    })

    t.test('a next attempt after validUntil is not made', async (t) => {
      const waiting = token('waiting')
      await stack.register({ userId: 'waiting', token: waiting })
      stack.simulator.respondTo(waiting, { status: 503, reason: 'ServiceUnavailable', retryAfter: 600, times: 1 })
      const validUntil = new Date(Date.now() + 300_000).toISOString()
      const { body } = await send(stack, message('waiting', { body: { title: 'Soon over', validUntil } }))
      t.same(body.responseObject.result.ios, FAILED_ONE)
      t.match(await deliveriesOf(stack, body.responseObject.messageIds[0]), [{ status: 'failed', reason: 'Expired' }])
    })

    t.test('credentials error: the platform is paused, nothing is lost, new credentials end it', async (t) => {
      await stack.configure('paused-app')
      const held = token('held')
      await stack.register({ userId: 'held', token: held, appId: 'paused-app' })
      stack.simulator.respondTo(held, { status: 403, reason: 'InvalidProviderToken' })
      const toPaused = { appId: 'paused-app', message: message('held') }
      const first = await stack.api.post('/push/message/send', toPaused)
      t.same(first.body.responseObject.result.ios, PENDING_ONE)
      t.equal((await pausedOf(stack, 'paused-app')).ios.reason, 'InvalidProviderToken')
      const listed = await stack.api.get('/admin/app/list')
      t.match(
        listed.body.responseObject.applicationList.filter(({ appId }: { appId: string }) => appId === 'paused-app'),
        [{ appId: 'paused-app', paused: { ios: { lanes: 'all', reason: 'InvalidProviderToken' } } }],
        'the list of applications shows which are paused',
      )
      t.match(
        await stack.context.metrics.text(),
        /^push_paused\{platform="ios",application="paused-app",lanes="all",reason="InvalidProviderToken"\} 1$/m,
      )
      const second = await stack.api.post('/push/message/send', toPaused)
      t.same(second.body.responseObject.result.ios, PENDING_ONE, 'a response at once while paused')
      for (const { body } of [first, second])
        t.match(
          (await stack.api.get(`/push/message/${body.responseObject.messageIds[0]}`)).body.responseObject.deliveries,
          [{ status: 'pending', reason: 'Paused: InvalidProviderToken', timestampNextAttempt: String }],
          'the status says why it waits, and until when',
        )
      stack.simulator.forgetResponses(held)
      const update = await stack.api.post('/admin/app/ios/update', {
        appId: 'paused-app',
        bundle: 'com.example.other',
        keyId: 'KEYID67890',
        teamId: 'TEAMID1234',
        privateKeyBase64: Buffer.from(generateApnsKey()).toString('base64'),
      })
      t.equal(update.status, 200)
      await stack.simulator.waitFor(() => received(stack, held).length === 2)
      const after = await stack.api.post('/admin/app/detail', { appId: 'paused-app' })
      t.notOk(after.body.responseObject.paused)
      t.match(received(stack, held)[0], { headers: { 'apns-topic': 'com.example.other' } }, 'by the new credentials')
    })
  })

  t.test(
    `synchronous past its time on ${backend.name}: pending, and still delivered`,
    { skip: backend.skip },
    async (t) => {
      const stack = await openTestStack({ backend, environment: { SYNC_TIMEOUT: '300ms' } })
      t.teardown(() => stack.close())
      await stack.configure()
      await stack.register({ userId: 'late', token: token('late') })
      stack.simulator.setLatency(2_000)
      const { body } = await send(stack, message('late'))
      t.same(body.responseObject.result.ios, PENDING_ONE)
      await waitFor('the delivery', async () => {
        const [delivery] = await deliveriesOf(stack, body.responseObject.messageIds[0])
        return delivery?.status === 'sent'
      })
      t.equal(received(stack, token('late')).length, 1)
    },
  )

  t.test(`a queue without a worker on ${backend.name}`, { skip: backend.skip }, async (t) => {
    const stack = await openTestStack({ backend, services: ['gateway'] })
    t.teardown(() => stack.close())
    await stack.configure()
    await stack.register({ userId: 'queued', token: token('queued') })

    const validUntil = Date.now() + 2_000
    const late = message('queued', { body: { title: 'Too late', validUntil: validUntil / 1000 } })
    const accepted = await send(stack, late, { mode: 'ASYNCHRONOUS' })
    await waitFor('validUntil', () => Date.now() > validUntil)
    await stack.start('apns')
    await waitFor('the end', async () => {
      const [delivery] = await deliveriesOf(stack, accepted.body.responseObject.messageIds[0])
      return delivery?.status === 'failed' && delivery.reason === 'Expired'
    })
    t.equal(stack.simulator.pushes.length, 0, 'what expired while it waited is not pushed')
  })
}
