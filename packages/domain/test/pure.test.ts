// The decisions of the domain that need nothing but their arguments, as tables.
import { PROVIDERS } from '@push-server/providers'
import t from 'tap'
import type { Audience, ClaimedChunk, DeliveryRow, MessageRow, Recipient } from '@push-server/store'
import { createNextAttempt } from '../src/delivery/outcomes/next-attempt.ts'
import {
  accepted,
  decide,
  MOST_ATTEMPTS,
  type Circumstances,
  type Refusal,
} from '../src/delivery/outcomes/retry-policy.ts'
import { pushIdAt, selectDue } from '../src/delivery/due-deliveries.ts'
import { createImportSlots } from '../src/imports/index.ts'
import { restAfter } from '../src/messages/back-pressure.ts'
import { createBacklogLimits, refuses } from '../src/messages/backlog-limits.ts'
import { composeMessage } from '../src/messages/compose.ts'
import { isReached } from '../src/messages/resend.ts'
import { sendAtOf } from '../src/messages/send-at.ts'
import { digestOf, replayOf } from '../src/messages/idempotency.ts'
import { planDeliveries, shareChunks, type ComposedMessage, type PlannedDelivery } from '../src/messages/plan.ts'
import { talliesOf } from '../src/messages/tallies.ts'
import { createQuotas } from '../src/quotas/index.ts'
import { createTokenBucket } from '../src/quotas/token-bucket.ts'
import { policyOf } from '../src/retention/retention-policy.ts'

const NOW = Date.UTC(2026, 1, 8, 12)
const HOUR = 3_600_000
const DAY = 24 * HOUR

t.test('retry policy: what an outcome means for its delivery', async (t) => {
  const delivery: DeliveryRow = {
    id: 7,
    position: 0,
    messageId: 'm',
    token: 'aa',
    environment: null,
    tokenKind: null,
    attempts: 2,
    obstacle: null,
  }
  const usual: Circumstances = {
    now: NOW,
    validUntil: null,
    expiresAt: NOW + DAY,
    chunkAttempts: 3,
    claimedAt: NOW - 100,
    random: 1,
  }
  const retry = (notBefore?: number): Refusal => ({ kind: 'retry', reason: 'Busy', ...(notBefore && { notBefore }) })

  const table: [name: string, outcome: Refusal, given: Partial<Circumstances & DeliveryRow>, record: object][] = [
    [
      'failed',
      { kind: 'failed', reason: 'PayloadEmpty' },
      {},
      { status: 'failed', reason: 'PayloadEmpty', attempts: 3 },
    ],
    [
      'doubtful: failed, the token kept',
      { kind: 'token-doubtful', reason: 'BadDeviceToken' },
      {},
      { status: 'failed' },
    ],
    [
      'retry: back-off doubles with the attempts',
      retry(),
      {},
      { status: 'pending', attempts: 3, nextAttemptAt: NOW + 4000 },
    ],
    ['retry: jitter', retry(), { random: 0.25 }, { nextAttemptAt: NOW + 1000 }],
    ['retry: first delay', retry(), { attempts: 0 }, { nextAttemptAt: NOW + 1000 }],
    [
      'retry: the longest delay, before the last attempt',
      retry(),
      { attempts: 8, random: 1 },
      { nextAttemptAt: NOW + 256_000 },
    ],
    ['retry: not before the provider’s time', retry(NOW + HOUR), {}, { status: 'pending', nextAttemptAt: NOW + HOUR }],
    [
      'retry: the tenth attempt was the last',
      retry(),
      { attempts: MOST_ATTEMPTS - 1 },
      { status: 'failed', reason: 'Busy' },
    ],
    ['retry past validUntil', retry(NOW + HOUR), { validUntil: NOW + 60_000 }, { status: 'failed', reason: 'Expired' }],
    [
      'retry of what was past its time already',
      retry(),
      { validUntil: NOW - DAY },
      { status: 'failed', reason: 'Busy' },
    ],
    [
      'unsent: no attempt was made, however often',
      { kind: 'retry', reason: 'Unsent: out of reach', unsent: true },
      { attempts: 10, random: 1 },
      { status: 'pending', attempts: 10, nextAttemptAt: NOW + 8000 },
    ],
    [
      'retry past the age limit',
      retry(NOW + HOUR),
      { expiresAt: NOW + 60_000 },
      { status: 'failed', reason: 'TooOld' },
    ],
    [
      'credentials error: waits, the attempt does not count',
      { kind: 'credentials-error', reason: 'InvalidProviderToken' },
      {},
      { status: 'pending', reason: 'InvalidProviderToken', attempts: 2, nextAttemptAt: null },
    ],
  ]
  for (const [name, outcome, given, record] of table) {
    const decision = decide({ ...delivery, ...given }, outcome, { ...usual, ...given })
    t.match(decision.record, { id: 7, ...record }, name)
    t.equal(decision.deadToken?.doubtful, outcome.kind === 'token-doubtful' || undefined, `${name}: its token`)
  }

  const sent = { id: 7, status: 'sent', reason: null, attempts: 3, nextAttemptAt: null }
  t.same(accepted(delivery, 'x'), { ...sent, providerId: 'x' })
  t.same(accepted(delivery, undefined), { ...sent, providerId: null })

  const reported = decide(delivery, { kind: 'token-gone', reason: 'Unregistered', since: NOW - HOUR }, usual)
  t.match(reported.record, { status: 'failed', reason: 'Unregistered' })
  t.same(reported.deadToken, { token: 'aa', reason: 'Unregistered', since: NOW - HOUR, scope: null })
  const unreported = decide(delivery, { kind: 'token-gone', reason: 'Unregistered' }, usual)
  t.equal(unreported.deadToken?.since, usual.claimedAt, 'without a time: a registration after the claim stays')
})

