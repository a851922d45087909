// A message that waits is for the person it was sent to: what became of the phone meanwhile decides at the push.
import type { Platform } from '@push-server/contract'
import t, { type Test } from 'tap'
import { APP, openTestStack, waitFor, type TestStack, type TestStackOptions } from '@push-server/testing'

t.setTimeout(1_800_000)

const token = (name: string) => Buffer.from(name).toString('hex').padEnd(64, '0')

async function open(t: Test, options: TestStackOptions = {}): Promise<TestStack> {
  const stack = await openTestStack(options)
  t.teardown(() => stack.close())
  await stack.configure(APP, ['ios', 'android', 'huawei'])
  return stack
}

async function send({ api }: TestStack, userId: string, more: object = {}, attributes: object = {}): Promise<string> {
  const message = { userId, body: { title: `For ${userId}` }, attributes, ...more }
  const { status, body } = await api.post('/push/message/send', { appId: APP, mode: 'ASYNCHRONOUS', message })
  if (status !== 200) throw new Error(JSON.stringify(body))
  return body.responseObject.messageIds[0]
}

const deliveriesOf = ({ database }: TestStack, messageId: string) =>
  database.query<{ status: string; reason: string | null; token: string }>(
    'SELECT status, reason, token FROM deliveries WHERE message_id = $1 ORDER BY position',
    [messageId],
  )

const finished = (stack: TestStack, messageId: string) =>
  waitFor('the deliveries to have their outcome', async () => {
    const deliveries = await deliveriesOf(stack, messageId)
    return deliveries.length > 0 && deliveries.every(({ status }) => status !== 'pending') && deliveries
  })

/** What phones have shown: [token, title]. */
const shown = ({ simulator }: TestStack) =>
  simulator.pushes.map(({ token, payload }) => {
    const { aps } = payload as { aps?: { alert?: { title?: string } } }
    return [token, aps?.alert?.title]
  })

const remove = ({ api }: TestStack, removed: string) => api.post('/push/device/delete', { appId: APP, token: removed })
/** A bare object, as PowerAuth Server sends it. */
const block = ({ api }: TestStack, activationId: string) =>
  api.call('POST', '/push/device/status/update', {
    body: JSON.stringify({ activationId, activationStatus: 'BLOCKED' }),
  })

interface Fate {
  /** Of the message: what stands beside its user. */
  message?: object
  attributes?: object
  /** Further devices of the user, beside the phone under activation `a1`. */
  more?: { token: string; activationId: string; platform?: Platform }[]
  meanwhile(stack: TestStack): Promise<unknown>
  /** Status and reason by delivery. */
  outcome: [status: string, reason: string | null][]
  pushedTo: string[]
}

const P = token('phone')
const NEW = token('new')
const personal = { attributes: { personal: true } }
const named = { message: { activationId: 'a1' } }

