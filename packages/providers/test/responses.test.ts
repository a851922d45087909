// Every response that the providers document, sent by the simulator over the wire, and the outcome it has to have.
import type { Platform } from '@push-server/contract'
import { startSimulator, type Response } from '@push-server/simulator'
import t, { type Test } from 'tap'
import type { Outcome, OutcomeKind } from '../src/index.ts'
import { apart, inOrder, MemoryTokens, push, together, tokenOf } from './_pushing.ts'
import { open } from './_simulated.ts'

const simulator = await startSimulator()
t.teardown(() => simulator.stop())

type Case = [response: Response, outcome: OutcomeKind, reason?: string]

/** Pushes one delivery for each case, each with its own response. */
async function pushAll(test: Test, platform: Platform, cases: readonly Case[]): Promise<Outcome[]> {
  simulator.forgetResponses()
  const tokens = cases.map(([response], index) => {
    simulator.respondTo(tokenOf(index), response)
    return tokenOf(index)
  })
  const provider = open(test, simulator, { platform })
  // Something goes through before, so that a single 503 is not all that the provider has ever said.
  await push(test, provider, apart(Array.from({ length: 40 }, (_, index) => tokenOf(1_000 + index))))
  const outcomes = await push(test, provider, apart(tokens))
  test.equal(outcomes.size, cases.length, 'every target is settled')
  return inOrder(outcomes)
}

async function check(test: Test, platform: Platform, cases: readonly Case[]) {
  const outcomes = await pushAll(test, platform, cases)
  for (const [index, [{ status, reason, body }, kind, reported]] of cases.entries()) {
    const name = `${status} ${reason ?? body ?? ''}`
    const outcome = outcomes[index]
    test.equal(outcome?.kind, kind, name)
    if (outcome && 'reason' in outcome)
      test.match(outcome.reason, reported ?? reason ?? `HTTP ${status}`, `${name}: reason`)
  }
}

const all = (status: number, kind: OutcomeKind, reasons: readonly string[]): Case[] =>
  reasons.map((reason) => [{ status, reason }, kind])

t.test('APNs', async (t) => {
  await check(t, 'ios', [
    [{ status: 200 }, 'sent'],
    ...all(400, 'failed', ['BadCollapseId', 'BadExpirationDate', 'BadMessageId', 'BadPriority', 'DuplicateHeaders']),
    ...all(400, 'failed', ['InvalidPushType', 'MissingDeviceToken', 'PayloadEmpty']),
    ...all(400, 'token-doubtful', ['BadDeviceToken', 'DeviceTokenNotForTopic']),
    ...all(400, 'credentials-error', ['BadTopic', 'MissingTopic', 'TopicDisallowed']),
    ...all(400, 'retry', ['IdleTimeout']),
    ...all(403, 'credentials-error', ['BadCertificate', 'BadCertificateEnvironment', 'Forbidden']),
    ...all(403, 'credentials-error', ['BadEnvironmentKeyIdInToken', 'BadEnvironmentKeyInToken']),
    ...all(403, 'credentials-error', ['InvalidProviderToken', 'MissingProviderToken', 'UnrelatedKeyIdInToken']),
    ...all(403, 'retry', ['ExpiredProviderToken']),
    ...all(404, 'failed', ['BadPath']),
    ...all(405, 'failed', ['MethodNotAllowed']),
    ...all(410, 'token-gone', ['ExpiredToken', 'Unregistered']),
    ...all(413, 'failed', ['PayloadTooLarge']),
    ...all(429, 'retry', ['TooManyRequests', 'TooManyProviderTokenUpdates']),
    ...all(500, 'retry', ['InternalServerError']),
    ...all(503, 'retry', ['ServiceUnavailable', 'Shutdown']),
    // What nobody has documented fails, or is retried when the error is the provider's; it never costs a token.
    ...all(400, 'failed', ['NewReason']),
    ...all(403, 'failed', ['NewReason']),
    ...all(410, 'failed', ['NewReason']),
    ...all(418, 'failed', ['NewReason']),
    ...all(500, 'retry', ['NewReason']),
    [{ status: 410, body: '<html>Gone</html>' }, 'failed', 'HTTP 410'],
    [{ status: 400, body: '\0{"reason":' }, 'failed', 'HTTP 400'],
    [{ status: 400, body: '["BadDeviceToken"]' }, 'failed', 'HTTP 400'],
    [{ status: 502, body: '<html>Bad gateway</html>' }, 'retry', 'HTTP 502'],
    [{ status: 200, body: 'rubbish' }, 'sent'],
  ])
})

