// C-30 to C-39: messages to single users and in batches.
import { randomUUID } from 'node:crypto'
import { newToken } from '../_gateway.ts'
import { isOk, refusedWith } from '../_watched-api.ts'
import { BODY, PLATFORMS, ZERO, type Checks, type Target } from './_target.ts'

const SEND = '/push/message/send'
const BATCH = '/push/message/batch/send'
const ZEROS = { ios: ZERO, android: ZERO, huawei: ZERO }
const nested = (index: number, text: string) => `Push message at index: ${index} is not valid. Nested error is: ${text}`

/** A phone on each platform. */
async function phones({ register }: Target, userId: string): Promise<void> {
  for (const platform of PLATFORMS) await register({ userId, platform, token: newToken(), activationId: randomUUID() })
}

export const messageChecks: Checks = {
  'C-30 send: refusals in their order': async (t, { api, appId }) => {
    for (const [object, text] of [
      [null, 'Request object must not be empty'],
      [{}, 'Message must not be empty'],
      [{ message: {} }, 'App ID must not be null.'],
      [{ appId: 'nowhere', message: {} }, 'Push message payload (body) must not be null.'],
      [{ appId: 'nowhere', message: { body: {} } }, 'Push message must contain a user ID.'],
      [{ appId: 'nowhere', message: { body: {}, userId: '' } }, 'AppCredentials not found: nowhere'],
      [{ appId, message: { body: {}, userId: '' } }, 'No userId was specified'],
    ] as const)
      refusedWith(t, await api.post(SEND, object), text)
  },
  'C-31 send: the result, and flat under both families of names (Send result)': async (t, target) => {
    const userId = randomUUID()
    await phones(target, userId)
    const { mode, messageIds, result, ...flat } = await target.send({ userId })
    t.equal(mode, 'SYNCHRONOUS')
    t.equal(messageIds.length, 1)
    t.same(Object.keys(result), PLATFORMS)
    for (const platform of PLATFORMS) {
      const { sent, pending, failed, total } = result[platform]
      t.same([total, sent + pending + failed], [1, 1], platform)
    }
    const { ios, android, huawei } = result
    t.same(flat, { ios, android, huawei, apns: ios, fcm: android, hms: huawei })
  },
  'C-32 send: to nobody': async (t, { send }) => {
    t.same((await send({ userId: randomUUID() })).result, ZEROS)
  },
  'C-33 send: a personal one to who is not active is not counted': async (t, { register, send }) => {
    const userId = randomUUID()
    isOk(t, await register({ userId, token: newToken(), activationId: randomUUID() }), 'active')
    const blocked = { userId, token: newToken(), activationId: randomUUID(), activationStatus: 'BLOCKED' }
    isOk(t, await register(blocked), 'not active')
    t.equal((await send({ userId, attributes: { personal: true } })).result.ios.total, 1)
    t.equal((await send({ userId, attributes: { personal: false } })).result.ios.total, 2)
  },
  'C-34 send: to one activation': async (t, { register, reach }) => {
    const [userId, activationId] = [randomUUID(), randomUUID()]
    for (const id of [activationId, randomUUID()])
      isOk(t, await register({ userId, token: newToken(), activationId: id }), 'registered')
    t.same([await reach(userId), await reach(userId, activationId), await reach(userId, '')], [2, 1, 0])
    t.equal(await reach(randomUUID(), activationId), 0, 'of another user')
  },
  'C-35 send: ASYNCHRONOUS (messageIds)': async (t, { api, appId }) => {
    const { status, body } = await api.post(SEND, {
      appId,
      mode: 'ASYNCHRONOUS',
      message: { userId: randomUUID(), body: BODY },
    })
    t.equal(status, 200)
    t.same(Object.keys(body.responseObject).toSorted(), ['messageIds', 'mode'])
    t.equal(body.responseObject.mode, 'ASYNCHRONOUS')
  },
  'C-36 send: a mode of null (messageIds)': async (t, { api, appId }) => {
    const { status, body } = await api.post(SEND, { appId, mode: null, message: { userId: randomUUID(), body: BODY } })
    t.same([status, Object.keys(body.responseObject)], [200, ['messageIds']])
  },
  'C-37 batch: of none, of 20 and of 21': async (t, { api, appId }) => {
    const batchOf = (length: number) => Array.from({ length }, () => ({ userId: randomUUID(), body: BODY }))
    refusedWith(t, await api.post(BATCH, { appId, batch: [] }), 'There are no push messages in the batch.')
    const { body } = await api.post(BATCH, { appId, mode: 'ASYNCHRONOUS', batch: batchOf(20) })
    t.equal(body.responseObject.messageIds.length, 20)
    refusedWith(
      t,
      await api.post(BATCH, { appId, batch: batchOf(21) }),
      'Too many messages in batch - do no send more than 20 messages at once to avoid server congestion.',
    )
  },
  'C-38 batch: the wrong item is named, and nothing is sent (Batch)': async (t, { api, appId }) => {
    const good = { userId: randomUUID(), body: BODY }
    for (const [index, item, text] of [
      [1, null, 'Push message must not be null.'],
      [1, { userId: 'u' }, 'Push message payload (body) must not be null.'],
      [1, { body: {} }, 'Push message must contain a user ID.'],
    ] as const)
      refusedWith(t, await api.post(BATCH, { appId, batch: [good, item] }), nested(index, text))
    const unnamed = { userId: '', body: BODY }
    refusedWith(t, await api.post(BATCH, { appId, batch: [good, unnamed] }), 'No userId was specified')
  },
  'C-39 batch: counters are sums': async (t, target) => {
    const users = [randomUUID(), randomUUID()]
    for (const userId of users) await phones(target, userId)
    const batch = users.map((userId) => ({ userId, body: BODY }))
    const { body } = await target.api.post(BATCH, { appId: target.appId, batch })
    for (const platform of PLATFORMS) t.equal(body.responseObject.result[platform].total, 2, platform)
  },
}