t.test('next attempt: when a released chunk is due', async (t) => {
  const cases: [
    name: string,
    expected: number,
    /** Of each delivery: its next attempt (null: at once), undefined: settled. */
    retries: (number | null | undefined)[],
    later: number | null,
    due: number | null,
  ][] = [
    ['nothing was to be pushed', 0, [], null, null],
    ['nothing but what is due later', 0, [], 50, 50],
    ['not everything was pushed', 2, [undefined], 50, null],
    ['all settled', 2, [undefined, undefined], null, null],
    ['all settled but what is due later', 1, [undefined], 50, 50],
    ['the earliest of the next attempts', 3, [30, undefined, 20], 50, 20],
    ['a delivery that was not due is due before them', 1, [60], 50, 50],
    ['one waits for the credentials', 2, [null, 20], 50, null],
  ]
  for (const [name, expected, retries, later, due] of cases) {
    const nextAttempt = createNextAttempt(expected)
    for (const retry of retries) {
      if (retry === undefined) nextAttempt.settled()
      else nextAttempt.retryAt(retry)
    }
    t.equal(nextAttempt.dueAt(later), due, name)
  }
})

t.test('due deliveries: what is still to be pushed', async (t) => {
  const message: MessageRow = {
    id: 'm',
    correlationId: null,
    traceContext: null,
    body: {},
    silent: false,
    priority: 'HIGH',
    validUntil: null,
    createdAt: NOW - HOUR,
  }
  const chunk: ClaimedChunk = {
    id: 1,
    epoch: 1,
    applicationId: 1,
    platform: 'ios',
    lane: 'direct',
    runId: null,
    isAwaited: false,
    probe: false,
    rate: null,
    outcomes: null,
    claimedAt: NOW,
    try: 0,
    seed: '',
    expiresAt: NOW + DAY,
    credentialsVersion: 1,
    messages: [message],
    deliveries: [
      {
        id: 7,
        position: 0,
        messageId: 'm',
        token: 'aa',
        environment: null,
        tokenKind: null,
        attempts: 0,
        obstacle: null,
      },
    ],
    laterDueAt: null,
    readAt: 0,
  }
  const table: [
    name: string,
    chunk: Partial<ClaimedChunk>,
    message: Partial<MessageRow>,
    reason: string | undefined,
  ][] = [
    ['pushed', {}, {}, undefined],
    ['credentials gone', { credentialsVersion: null }, {}, 'NotConfigured'],
    ['too old', { expiresAt: NOW - 1 }, {}, 'TooOld'],
    ['still valid', {}, { validUntil: NOW + 1 }, undefined],
    ['expired while waiting', {}, { validUntil: NOW - 1 }, 'Expired'],
    ['expired when accepted: its one attempt', {}, { validUntil: NOW - 2 * HOUR }, undefined],
    ['message removed', { messages: [] }, {}, 'MessageRemoved'],
  ]
  for (const [name, chunkGiven, messageGiven, reason] of table) {
    const selection = selectDue({ ...chunk, messages: [{ ...message, ...messageGiven }], ...chunkGiven }, NOW)
    t.equal(selection.due.length, reason === undefined ? 1 : 0, name)
    t.equal(selection.ended[0]?.reason, reason, name)
  }
})