const googleError = (status: number, word: string, details: object[] = []) =>
  JSON.stringify({ error: { code: status, message: 'as it is', status: word, details } })
const badField = (field: string) => ({
  '@type': 'type.googleapis.com/google.rpc.BadRequest',
  fieldViolations: [{ field, description: 'Invalid value' }],
})
const FCM_INVALID = { '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode: 'INVALID_ARGUMENT' }

t.test('FCM', async (t) => {
  await check(t, 'android', [
    [{ status: 200 }, 'sent'],
    // The registration token, with a code of FCM's: as text, and as a path.
    ...all(400, 'token-doubtful', ['INVALID_ARGUMENT']),
    [
      { status: 400, body: googleError(400, 'INVALID_ARGUMENT', [badField('message.token'), FCM_INVALID]) },
      'token-doubtful',
      'INVALID_ARGUMENT',
    ],
    // The message.
    [
      { status: 400, body: googleError(400, 'INVALID_ARGUMENT', [badField('message.android.ttl'), FCM_INVALID]) },
      'failed',
      'INVALID_ARGUMENT',
    ],
    [{ status: 400, body: googleError(400, 'INVALID_ARGUMENT', [badField('message.token')]) }, 'failed', 'INVALID_'],
    ...all(400, 'failed', ['FAILED_PRECONDITION']),
    ...all(403, 'token-doubtful', ['SENDER_ID_MISMATCH']),
    ...all(403, 'credentials-error', ['PERMISSION_DENIED']),
    ...all(404, 'token-gone', ['UNREGISTERED']),
    ...all(404, 'credentials-error', ['NOT_FOUND']),
    [{ status: 404, body: '<html>Not found</html>' }, 'credentials-error', 'HTTP 404'],
    ...all(409, 'retry', ['ABORTED']),
    ...all(429, 'retry', ['QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED']),
    ...all(500, 'retry', ['INTERNAL', 'UNSPECIFIED_ERROR']),
    ...all(503, 'retry', ['UNAVAILABLE']),
    ...all(504, 'retry', ['DEADLINE_EXCEEDED']),
    [{ status: 502, body: '<html>Bad gateway</html>' }, 'retry', 'HTTP 502'],
    ...all(400, 'failed', ['NEW_CODE']),
    ...all(403, 'failed', ['NEW_CODE']),
    ...all(500, 'retry', ['NEW_CODE']),
    [{ status: 400, body: '\0{"error":' }, 'failed', 'HTTP 400'],
    [{ status: 200, body: 'rubbish' }, 'failed', 'NoMessageName'],
  ])
})

t.test('HMS', async (t) => {
  const ofTopics = Array.from({ length: 11 }, (_, index) => `820000${String(index + 1).padStart(2, '0')}`)
  await check(t, 'huawei', [
    [{ status: 200, reason: '80000000' }, 'sent'],
    ...all(200, 'failed', ['80100001', '80100002', '80100003', '80100004', '80100013', '80100016', '80100018']),
    ...all(400, 'failed', ['80100001', '80100022']),
    ...all(200, 'retry', ['80100017', '80300029', '80600003', '81000001']),
    ...all(400, 'credentials-error', ['80300002', '80300037']),
    ...all(200, 'token-doubtful', ['80300007']),
    ...all(200, 'failed', ['80300008', '80300010', '80300011']),
    ...all(200, 'failed', ofTopics),
    ...all(200, 'credentials-error', ['82000012', '82000013']),
    ...all(500, 'retry', ['81000001']),
    [{ status: 502 }, 'retry'],
    [{ status: 503 }, 'retry'],
    ...all(200, 'failed', ['89999999']),
    ...all(400, 'failed', ['89999999']),
    [{ status: 200, body: 'rubbish' }, 'retry', 'Unknown: '],
  ])

  t.test('some tokens of a request are illegal', async (t) => {
    simulator.forgetResponses()
    const provider = open(t, simulator, { platform: 'huawei' })
    const outcomes = await push(t, provider, together([tokenOf(1), 'faded410aa', tokenOf(2), 'faded400aa']))
    t.match(inOrder(outcomes), [
      { kind: 'sent' },
      { kind: 'token-gone', reason: /^80100000/ },
      { kind: 'sent' },
      { kind: 'token-gone', reason: /^80100000/ },
    ])
  })
})

t.test('a refused access token is replaced once, and then it is a credentials error', async (t) => {
  const cases: [platform: Platform, status: number, reason: string | undefined][] = [
    ['android', 401, 'UNAUTHENTICATED'],
    ['android', 401, 'THIRD_PARTY_AUTH_ERROR'],
    ['huawei', 200, '80200001'],
    ['huawei', 401, '80200003'],
  ]
  for (const [platform, status, reason] of cases) {
    simulator.forgetResponses()
    const tokens = new MemoryTokens()
    const provider = open(t, simulator, { platform, tokens })
    simulator.respondTo(tokenOf(1), { status, reason, times: 1 })
    t.match(inOrder(await push(t, provider, together([tokenOf(1)]))), [{ kind: 'sent' }], `${reason} once`)
    t.equal(tokens.minted.length, 2)

    const others = new MemoryTokens()
    simulator.respondTo(tokenOf(1), { status, reason })
    const outcomes = await push(t, open(t, simulator, { platform, tokens: others }), together([tokenOf(1)]))
    t.match(inOrder(outcomes), [{ kind: 'credentials-error', reason }], `${reason} twice`)
    t.equal(others.minted.length, 2)
  }
})

t.test('the time to come back', async (t) => {
  const date = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 90_000)
  const headers: [name: string, value: string, at: (now: number) => number | undefined][] = [
    ['retry-after', '7', (now) => now + 7_000],
    ['retry-after', date.toUTCString(), () => date.getTime()],
    ['retry-after', 'later', () => undefined],
  ]
  // Over HTTP/1.1 a name comes as it is written.
  const ofHms = headers.map(([, value, at]) => ['Retry-After', value, at] as const)
  for (const platform of ['ios', 'android', 'huawei'] as const) {
    for (const [name, value, at] of platform === 'huawei' ? ofHms : headers) {
      simulator.forgetResponses()
      simulator.respondTo(tokenOf(1), { status: 503, headers: { [name]: value } })
      const before = Date.now()
      const [outcome] = inOrder(await push(t, open(t, simulator, { platform }), together([tokenOf(1)])))
      const notBefore = outcome?.kind === 'retry' ? outcome.notBefore : NaN
      const text = `${platform}: ${name} ${value}`
      const [from, to] = [at(before), at(Date.now())]
      if (from === undefined || to === undefined) t.equal(notBefore, undefined, text)
      else t.ok(notBefore !== undefined && notBefore >= from && notBefore <= to, text)
    }
  }
  simulator.forgetResponses()
  simulator.respondTo(tokenOf(1), { status: 429 })
  const before = Date.now()
  const [quota] = inOrder(await push(t, open(t, simulator, { platform: 'android' }), together([tokenOf(1)])))
  t.ok(quota?.kind === 'retry' && (quota.notBefore ?? 0) >= before + 60_000, 'a quota of FCM without one: a minute')
})

t.test('a limit of one device of APNs delays no other', async (t) => {
  simulator.forgetResponses()
  simulator.respondTo(tokenOf(0), { status: 429, retryAfter: 60 })
  const provider = open(t, simulator, { platform: 'ios' })
  t.match(inOrder(await push(t, provider, together([tokenOf(0)]))), [{ kind: 'retry', reason: 'TooManyRequests' }])
  const before = Date.now()
  t.match(inOrder(await push(t, provider, together([tokenOf(1), tokenOf(2)]))), [{ kind: 'sent' }, { kind: 'sent' }])
  t.ok(Date.now() - before < 30_000, 'long before its minute is over')
})