const FATES: Record<string, Fate> = {
  'removed, then registered for another user': {
    async meanwhile(stack) {
      await remove(stack, P)
      await stack.register({ userId: 'user-2', token: P, activationId: 'a2' })
    },
    outcome: [['failed', 'DeviceReassigned']],
    pushedTo: [],
  },
  'taken over by another user': {
    meanwhile: (stack) => stack.register({ userId: 'user-2', token: P, activationId: 'a2' }),
    outcome: [['failed', 'DeviceReassigned']],
    pushedTo: [],
  },
  'the activation belongs to another user': {
    meanwhile: (stack) => stack.register({ userId: 'user-2', token: P, activationId: 'a1' }),
    outcome: [['failed', 'DeviceReassigned']],
    pushedTo: [],
  },
  removed: {
    meanwhile: (stack) => remove(stack, P),
    outcome: [['failed', 'DeviceRemoved']],
    pushedTo: [],
  },
  dropped: {
    meanwhile: ({ database }) => database.query('UPDATE devices SET dropped_at = now()'),
    outcome: [['failed', 'DeviceRemoved']],
    pushedTo: [],
  },
  'moved to another application': {
    async meanwhile(stack) {
      await stack.configure('other', ['ios'])
      await stack.register({ userId: 'user-1', token: P, activationId: 'a1', appId: 'other' })
    },
    outcome: [['failed', 'DeviceRemoved']],
    pushedTo: [],
  },
  'blocked, the message is personal': {
    ...personal,
    meanwhile: (stack) => block(stack, 'a1'),
    outcome: [['failed', 'NotActive']],
    pushedTo: [],
  },
  'blocked, the message is not personal': {
    meanwhile: (stack) => block(stack, 'a1'),
    outcome: [['sent', null]],
    pushedTo: [P],
  },
  'logged out and in again': {
    async meanwhile(stack) {
      await remove(stack, P)
      await stack.register({ userId: 'user-1', token: P, activationId: 'a9' })
    },
    outcome: [['sent', null]],
    pushedTo: [P],
  },
  'logged out and in again, blocked, the message is personal': {
    ...personal,
    async meanwhile(stack) {
      await remove(stack, P)
      await stack.register({ userId: 'user-1', token: P, activationId: 'a9', status: 'BLOCKED' })
    },
    outcome: [['failed', 'NotActive']],
    pushedTo: [],
  },
  'logged out and in again, the message named the activation': {
    ...named,
    async meanwhile(stack) {
      await remove(stack, P)
      await stack.register({ userId: 'user-1', token: P, activationId: 'a9' })
    },
    outcome: [['failed', 'DeviceRemoved']],
    pushedTo: [],
  },
  'another activation has taken the device over, the message named the activation': {
    ...named,
    meanwhile: (stack) => stack.register({ userId: 'user-1', token: P, activationId: 'a9' }),
    outcome: [['failed', 'DeviceRemoved']],
    pushedTo: [],
  },
  'a new token': {
    meanwhile: (stack) => stack.register({ userId: 'user-1', token: NEW, activationId: 'a1' }),
    outcome: [['sent', null]],
    pushedTo: [NEW],
  },
  'a new token that another delivery of the message has': {
    more: [{ token: NEW, activationId: 'b1' }],
    meanwhile: (stack) => stack.register({ userId: 'user-1', token: NEW, activationId: 'a1' }),
    outcome: [
      ['failed', 'TokenReplaced'],
      ['sent', null],
    ],
    pushedTo: [NEW],
  },
  'two devices with one new token': {
    more: [{ token: token('second'), activationId: 'b1' }],
    async meanwhile(stack) {
      await stack.register({ userId: 'user-1', token: NEW, activationId: 'a1' })
      await stack.register({ userId: 'user-1', token: NEW, activationId: 'b1' })
    },
    outcome: [
      ['failed', 'TokenReplaced'],
      ['sent', null],
    ],
    pushedTo: [NEW],
  },
  'two devices that have exchanged their tokens': {
    more: [{ token: NEW, activationId: 'b1' }],
    async meanwhile(stack) {
      await stack.register({ userId: 'user-1', token: NEW, activationId: 'a1' })
      await stack.register({ userId: 'user-1', token: P, activationId: 'b1' })
    },
    outcome: [
      ['failed', 'TokenReplaced'],
      ['failed', 'TokenReplaced'],
    ],
    pushedTo: [],
  },
  'the same token in another spelling': {
    meanwhile: ({ database }) => database.query('UPDATE devices SET token = upper(token)'),
    outcome: [['sent', null]],
    pushedTo: [P],
  },
  'a phone of another platform': {
    meanwhile: (stack) => stack.register({ userId: 'user-1', token: 'droid', activationId: 'a1', platform: 'android' }),
    outcome: [['failed', 'TokenReplaced']],
    pushedTo: [],
  },
}