t.test('push ids: one UUID per position, the same on every attempt', async (t) => {
  const seed = '0f1e2d3c-4b5a-4697-8a8b-9c0d1e2f3a4b'
  t.equal(pushIdAt(seed, 0), '0f1e2d3c-4b5a-4697-8a8b-9c0d1e2f0000')
  t.equal(pushIdAt(seed, 499), '0f1e2d3c-4b5a-4697-8a8b-9c0d1e2f01f3')
  t.equal(new Set(Array.from({ length: 1000 }, (_, place) => pushIdAt(seed, place))).size, 1000)
})

const { direct: CHUNK_SIZE } = PROVIDERS.ios.chunkSize

t.test('plan: which device gets which message, in which chunk', async (t) => {
  const message = (more: Partial<ComposedMessage> = {}): ComposedMessage => ({
    id: 'm',
    userId: 'u',
    activationId: null,
    priority: 'HIGH',
    silent: false,
    personal: false,
    body: {},
    validUntil: null,
    sendAt: null,
    ...more,
  })
  const device = (deviceId: number, more: Partial<Recipient> = {}): Recipient => ({
    deviceId,
    userId: 'u',
    activationId: `a${deviceId}`,
    platform: 'ios',
    environment: null,
    token: `t${deviceId}`,
    active: true,
    ...more,
  })
  const audience = (...recipients: Recipient[]): Audience => ({
    applicationId: 1,
    configured: ['ios', 'huawei'],
    rawBlocks: false,
    recipients,
  })
  const outline = (messages: ComposedMessage[], given: Audience) =>
    planDeliveries(messages, given).map(({ recipient, status, reason }) => [recipient.deviceId, status, reason])

  t.same(outline([message()], audience()), [])
  t.same(outline([message()], audience(device(1), device(2))), [
    [1, 'pending', null],
    [2, 'pending', null],
  ])
  t.same(outline([message()], audience(device(1, { userId: 'other' }))), [], 'another user’s device')
  t.same(outline([message({ activationId: 'a2' })], audience(device(1), device(2))), [[2, 'pending', null]], 'targeted')
  const twice = audience(device(2, { token: 't' }), device(1, { token: 't' }))
  t.same(outline([message()], twice), [[2, 'pending', null]], 'one token: the latest registration, which comes first')
  t.same(outline([message({ personal: true })], audience(device(1, { active: false }))), [[1, 'skipped', 'NotActive']])
  const halfActive = audience(device(2, { token: 't', active: false }), device(1, { token: 't' }))
  t.same(
    outline([message({ personal: true })], halfActive),
    [
      [2, 'skipped', 'NotActive'],
      [1, 'pending', null],
    ],
    'one token, one of two activations active: pushed once',
  )
  const phones = audience(
    device(1),
    device(2, { platform: 'huawei', active: false }),
    device(3, { platform: 'android' }),
  )
  t.same(
    outline([message({ platforms: ['huawei'], personal: true })], phones),
    [
      [1, 'skipped', 'NotSelected'],
      [2, 'skipped', 'NotActive'],
      [3, 'skipped', 'NotSelected'],
    ],
    'other platforms are not selected, configured or not',
  )
  t.same(outline([message({ platforms: ['ios'] })], audience(device(1))), [[1, 'pending', null]])
  const android = device(1, { platform: 'android' })
  t.same(outline([message()], audience(android)), [[1, 'failed', 'NotConfigured']])

  const many = Array.from({ length: CHUNK_SIZE + 1 }, (_, index) => device(index))
  const request = (planned: PlannedDelivery[], more: object = {}) => ({
    applicationId: 1,
    planned,
    waiter: null,
    ...more,
  })
  const full = planDeliveries([message()], audience(...many, device(9999, { platform: 'huawei' })))
  const {
    chunks,
    deliveries: [deliveries = []],
  } = shareChunks([request(full)])
  const sizes = chunks.map(({ platform, seed }) => [
    platform,
    deliveries.filter(({ chunk }) => chunk?.seed === seed).length,
  ])
  t.same(sizes, [
    ['ios', CHUNK_SIZE],
    ['ios', 1],
    ['huawei', 1],
  ])
  t.equal(
    new Set(deliveries.map(({ chunk }) => `${chunk?.seed}/${chunk?.position}`)).size,
    CHUNK_SIZE + 2,
    'a place each',
  )

  const batch = [message({ id: 'm1' }), message({ id: 'm2', userId: 'v' })]
  const both = shareChunks([request(planDeliveries(batch, audience(device(1), device(2, { userId: 'v' }))))])
  t.equal(both.chunks.length, 1, 'a batch shares its chunks')
  t.same(
    both.deliveries.flat().map(({ messageId, chunk }) => [messageId, chunk?.position]),
    [
      ['m1', 0],
      ['m2', 1],
    ],
  )

  const one = planDeliveries([message()], audience(device(1)))
  const shared = shareChunks([
    request(one),
    request(one, { waiter: 'sync_1' }),
    request(one, { applicationId: 2 }),
    request(one),
  ])
  t.same(
    shared.chunks.map(({ applicationId, waiter }) => [applicationId, waiter]),
    [
      [1, 'sync_1'],
      [2, null],
    ],
    'requests of one application share a chunk, which is awaited when one of them waits',
  )
  t.same(
    shared.deliveries.map(([delivery]) => delivery?.chunk?.position),
    [0, 1, 0, 2],
  )
})

