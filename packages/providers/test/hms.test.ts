// The parts of the HMS provider that do no I/O: payload, requests, responses, outcomes, credentials, limiter.
import { DOCUMENTED_BODY } from '@push-server/contract'
import { readConfig } from '@push-server/runtime'
import t from 'tap'
import { readResponse } from '../src/hms/response.ts'
import { hmsSecret, readHmsCredentials } from '../src/hms/credentials.ts'
import { hms } from '../src/hms/index.ts'
import { HMS_CODES, HMS_TOKEN_REASONS, hmsOutcomes, isThrottled, refusesAccess } from '../src/hms/outcome.ts'
import { hmsCollapseKey, hmsPayload, withTokens } from '../src/hms/payload.ts'
import { requestsOf } from '../src/hms/requests.ts'
import { InvalidCredentials, type PushMessage } from '../src/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const DAY = 86_400_000

const message = (body: PushMessage['body'], rest: Partial<PushMessage> = {}): PushMessage => ({
  body,
  silent: false,
  priority: 'HIGH',
  ...rest,
})
const build = (given: PushMessage, dataOnly = false) =>
  JSON.parse(withTokens(hmsPayload(given, { dataOnly, appId: 'my-app', now: NOW }), ['t1'])).message

t.test('the documented message becomes the documented payload', async (t) => {
  const payload = hmsPayload(message(DOCUMENTED_BODY, { validUntil: NOW + 3_600_000 }), {
    dataOnly: false,
    appId: 'my-app',
    now: NOW,
  })
  t.strictSame(JSON.parse(withTokens(payload, ['t1', 't2'])), {
    message: {
      data: '{"_comment":"Any custom data."}',
      android: {
        urgency: 'HIGH',
        ttl: '3600s',
        notification: {
          title: 'Balance update',
          body: 'Your balance is now $745.00',
          icon: 'custom-icon',
          sound: 'default',
          tag: 'balance-update',
          click_action: { type: 3 },
          body_loc_key: 'balance.update.body',
          title_loc_key: 'balance.update.title',
          badge: { set_num: 3 },
          importance: 'HIGH',
          foreground_show: true,
        },
      },
      token: ['t1', 't2'],
    },
  })
})

t.test('notifications', async (t) => {
  const shown = { click_action: { type: 3 }, importance: 'HIGH', foreground_show: true }
  const named = { title: 'my-app', body: 'my-app' }
  const cases: [name: string, body: PushMessage['body'], notification: object][] = [
    ['a text only: the application names itself', { body: 'Hello' }, { title: 'my-app', body: 'Hello' }],
    ['a title only: the title is the text too', { title: 'Hello' }, { title: 'Hello', body: 'Hello' }],
    ['nothing', { title: null, sound: null, category: null }, named],
    ['empty texts are none', { title: '', body: '' }, named],
    [
      'a localised title only',
      { titleLocKey: 'title', titleLocArgs: ['a'] },
      { title_loc_key: 'title', title_loc_args: ['a'], body_loc_key: 'title', body_loc_args: ['a'] },
    ],
    ['an empty title with a key', { title: '', titleLocKey: 'key', body: 'x' }, { title_loc_key: 'key', body: 'x' }],
    [
      'localised, with arguments',
      { titleLocKey: 'title', titleLocArgs: ['a'], bodyLocKey: 'body', bodyLocArgs: ['b', 'c'] },
      { title_loc_key: 'title', title_loc_args: ['a'], body_loc_key: 'body', body_loc_args: ['b', 'c'] },
    ],
    ['arguments without a key', { titleLocArgs: ['a'], bodyLocKey: '', bodyLocArgs: ['b'] }, named],
    ['a badge of 0 clears', { badge: 0 }, { ...named, badge: { set_num: 0 } }],
    ['a badge beyond what HMS takes', { badge: 100 }, { ...named, badge: { set_num: 99 } }],
    ['a badge below what HMS takes', { badge: -1 }, { ...named, badge: { set_num: 0 } }],
  ]
  for (const [name, body, notification] of cases) {
    t.strictSame(build(message(body)).android.notification, { ...notification, ...shown }, name)
  }
})