t.test('a direct message waits, and meanwhile the device is', async (t) => {
  const stack = await open(t, { services: ['gateway', 'scheduler'] })
  for (const [name, { message = {}, attributes = {}, more = [], meanwhile, outcome, pushedTo }] of Object.entries(
    FATES,
  ))
    await t.test(name, async (t) => {
      await stack.database.query('TRUNCATE devices, messages, deliveries, chunks')
      const before = stack.simulator.pushes.length
      await stack.register({ userId: 'user-1', token: P, activationId: 'a1' })
      for (const device of more) await stack.register({ userId: 'user-1', ...device })
      const messageId = await send(stack, 'user-1', message, attributes)
      await meanwhile(stack)
      const stopWorker = await stack.start('apns')
      const deliveries = await finished(stack, messageId)
      await stopWorker()
      t.same(deliveries.map(({ status, reason }) => [status, reason]).toSorted(), outcome.toSorted())
      t.same(
        stack.simulator.pushes.slice(before).map(({ token: pushed }) => pushed),
        pushedTo,
      )
      const [chunk] = await stack.database.query<{ settled: boolean; total: number; done: number }>(
        'SELECT settled_at IS NOT NULL AS settled, total, sent + failed AS done FROM chunks',
      )
      t.match(chunk, { settled: true, total: outcome.length, done: outcome.length }, 'the figures add up')
    })
})

t.test('the provider refuses for a while, and the phone changes hands', async (t) => {
  const stack = await open(t)
  await stack.register({ userId: 'user-1', token: P, activationId: 'a1' })
  stack.simulator.respondTo(P, { status: 503, retryAfter: 1 })
  const messageId = await send(stack, 'user-1', {}, { personal: true })
  await waitFor('the provider to refuse', () => stack.simulator.stats().ios.requests > 0)
  await remove(stack, P)
  await stack.register({ userId: 'user-2', token: P, activationId: 'a2' })
  stack.simulator.forgetResponses(P)
  t.match(await finished(stack, messageId), [{ status: 'failed', reason: 'DeviceReassigned' }])
  const theirs = await send(stack, 'user-2', {}, { personal: true })
  t.match(await finished(stack, theirs), [{ status: 'sent' }])
  t.same(shown(stack), [[P, 'For user-2']])
})

t.test('a platform that was paused is resumed', async (t) => {
  const stack = await open(t)
  await stack.register({ userId: 'user-1', token: P, activationId: 'a1' })
  stack.simulator.respondTo(P, { status: 403, reason: 'InvalidProviderToken' })
  const messageId = await send(stack, 'user-1')
  await waitFor(
    'the pause',
    async () => (await stack.api.post('/admin/app/detail', { appId: APP })).body.responseObject.paused,
  )
  await remove(stack, P)
  await stack.register({ userId: 'user-2', token: P, activationId: 'a2' })
  stack.simulator.forgetResponses(P)
  await stack.api.post('/admin/app/ios/resume', { appId: APP })
  t.match(await finished(stack, messageId), [{ status: 'failed', reason: 'DeviceReassigned' }])
  t.same(shown(stack), [])
})

interface Campaign {
  id: string
  /** By name of the user. */
  failures(): Promise<Record<string, string>>
}

async function startCampaign(stack: TestStack, users: readonly string[], query = ''): Promise<Campaign> {
  const { api, database } = stack
  const { body } = await api.post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const id: string = body.responseObject.id
  await api.post(`/push/campaign/${id}/user/add`, users)
  await api.call('POST', `/push/campaign/send/live/${id}${query}`)
  return {
    id,
    async failures() {
      const rows = await database.query<{ user: string; reason: string }>(
        `SELECT c.user_ids[n] AS user, c.reason_names[get_byte(c.outcomes, n - 1) - 1] AS reason
         FROM chunks c, generate_series(1, c.total) AS n WHERE c.run_id IS NOT NULL AND get_byte(c.outcomes, n - 1) >= 2`,
      )
      return Object.fromEntries(rows.map(({ user, reason }) => [user, reason]))
    },
  }
}

const stateOf = async ({ api }: TestStack, id: string) =>
  (await api.get(`/push/campaign/${id}/detail`)).body.responseObject