t.test(
  'plan: what is sent later shares its chunk with what is sent at that moment alone, and nobody waits for it',
  async (t) => {
    const planned = (sendAt: number | null): PlannedDelivery => ({
      messageId: 'm',
      sendAt,
      status: 'pending',
      reason: null,
      recipient: {
        deviceId: 1,
        userId: 'u',
        activationId: 'a',
        platform: 'ios',
        environment: null,
        token: 't',
        active: true,
      },
    })
    const { chunks, deliveries } = shareChunks([
      { applicationId: 1, waiter: 'sync_1', planned: [planned(null), planned(NOW), planned(NOW + 1)] },
      { applicationId: 1, waiter: null, planned: [planned(NOW), planned(null)] },
    ])
    t.same(
      chunks.map(({ sendAt, waiter }) => [sendAt, waiter]),
      [
        [null, 'sync_1'],
        [NOW, null],
        [NOW + 1, null],
      ],
    )
    t.same(
      deliveries.map((each) => each.map(({ chunk }) => chunk?.position)),
      [
        [0, 0, 0],
        [1, 1],
      ],
    )
  },
)

const refusalOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

t.test('sendAt: in the future, within the maximum age, before validUntil', async (t) => {
  const terms = { now: NOW, mostMs: DAY, fieldOf: (inside: string) => `message.${inside}` }
  const at = (ms: number) => new Date(ms).toISOString()
  const table: [sendAt: string | null | undefined, validUntil: number | null, expected: number | null | RegExp][] = [
    [undefined, null, null],
    [null, null, null],
    [at(NOW + 1), null, NOW + 1],
    [at(NOW + DAY), NOW + DAY + 1, NOW + DAY],
    ['2026-02-08T14:00:00+01:00', null, NOW + HOUR],
    [at(NOW), null, /in the future/],
    [at(NOW + DAY + 1), null, /DELIVERY_MAX_AGE/],
    [at(NOW + HOUR), NOW + HOUR, /before validUntil/],
    [at(NOW + HOUR), NOW - HOUR, /before validUntil/],
    ['2026-02-08T14:00:00', null, /with offset/],
    ['', null, /with offset/],
  ]
  for (const [sendAt, validUntil, expected] of table) {
    const parse = () => sendAtOf({ sendAt }, validUntil, terms)
    if (expected instanceof RegExp)
      t.match(refusalOf(parse), { violations: [{ fieldName: 'message.sendAt', hint: expected }] }, `${sendAt}`)
    else t.equal(parse(), expected, `${sendAt}`)
  }
})

