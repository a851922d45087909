// C-30 to C-39: messages to single users and in batches.
import { randomUUID } from 'node:crypto'
import { newToken } from '../_gateway.ts'
import { isOk, refusedWith } from '../_watched-api.ts'
import {
  BODY,
  FAMILIES,
  inEachForm,
  messageIdsOf,
  PLATFORMS,
  PROVIDERS,
  resultOf,
  ZERO,
  type Check,
  type Checks,
  type Target,
} from './_target.ts'

const SEND = '/push/message/send'
const BATCH = '/push/message/batch/send'
const ZEROS = { ios: ZERO, android: ZERO, huawei: ZERO }
const nested = (index: number, text: string) => `Push message at index: ${index} is not valid. Nested error is: ${text}`

/** A phone on each platform. */
async function phones({ register }: Target, userId: string): Promise<void> {
  for (const platform of PLATFORMS) await register({ userId, platform, token: newToken(), activationId: randomUUID() })
}

const respondsWith =
  (members: readonly string[]): Check =>
  async (t, target) => {
    const userId = randomUUID()
    await phones(target, userId)
    const response = await target.api.post(SEND, { appId: target.appId, message: { userId, body: BODY } })
    const { responseObject } = response.body
    t.same(Object.keys(responseObject).toSorted(), members.toSorted())
    t.equal(responseObject.mode, 'SYNCHRONOUS')
    t.equal(messageIdsOf(target, response).length, 1)
    const result = resultOf(target.form, responseObject)
    for (const [index, platform] of PLATFORMS.entries()) {
      const { sent, pending, failed, total } = result[platform]
      t.same([total, sent + pending + failed], [1, 1], platform)
      for (const name of [PLATFORMS[index], PROVIDERS[index]])
        if (name !== undefined && members.includes(name)) t.same(responseObject[name], result[platform], name)
    }
  }

const acceptsIn =
  (mode: string | null) =>
  (members: readonly string[]): Check =>
  async (t, target) => {
    const message = { userId: randomUUID(), body: BODY }
    const response = await target.api.post(SEND, { appId: target.appId, mode, message })
    const { responseObject } = response.body
    t.same([response.status, Object.keys(responseObject).toSorted()], [200, members])
    t.equal(responseObject.mode ?? null, mode)
    t.equal(messageIdsOf(target, response).length, 1)
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
  ...inEachForm(
    'C-31 send: the counters under the names of the form, and no other member (Send result)',
    {
      '1.9': ['mode', ...FAMILIES['1.9']],
      '1.10': ['mode', ...FAMILIES['1.10']],
      all: ['mode', 'messageIds', 'result', ...FAMILIES.all],
    },
    respondsWith,
  ),
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
  ...inEachForm(
    'C-35 send: ASYNCHRONOUS (messageIds)',
    { '1.9': ['mode'], '1.10': ['mode'], all: ['messageIds', 'mode'] },
    acceptsIn('ASYNCHRONOUS'),
  ),
  ...inEachForm(
    'C-36 send: a mode of null (messageIds)',
    { '1.9': [], '1.10': [], all: ['messageIds'] },
    acceptsIn(null),
  ),
  'C-37 batch: of none, of 20 and of 21': async (t, target) => {
    const { api, appId } = target
    const batchOf = (length: number) => Array.from({ length }, () => ({ userId: randomUUID(), body: BODY }))
    refusedWith(t, await api.post(BATCH, { appId, batch: [] }), 'There are no push messages in the batch.')
    const response = await api.post(BATCH, { appId, mode: 'ASYNCHRONOUS', batch: batchOf(20) })
    t.equal(messageIdsOf(target, response).length, 20)
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
    const result = resultOf(target.form, body.responseObject)
    for (const platform of PLATFORMS) t.equal(result[platform].total, 2, platform)
  },
}