t.test('a campaign waits for its workers, is held and resumed', async (t) => {
  for (const held of [false, true])
    await t.test(held ? 'held' : 'not held', async (t) => {
      const stack = await open(t, { services: ['gateway', 'scheduler'] })
      const users = ['stays', 'returns', 'leaves', 'hands-over', 'replaces', 'dropped']
      for (const name of users) await stack.register({ userId: name, token: token(name), activationId: name })
      const campaign = await startCampaign(stack, users)
      await waitFor('the fan-out', async () => (await stateOf(stack, campaign.id)).state === 'sending')
      if (held) await stack.api.call('POST', `/push/campaign/${campaign.id}/pause`)
      await remove(stack, token('returns'))
      await stack.register({ userId: 'returns', token: token('returns'), activationId: 'returned' })
      await remove(stack, token('leaves'))
      await stack.register({ userId: 'another', token: token('hands-over'), activationId: 'another' })
      await stack.register({ userId: 'replaces', token: token('replaced'), activationId: 'replaces' })
      await stack.database.query('UPDATE devices SET dropped_at = now() WHERE token = $1', [token('dropped')])
      await stack.database.query('UPDATE devices SET token = upper(token) WHERE token = $1', [token('stays')])
      await stack.start('apns')
      if (held) await stack.api.call('POST', `/push/campaign/${campaign.id}/resume`)
      const { result } = await waitFor('the campaign to be sent', async () => {
        const campaignState = await stateOf(stack, campaign.id)
        return campaignState.state === 'sent' && campaignState
      })
      t.match(result.ios, { sent: 2, pending: 0, failed: 4, total: 6 }, 'the figures add up')
      t.same(await campaign.failures(), {
        leaves: 'DeviceRemoved',
        'hands-over': 'DeviceReassigned',
        replaces: 'TokenReplaced',
        dropped: 'DeviceRemoved',
      })
      t.same(
        shown(stack)
          .map(([pushed]) => pushed)
          .toSorted(),
        [token('returns'), token('stays')].toSorted(),
      )
    })
})

t.test('a run with a rate holds its chunk for long, and a phone of it changes hands', async (t) => {
  const stack = await open(t)
  const name = (n: number) => `rated-${String(n).padStart(2, '0')}`
  const users = Array.from({ length: 50 }, (_, n) => name(n))
  for (const user of users) await stack.register({ userId: user, token: token(user), activationId: user })
  const campaign = await startCampaign(stack, users, '?rate=4')
  await stack.simulator.waitFor((pushes) => pushes.length >= 8, 300_000)
  await stack.register({ userId: 'another', token: token(name(40)), activationId: 'another' })
  await waitFor('the campaign to be sent', async () => (await stateOf(stack, campaign.id)).state === 'sent')
  t.same(await campaign.failures(), { [name(40)]: 'DeviceReassigned' })
  t.equal(stack.simulator.pushes.length, 49)
  t.notOk(stack.simulator.pushes.some((push) => push.token === token(name(40))))
  const [chunk] = await stack.database.query('SELECT epoch FROM chunks WHERE run_id IS NOT NULL')
  t.match(chunk, { epoch: 1 }, 'under one claim')
})

t.test('a slow provider keeps pushes waiting, and a phone of them changes hands', async (t) => {
  const stack = await open(t, { environment: { APNS_CONCURRENCY: '1' }, simulator: { latencyMs: 3000 } })
  const phones = Array.from({ length: 4 }, (_, n) => token(`slow-${n}`))
  for (const [n, phone] of phones.entries())
    await stack.register({ userId: 'user-1', token: phone, activationId: `slow-${n}` })
  const messageId = await send(stack, 'user-1')
  await stack.simulator.waitFor((pushes) => pushes.length >= 1, 300_000)
  const [delivery] = await stack.database.query<{ token: string }>(
    'SELECT token FROM deliveries ORDER BY position DESC LIMIT 1',
  )
  const last = delivery?.token ?? ''
  await stack.register({ userId: 'user-2', token: last, activationId: 'another' })
  const deliveries = await finished(stack, messageId)
  t.match(
    deliveries.find((delivery) => delivery.token === last),
    { status: 'failed', reason: 'DeviceReassigned' },
  )
  t.equal(stack.simulator.pushes.length, 3)
  const [chunk] = await stack.database.query('SELECT epoch FROM chunks')
  t.match(chunk, { epoch: 1 }, 'under one claim')
})