t.test('resend: a phone is known by its device, or by its token in any spelling', async (t) => {
  const isLeftOut = isReached([
    { deviceId: 1, platform: 'ios', token: 'aabb' },
    { deviceId: 2, platform: 'android', token: 'Tt' },
  ])
  const device = { userId: 'u', activationId: 'a', environment: null, tokenKind: null, active: true }
  const table: [deviceId: number, platform: 'ios' | 'android', token: string, expected: boolean][] = [
    [1, 'ios', 'ccdd', true],
    [3, 'ios', 'AABB', true],
    [3, 'ios', 'aabc', false],
    [3, 'android', 'aabb', false],
    [3, 'android', 'Tt', true],
    [3, 'android', 'tt', false],
  ]
  for (const [deviceId, platform, token, expected] of table)
    t.equal(isLeftOut({ ...device, deviceId, platform, token }), expected, `${deviceId} ${platform} ${token}`)
})

t.test('compose: defaults, nulls and validUntil', async (t) => {
  const compose = (message: object) =>
    composeMessage({ userId: 'u', body: {}, ...message }, (inside) => `requestObject.message.${inside}`, NOW)
  t.match(compose({}), { activationId: null, priority: 'HIGH', silent: false, personal: false, validUntil: null })
  t.match(compose({ priority: null, attributes: null }), { priority: 'HIGH', silent: false, personal: false })
  t.match(compose({ attributes: { silent: null, personal: true } }), { silent: false, personal: true })
  const validUntil = (value: unknown) => compose({ body: { validUntil: value } }).validUntil
  t.equal(validUntil('2026-02-08T13:00:00Z'), NOW + HOUR)
  t.equal(validUntil('2026-02-08T14:00:00.000+01:00'), NOW + HOUR)
  t.equal(validUntil(NOW / 1000 + 0.5), NOW + 500)
  t.equal(validUntil('2036-02-08T13:00:00Z'), NOW + 28 * DAY, 'no provider keeps it longer')
  t.throws(() => validUntil('tomorrow'), {
    code: 'ERROR_REQUEST',
    violations: [{ fieldName: 'requestObject.message.body.validUntil' }],
  })
  t.notSame(compose({}).id, compose({}).id)
})

t.test('tallies: every platform, what was skipped left out', async (t) => {
  const tallies = talliesOf([
    { platform: 'ios', status: 'sent', count: 2 },
    { platform: 'ios', status: 'failed', count: 1 },
    { platform: 'huawei', status: 'pending', count: 4 },
    { platform: 'ios', status: 'skipped', count: 9 },
  ])
  t.same(tallies, {
    ios: { sent: 2, pending: 0, failed: 1, total: 3 },
    android: { sent: 0, pending: 0, failed: 0, total: 0 },
    huawei: { sent: 0, pending: 4, failed: 0, total: 4 },
  })
})

t.test('idempotency: what makes two requests the same', async (t) => {
  const base = { userId: 'u', body: { title: 'a', extras: { b: [1, 2], c: null } } }
  const same = (one: object[], other: object[]) =>
    digestOf(one as (typeof base)[]).equals(digestOf(other as (typeof base)[]))
  t.ok(same([base], [structuredClone(base)]))
  t.ok(same([base], [{ body: { extras: { c: null, b: [1, 2] }, title: 'a' }, userId: 'u' }]), 'order of members')
  for (const [name, other] of Object.entries({
    user: { ...base, userId: 'v' },
    text: { ...base, body: { ...base.body, title: 'A' } },
    'number for text': { ...base, body: { ...base.body, title: 1 } },
    'order of a list': { ...base, body: { ...base.body, extras: { b: [2, 1], c: null } } },
    'one member more': { ...base, priority: 'HIGH' },
    'one member less': { ...base, body: { title: 'a', extras: { b: [1, 2] } } },
  }))
    t.notOk(same([base], [other]), name)
  t.notOk(same([base, base], [base]), 'number of messages')
  const earlier = { digest: digestOf([base]), messageIds: ['one'] }
  t.same(replayOf(earlier, [base]), ['one'])
  t.throws(() => replayOf(earlier, [base, base]), { code: 'ERROR_IDEMPOTENCY', statusCode: 409 })
})