t.test('priority', async (t) => {
  for (const priority of ['HIGH', 'NORMAL'] as const) {
    const { android } = build(message({ body: 'x' }, { priority }))
    t.equal(android.urgency, priority)
    t.equal(android.notification.importance, priority)
    t.equal(build(message({}, { priority, silent: true })).android.urgency, priority)
  }
})

t.test('data, with and without a notification', async (t) => {
  const extras = { a: 1, gone: null, nested: { list: [true, null] } }
  const json = '{"a":1,"gone":null,"nested":{"list":[true,null]}}'
  t.equal(build(message({ body: 'x', extras })).data, json)
  t.notOk('data' in build(message({ body: 'x' })), 'none')
  t.notOk('data' in build(message({ body: 'x', extras: {} })), 'none')

  const silent = build(message({ ...DOCUMENTED_BODY, extras }, { silent: true }))
  t.strictSame(silent, { data: json, android: { urgency: 'HIGH', ttl: '1296000s' }, token: ['t1'] })
  t.equal(build(message({ body: 'x' }, { silent: true })).data, '{}', 'a message has one of the two')

  t.test('only', async (t) => {
    const plain = message({ title: 'T', body: 'B', extras })
    const { data, android } = build(plain, true)
    t.notOk('notification' in android)
    const { _notification: handedOver, ...rest } = JSON.parse(data)
    t.strictSame(rest, extras)
    t.strictSame(JSON.parse(handedOver), build(plain).android.notification)
    t.equal(build(message({ body: 'B', extras }, { silent: true }), true).data, json, 'silent stays silent')
  })
})

t.test('time to live', async (t) => {
  const cases: [name: string, validUntil: number | undefined, ttl: string][] = [
    ["absent: Huawei's longest", undefined, '1296000s'],
    ['near', NOW + 90_500, '90s'],
    ['past: as short as HMS takes', NOW - 1, '1s'],
    ['now', NOW, '1s'],
    ['less than a second', NOW + 999, '1s'],
    ['15 days', NOW + 15 * DAY, '1296000s'],
    ['beyond 15 days: capped', NOW + 28 * DAY, '1296000s'],
  ]
  for (const [name, validUntil, ttl] of cases) {
    t.equal(build(message({ body: 'x' }, { validUntil })).android.ttl, ttl, name)
  }
})