t.test('back-pressure: reading the backlog takes a twentieth of the time at most', async (t) => {
  for (const [readMs, restMs] of [
    [0, 2_000],
    [100, 2_000],
    [150, 3_000],
    [15_000, 300_000],
  ] as const)
    t.equal(restAfter(readMs), restMs, `after ${readMs} ms`)
})

t.test('back-pressure: refuses beyond the limit, and until four fifths of it', async (t) => {
  for (const [waiting, waitFor, refused] of [
    [0, false, false],
    [100, false, false],
    [101, false, true],
    [101, true, true],
    [81, true, true],
    [80, true, false],
    [81, false, false],
  ] as const)
    t.equal(
      refuses(waiting, 100, waitFor),
      refused,
      `${waiting} of 100, ${waitFor ? 'refusing' : 'accepting'} until now`,
    )
})

t.test(
  'backlog: an application with more than an equal share of a full platform is refused, and no other',
  async (t) => {
    const limits = createBacklogLimits({ platform: 900, application: undefined })
    const waiting = (...deliveries: number[]) =>
      deliveries.map((count, index) => ({ applicationId: index + 1, platform: 'ios' as const, deliveries: count }))
    const refused = () => [1, 2, 3, 4].filter((id) => limits.refuses(id, 'ios'))
    const none = new Map<number, number | null>()

    t.same(limits.update(waiting(900), none), { began: [], ended: [] })
    t.match(limits.update(waiting(900, 200, 1), none), { began: [{ applicationId: 1, deliveries: 900, limit: 300 }] })
    t.same(refused(), [1], 'the one that fills it; not the others, nor one that nothing waits for')
    t.notOk(limits.refuses(1, 'android'), 'nor on another platform')
    t.ok(limits.refusesOn('ios'))
    t.notOk(limits.refusesOn('android'))
    limits.update(waiting(600, 200, 1), none)
    t.same(refused(), [1], 'until the platform has shrunk to four fifths')
    t.match(limits.update(waiting(500, 200, 1), none), { ended: [{ applicationId: 1 }] })
    t.same(refused(), [])
  },
)

t.test('backlog: an application has a limit of its own, from the table or by default', async (t) => {
  const limits = createBacklogLimits({ platform: 1000, application: 100 })
  const rows = [1, 2, 3].map((applicationId) => ({ applicationId, platform: 'ios' as const, deliveries: 150 }))
  limits.update(
    rows,
    new Map([
      [1, 200],
      [2, null],
    ]),
  )
  t.same(
    rows.map((row) => limits.refuses(row.applicationId, 'ios')),
    [false, true, true],
  )
})

t.test('token bucket: full at first, refilled at its rate, never beyond its burst', async (t) => {
  const bucket = createTokenBucket({ perSecond: 10, burst: 20 }, 0)
  t.equal(bucket.remaining(0), 20)
  bucket.take(20, 0)
  t.same([bucket.remaining(0), bucket.secondsUntil(5, 0)], [0, 0.5])
  t.same([bucket.remaining(500), bucket.secondsUntil(5, 500)], [5, 0])
  bucket.giveBack(3, 500)
  t.equal(bucket.remaining(500), 8)
  t.equal(bucket.remaining(60_000), 20)
  t.equal(bucket.remaining(1000), 20, 'a clock that went back takes nothing')
  bucket.setRate({ perSecond: 1, burst: 5 }, 60_000)
  t.same([bucket.remaining(60_000), bucket.secondsUntil(5, 60_000)], [5, 0])
})

t.test('quotas: of key and application, all or nothing', async (t) => {
  let now = 0
  const refusals: string[] = []
  const table = new Map([['own', { messagesPerSecond: 2, burst: 4 }]])
  const quotas = createQuotas({
    config: { quotaKeyRate: 100, quotaAppRate: undefined, batchSize: 20 },
    metrics: { refusal: (reason) => refusals.push(reason) },
    ofApplication: (appId) => table.get(appId),
    now: () => now,
  })
  const caller = { id: 'k', name: 'k', scopes: [], appIds: [], quota: { messagesPerSecond: 10, burst: null } }
  const take = (appId: string, count: number, by: typeof caller | null = caller) => {
    const allowance = quotas.allowanceOf(by)
    allowance.take(appId, count)
    return allowance
  }

  t.same(take('other', 20).headers(), { 'ratelimit-limit': '20', 'ratelimit-remaining': '0', 'ratelimit-reset': '2' })
  t.throws(() => take('other', 1), { statusCode: 429, retryAfter: 1, message: /this API key is 10 messages a second/ })
  // The key has none left, so the application gives none either.
  t.throws(() => take('own', 4), { code: 'ERROR_TOO_MANY_REQUESTS', message: /this API key/ })
  t.equal(take('own', 4, null).headers()['ratelimit-remaining'], '0', 'all of its own was there')
  now = 1000
  t.throws(() => take('own', 3), { statusCode: 429, retryAfter: 1, message: /application own is 2 messages a second/ })
  t.same(take('own', 2).headers(), { 'ratelimit-limit': '4', 'ratelimit-remaining': '0', 'ratelimit-reset': '2' })
  t.throws(() => take('own', 5), {
    statusCode: 413,
    retryAfter: undefined,
    message: /5 messages.*own allows 4 at once/,
  })
  t.same(refusals, ['key-rate', 'key-rate', 'application-rate', 'application-rate'])

  now = 10_000
  const given = take('other', 20)
  given.giveBack()
  t.equal(given.headers()['ratelimit-remaining'], '20', 'nothing was stored')
  t.same(take('unlimited', 1_000_000, null).headers(), {}, 'without a quota there are no headers')
})

t.test('import slots: a limit in all and a limit under a key', async (t) => {
  let refused = 0
  const slots = createImportSlots({ concurrency: 3, concurrencyPerKey: 2, onRefused: () => refused++ })
  const one = slots.take('a')
  slots.take('a')
  t.throws(() => slots.take('a'), {
    code: 'ERROR_UNAVAILABLE',
    message: /IMPORT_CONCURRENCY_PER_CALLER/,
    retryAfter: 30,
  })
  slots.take('b')
  t.throws(() => slots.take('c'), { message: /IMPORT_CONCURRENCY \(3\)/ })
  one()
  one()
  slots.take(undefined)
  t.throws(() => slots.take('a'), { message: /IMPORT_CONCURRENCY \(3\)/ }, 'given back once')
  t.equal(refused, 3)
})

t.test('retention policy: nothing is removed while a request may wait for it', async (t) => {
  const settings = {
    messageStorageEnabled: true,
    messageAge: 30 * DAY,
    messageBodyAge: DAY,
    idempotencyAge: DAY,
    droppedDeviceAge: 30 * DAY,
    deviceHistoryAge: 90 * DAY,
    inboxMaxAge: undefined,
    syncTimeout: 30_000,
  }
  const whole = {
    contents: DAY,
    messages: 30 * DAY,
    keyedMessages: 30 * DAY,
    devices: 30 * DAY,
    deviceEvents: 90 * DAY,
  }
  const table: [name: string, given: Partial<typeof settings>, policy: Partial<typeof whole>][] = [
    ['as they are', {}, whole],
    ['no storage', { messageStorageEnabled: false }, { contents: 90_000, messages: 90_000, keyedMessages: DAY }],
    ['contents no longer than messages', { messageAge: HOUR }, { contents: HOUR, messages: HOUR, keyedMessages: DAY }],
    ['shorter than a wait', { messageAge: 1, messageBodyAge: 1 }, { contents: 90_000, messages: 90_000 }],
    ['a long wait', { messageStorageEnabled: false, syncTimeout: HOUR }, { messages: HOUR + 60_000 }],
  ]
  for (const [name, given, policy] of table) t.match(policyOf({ ...settings, ...given }), policy, name)
})