t.test('collapse keys', async (t) => {
  const cases: [text: string | null | undefined, key: number | undefined][] = [
    ['-1', -1],
    ['0', 0],
    ['7', 7],
    ['007', 7],
    ['100', 100],
    ['101', undefined],
    ['-2', undefined],
    ['1.5', undefined],
    ['1e1', undefined],
    ['0x10', undefined],
    [' 5', undefined],
    ['balance-update', undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ]
  for (const [text, key] of cases) {
    t.equal(hmsCollapseKey(text), key, `${text}`)
    t.equal(build(message({ collapseKey: text })).android.collapse_key, key, `${text}`)
  }
})

t.test('what HMS would refuse as data is named before it is sent', async (t) => {
  // As data the notification is JSON in JSON in JSON.
  const quoted = message({ title: 'T', body: '"'.repeat(1_000) })
  t.strictSame(hms.check(quoted, { config: readConfig({}), appId: 'my-app', now: NOW }), [], 'shown by the phone')
  const asData = hmsPayload(quoted, { dataOnly: true, appId: 'my-app', now: NOW })
  t.strictSame(hms.check(quoted, { config: readConfig({ HMS_DATA_ONLY: 'true' }), appId: 'my-app', now: NOW }), [
    {
      field: 'body',
      hint: `payload for huawei has ${Buffer.byteLength(withTokens(asData, [])) - 2} bytes, the limit is 4096`,
    },
  ])
})

t.test('tokens are written as JSON', async (t) => {
  const payload = hmsPayload(message({}), { dataOnly: false, appId: 'my-app', now: NOW })
  const tokens = ['plain', 'with "quotes"', 'žluťoučký', '\\']
  t.strictSame(JSON.parse(withTokens(payload, tokens)).message.token, tokens)
  t.strictSame(JSON.parse(withTokens(payload, [])).message.token, [])
})

t.test('which targets share a request', async (t) => {
  const payload = { head: '[', tail: ']' }
  const target = (token: string, message = 0) => ({ token, pushId: token, message })
  const split = (targets: ReturnType<typeof target>[], bounds = {}) =>
    requestsOf([payload, { ...payload }], targets, { tokensPerRequest: 3, requestBytes: 1_000, ...bounds }).map(
      ({ tokens, indexes }) => [tokens.join(''), indexes.join('')],
    )

  t.strictSame(split([]), [])
  t.strictSame(split([target('a'), target('b'), target('c')]), [['abc', '012']])
  t.strictSame(
    split([target('a'), target('b'), target('c'), target('d')]),
    [
      ['abc', '012'],
      ['d', '3'],
    ],
    'by number',
  )
  t.strictSame(
    split([target('a'), target('b', 1), target('c'), target('d', 1)]),
    [
      ['ac', '02'],
      ['bd', '13'],
    ],
    'by message',
  )
  t.strictSame(
    split([target('a'), target('a'), target('b'), target('a'), target('a', 1)]),
    [
      ['ab', '02'],
      ['a', '1'],
      ['a', '3'],
      ['a', '4'],
    ],
    'no token twice',
  )
  t.strictSame(
    split([target('a'), target('b', 1), target('a', 1)]),
    [
      ['a', '0'],
      ['ba', '12'],
    ],
    'but once for each message',
  )
  // Two bytes of payload, and four for each token with its quotes and comma.
  t.strictSame(
    split([target('a'), target('b'), target('c')], { requestBytes: 10 }),
    [
      ['ab', '01'],
      ['c', '2'],
    ],
    'by bytes',
  )
  t.strictSame(
    split([target('é'), target('b')], { requestBytes: 10 }),
    [
      ['é', '0'],
      ['b', '1'],
    ],
    'by bytes, not by characters',
  )
  t.strictSame(
    split([target('a'), target('too long'), target('b')], { requestBytes: 6 }),
    [
      ['a', '0'],
      ['too long', '1'],
      ['b', '2'],
    ],
    'a token that exceeds the bound goes alone',
  )
  t.throws(() => split([target('a', 2)]), RangeError)

  const [first, second] = requestsOf([payload, { head: '{', tail: '}' }], [target('a', 1), target('b')], {
    tokensPerRequest: 3,
    requestBytes: 100,
  })
  t.strictSame(first?.payload, { head: '{', tail: '}' })
  t.equal(second?.payload, payload)
})

type Given = { status?: number; body?: unknown; retryAfter?: string }
const responseOf = ({ status = 200, body = '', retryAfter }: Given) =>
  readResponse({
    kind: 'response',
    status,
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const outcomesOf = (given: Given, tokens = ['t1']) => hmsOutcomes(responseOf(given), tokens, NOW)

t.test('what each code means', async (t) => {
  const byKind = Object.groupBy(HMS_CODES, ([, kind]) => kind)
  const codesOf = (kind: keyof typeof byKind) => byKind[kind]?.map(([code]) => code)
  t.strictSame(codesOf('retry'), ['80100017', '80300029', '80600003', '81000001'])
  t.strictSame(codesOf('credentials-error'), [
    '80200001',
    '80200003',
    '80200005',
    '80300002',
    '80300036',
    '80300037',
    '82000012',
    '82000013',
  ])
  t.strictSame(codesOf('token-doubtful'), ['80300007'])
  t.equal(codesOf('token-gone'), undefined, 'a code is about the whole request')
  const failed = ['80100001', '80100002', '80100003', '80100004', '80100013', '80100016', '80100018', '80100022']
  const topics = Array.from({ length: 11 }, (_, index) => String(82_000_001 + index))
  t.strictSame(codesOf('failed'), [...failed, '80300008', '80300010', '80300011', '80300030', ...topics])

  for (const [code, kind] of HMS_CODES) {
    const outcome = { kind, reason: `${code} Words of Huawei` }
    const body = { code, msg: 'Words of Huawei', requestId: 'r' }
    t.strictSame(outcomesOf({ body }, ['t1', 't2']), [outcome, outcome], code)
    t.strictSame(outcomesOf({ status: 400, body }), [outcome], `${code} with HTTP 400`)
  }
})

t.test('success', async (t) => {
  const body = { code: '80000000', msg: 'Success', requestId: '157' }
  t.strictSame(outcomesOf({ body }, ['t1', 't2']), [
    { kind: 'sent', id: '157' },
    { kind: 'sent', id: '157' },
  ])
  t.strictSame(outcomesOf({ body: { code: 80_000_000 } }), [{ kind: 'sent' }])
})

t.test('partial success', async (t) => {
  const tokens = ['t1', 't2', 't3', 't4']
  const partial = (msg: unknown) => outcomesOf({ body: { code: '80100000', msg, requestId: 'r' } }, tokens)
  const sent = { kind: 'sent', id: 'r' }
  const gone = { kind: 'token-gone', reason: '80100000 illegal token' }

  const cases: [name: string, msg: unknown, outcomes: object[]][] = [
    ['a list', '{"success":2,"failure":2,"illegal_tokens":["t4","t2"]}', [sent, gone, sent, gone]],
    ['a list that is no text', { illegal_tokens: ['t1'] }, [gone, sent, sent, sent]],
    ['tokens of others and other things in the list', '{"illegal_tokens":["x",7,null,"t3"]}', [sent, sent, gone, sent]],
    [
      'lists by reason',
      '{"illegalTokens":{"tokenFormatError":["t2"],"noRight":["t3"],"somethingNew":["t4"]},"success":1,"failure":3}',
      [
        sent,
        { kind: 'token-gone', reason: '80100000 tokenFormatError' },
        { kind: 'failed', reason: '80100000 noRight' },
        { kind: 'failed', reason: '80100000 somethingNew' },
      ],
    ],
  ]
  for (const [name, msg, outcomes] of cases) t.strictSame(partial(msg), outcomes, name)

  t.test('of which nothing was a success proves nothing about a token', async (t) => {
    const doubtful = { kind: 'token-doubtful', reason: '80100000 illegal token' }
    t.strictSame(
      partial('{"illegal_tokens":["t1","t2","t3","t4"]}'),
      tokens.map(() => doubtful),
    )
  })

  t.test('that does not say for whom is neither called sent nor sent again', async (t) => {
    const failed = { kind: 'failed', reason: '80100000 without the tokens it refused' }
    for (const msg of ['Partial success', '{"illegal_tokens":', '{}', '{"illegal_tokens":["x"]}', null, 7, undefined]) {
      t.strictSame(
        partial(msg),
        tokens.map(() => failed),
        JSON.stringify(msg),
      )
    }
  })
})

t.test('what each reason of a refused token means', async (t) => {
  for (const [reason, kind] of HMS_TOKEN_REASONS) {
    const msg = JSON.stringify({ illegalTokens: { [reason]: ['t2'] }, success: 1, failure: 1 })
    const [, partly] = outcomesOf({ body: { code: '80100000', msg } }, ['t1', 't2'])
    t.strictSame(partly, { kind, reason: `80100000 ${reason}` })
    const unproven = kind === 'token-gone' ? 'token-doubtful' : kind
    t.strictSame(outcomesOf({ body: { code: '80300007', msg } }, ['t2']), [
      { kind: unproven, reason: `80300007 ${reason}` },
    ])
  }
  t.strictSame(
    HMS_TOKEN_REASONS.filter(([, kind]) => kind === 'token-gone').map(([reason]) => reason),
    ['tokenFormatError'],
  )
  t.strictSame(outcomesOf({ body: { code: '80300007', msg: '{"illegal_tokens":["t1"]}' } }, ['t1', 't2']), [
    { kind: 'token-doubtful', reason: '80300007 illegal token' },
    { kind: 'token-doubtful', reason: '80300007' },
  ])
})

t.test('outcomes beyond the tables', async (t) => {
  const cases: [given: Given, outcome: object][] = [
    [{ body: { code: '80999999', msg: 'New' } }, { kind: 'failed', reason: '80999999 New' }],
    [{ body: { code: '80999999', msg: '' } }, { kind: 'failed', reason: '80999999' }],
    [{ body: { code: '80100003', msg: 'x'.repeat(500) } }, { kind: 'failed', reason: `80100003 ${'x'.repeat(91)}` }],
    [
      { status: 500, body: { code: '80999999' } },
      { kind: 'retry', reason: '80999999' },
    ],
    [{ status: 400 }, { kind: 'failed', reason: 'HTTP 400' }],
    [{ status: 302 }, { kind: 'failed', reason: 'HTTP 302' }],
    [{ status: 401 }, { kind: 'credentials-error', reason: 'HTTP 401' }],
    [
      { status: 403, body: '<html>' },
      { kind: 'credentials-error', reason: 'HTTP 403' },
    ],
    [{ status: 404 }, { kind: 'credentials-error', reason: 'HTTP 404' }],
    [{ status: 429 }, { kind: 'retry', reason: 'HTTP 429' }],
    [{ status: 500 }, { kind: 'retry', reason: 'HTTP 500' }],
    [
      { status: 502, body: '<html>' },
      { kind: 'retry', reason: 'HTTP 502' },
    ],
    [
      { status: 503, retryAfter: '3' },
      { kind: 'retry', reason: 'HTTP 503', notBefore: NOW + 3_000 },
    ],
    [
      { status: 503, retryAfter: 'soon' },
      { kind: 'retry', reason: 'HTTP 503' },
    ],
    [
      { status: 500, body: { code: '81000001', msg: 'Inner' }, retryAfter: '1' },
      { kind: 'retry', reason: '81000001 Inner', notBefore: NOW + 1_000 },
    ],
    ...['', '<html>', 'null', '[]', '7', '"80000000"', '{"code":null}', '{"code":{}}', '{"msg":"Success"}'].map(
      (body): [Given, object] => [{ body }, { kind: 'retry', reason: 'Unknown: HTTP 200 without a code' }],
    ),
  ]
  for (const [given, outcome] of cases) t.strictSame(outcomesOf(given), [outcome], JSON.stringify(given))
})

t.test('responses that require another access token, or fewer requests', async (t) => {
  const cases: [given: Given, access: boolean, limiter: boolean][] = [
    [{ body: { code: '80200001' } }, true, false],
    [{ body: { code: '80200003' } }, true, false],
    [{ status: 401 }, true, false],
    [{ status: 403 }, true, false],
    [{ status: 401, body: { code: '80200001' } }, true, false],
    [{ status: 403, body: { code: '80300002' } }, false, false],
    [{ status: 404 }, false, false],
    [{ body: { code: '80000000' } }, false, false],
    [{ status: 503 }, false, true],
    [{ status: 429 }, false, true],
    [{ status: 502 }, false, false],
  ]
  for (const [given, access, limiter] of cases) {
    t.equal(refusesAccess(responseOf(given)), access, JSON.stringify(given))
    t.equal(isThrottled(responseOf(given)), limiter, JSON.stringify(given))
  }
})

t.test('credentials as stored', async (t) => {
  const credentials = { projectId: '736430079245', clientId: '104', clientSecret: 'š3cr3t & more' }
  const secret = hmsSecret(credentials)
  t.strictSame(readHmsCredentials({ projectId: '736430079245' }, secret), credentials)

  const { projectId } = credentials
  const cases: [name: string, settings: Record<string, string | null>, secret: string | Buffer, hint: RegExp][] = [
    ['no project', {}, secret, /lack "projectId"/],
    ['a null project', { projectId: null }, secret, /lack "projectId"/],
    ['a blank project', { projectId: ' ' }, secret, /lack "projectId"/],
    ['a project with blanks', { projectId: '1 2' }, secret, /without blanks/],
    ['no JSON', { projectId }, 'š3cr3t', /not the JSON/],
    ['nothing', { projectId }, '', /not the JSON/],
    ['null', { projectId }, 'null', /lack "clientId"/],
    ['no client', { projectId }, '{"clientSecret":"š3cr3t"}', /lack "clientId"/],
    ['a blank secret', { projectId }, '{"clientId":"104","clientSecret":"  "}', /lack "clientSecret"/],
    ['a secret of another kind', { projectId }, '{"clientId":"104","clientSecret":7}', /lack "clientSecret"/],
    ['two lines', { projectId }, '{"clientId":"104","clientSecret":"š3cr3t\\n"}', /"clientSecret" must not/],
  ]
  for (const [name, settings, given, hint] of cases) {
    const error = refusalOf(() => readHmsCredentials(settings, Buffer.from(given)))
    t.ok(error instanceof InvalidCredentials, name)
    t.match(error.message, hint, name)
    t.notMatch(`${error.message} ${String(error.cause)}`, /š3cr3t/, `${name}: nothing of the secret is shown`)
  }
})

function refusalOf(act: () => unknown): Error {
  try {
    act()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was refused')
}
