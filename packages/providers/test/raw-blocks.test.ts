// Raw blocks by chance, as hostile as they come: whatever they say, target, topic, push type and path stay ours, and what is accepted
// is within the limit. PROPERTY_SEED runs the same again; `npm run test:long` has a hundred thousand cases.
import { randomInt } from 'node:crypto'
import fc, { type Arbitrary } from 'fast-check'
import t from 'tap'
import { PLATFORMS, type MessageBody, type Platform } from '@push-server/contract'
import { readConfig } from '@push-server/runtime'
import { examinePush } from '@push-server/simulator'
import { excessProblem, PROVIDERS, rawBlockProblems, type PushMessage } from '../src/index.ts'
import { mergePatch } from '../src/raw-blocks/merge-patch.ts'

const RUNS = process.env.TEST_LONG ? 100_000 : 3_000
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)
t.setTimeout(600_000)

const NOW = Date.UTC(2026, 0, 1)
const TOKEN = 'aabbccdd'
const CONTEXT = { config: readConfig({}), appId: 'mobile-app', now: NOW }

const build = (platform: Platform, message: PushMessage) =>
  PROVIDERS[platform].draft(message, { token: TOKEN, settings: { bundle: 'com.example.app' } }, CONTEXT)

t.test('merge patches, as RFC 7396 has them', async (t) => {
  const cases: [target: object, patch: Record<string, unknown>, merged: object][] = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{ a: 'foo' }, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ]
  for (const [target, patch, merged] of cases) {
    const before = JSON.stringify([target, patch])
    t.same(JSON.parse(JSON.stringify(mergePatch(target, patch))), merged, before)
    t.equal(JSON.stringify([target, patch]), before, 'neither is changed')
  }
  const polluted = JSON.parse('{"__proto__":{"polluted":true}}')
  mergePatch({}, polluted)
  t.notOk(Object.hasOwn(Object.prototype, 'polluted'))
})

/** Names that mean something to a provider, to JavaScript or to HTTP, and that a caller may try. */
const NAMES =
  'token fid topic condition name validate_only validateOnly message target aps alert content-available badge sound thread-id data notification android apns webpush fcm_options fcmOptions collapse_key priority ttl title body v3 payload headers pushOptions testMessage restricted_package_name live_activity_token from gcm.x apns-priority apns-topic apns-push-type apns-collapse-id apns-expiration apns-id authorization :path :method host content-length Apns-Topic APNS-PRIORITY __proto__ constructor prototype toString é'
    .split(' ')
    .concat('')
const leaf = fc.oneof(
  fc.constant(null),
  fc.constantFrom<unknown>(
    1,
    5,
    10,
    -1,
    100,
    2 ** 53,
    true,
    '10',
    '5',
    'evil',
    'a\r\nb: c',
    '1767225600',
    TOKEN,
    [],
    {},
  ),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.nat(200).map((size) => 'x'.repeat(size * 30)),
)
const { json } = fc.letrec<{ json: unknown; object: Record<string, unknown> }>((tie) => ({
  json: fc.oneof({ maxDepth: 4, depthSize: 'small' }, leaf, tie('object'), fc.array(leaf, { maxLength: 3 })),
  object: fc
    .array(fc.tuple(fc.constantFrom(...NAMES), tie('json')), { maxLength: 5 })
    .map((entries) => JSON.parse(objectText(entries)) as Record<string, unknown>),
}))
/** As a parser makes it of a text, so that `__proto__` is a member of its own. */
const objectText = (entries: readonly (readonly [string, unknown])[]) =>
  `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`

const objects = json.filter((value) => typeof value === 'object' && value !== null && !Array.isArray(value))
/** Half of them of the shape that the provider has, or nearly all would be refused for their first name. */
const shaped = (names: readonly string[]): Arbitrary<unknown> =>
  fc.oneof(
    objects,
    fc.record(Object.fromEntries(names.map((name) => [name, fc.oneof(objects, fc.constant({}))])), {
      requiredKeys: [],
    }),
  )
const headers = fc.record(
  {
    'apns-priority': fc.constantFrom<unknown>('1', '5', '10', 5, '7', null),
    'apns-collapse-id': fc.constantFrom<unknown>('key', ' key', 'x'.repeat(65), null),
    'apns-expiration': fc.constantFrom<unknown>('0', 1_767_225_600, '-1', null),
  },
  { requiredKeys: [] },
)
const aps = fc.record(
  {
    alert: fc.oneof(fc.constant(null), fc.constant({ body: 'raw' })),
    'content-available': fc.constantFrom(1, 0, null),
  },
  { requiredKeys: [] },
)
const BLOCKS: Record<Platform, { name: 'apns' | 'fcm' | 'hms'; block: Arbitrary<unknown> }> = {
  ios: {
    name: 'apns',
    block: fc.oneof(
      shaped(['headers', 'payload']),
      fc.record({ headers, payload: fc.oneof(objects, fc.record({ aps, more: json })) }, { requiredKeys: [] }),
    ),
  },
  android: { name: 'fcm', block: shaped(['data', 'notification', 'android', 'webpush', 'fcm_options', 'apns']) },
  huawei: { name: 'hms', block: shaped(['notification', 'android', 'v3']) },
}

interface Case {
  platform: Platform
  message: PushMessage
}
const cases: Arbitrary<Case> = fc.constantFrom(...PLATFORMS).chain((platform) =>
  fc.record({ silent: fc.boolean(), block: BLOCKS[platform].block }).map(({ silent, block }) => ({
    platform,
    message: {
      body: { title: 'T', body: 'B', extras: { a: 'b' }, collapseKey: '7', [BLOCKS[platform].name]: block },
      silent,
      priority: 'HIGH',
    },
  })),
)

const without = ({ apns: _apns, fcm: _fcm, hms: _hms, ...body }: MessageBody): MessageBody => body

const SETTABLE: ReadonlySet<string> = new Set(['apns-priority', 'apns-collapse-id', 'apns-expiration'])

/** What must be the same with and without the block. */
function targetOf(platform: Platform, { headers, body }: { headers: Readonly<Record<string, string>>; body: string }) {
  const request = JSON.parse(body)
  const fixed = Object.entries(headers).filter(([name]) => !SETTABLE.has(name))
  if (platform === 'ios') return { fixed }
  const { token, fid, topic, condition, name, validate_only, validateOnly, target } = request.message
  return {
    fixed,
    outer: Object.keys(request),
    target: { token, fid, topic, condition, name, validate_only, validateOnly, target },
  }
}

t.test('targets, topics and push types are ours, accepted or not', async (t) => {
  const counts = { accepted: 0, refused: 0 }
  const property = fc.property(cases, ({ platform, message }) => {
    const { [BLOCKS[platform].name]: block } = message.body
    const draft = build(platform, message)
    const plain = build(platform, { ...message, body: without(message.body) })
    const [own, expected] = [targetOf(platform, draft), targetOf(platform, plain)]
    if (JSON.stringify(own) !== JSON.stringify(expected))
      throw new Error(`${JSON.stringify(own)} for ${JSON.stringify(block)}`)
    for (const value of Object.values(draft.headers))
      if (!/^[\x20-\x7e]+$/.test(value)) throw new Error(`a header has ${JSON.stringify(value)}`)
    if (excessProblem(message) || rawBlockProblems(message.body).length > 0) return void (counts.refused += 1)
    if (PROVIDERS[platform].check(message, CONTEXT).length > 0) return void (counts.refused += 1)
    counts.accepted += 1
    const bytes = PROVIDERS[platform].bytes(message, CONTEXT)
    if (bytes > 4_096) throw new Error(`${bytes} bytes were accepted`)
    const examined = examinePush(platform, { token: TOKEN, ...draft })
    if (
      'refused' in examined &&
      /PayloadTooLarge|too big|80300008|BadPriority|BadCollapseId|BadExpirationDate/i.test(examined.refused)
    )
      throw new Error(`accepted, and the provider refuses it: ${examined.refused}`)
  })
  t.doesNotThrow(() => fc.assert(property, { seed, numRuns: RUNS }))
  t.ok(counts.accepted > RUNS / 20 && counts.refused > RUNS / 20, JSON.stringify(counts))
})

t.test('what is refused, and under which name', async (t) => {
  const cases: [body: MessageBody, field: string][] = [
    [{ apns: { headers: { 'apns-topic': 'com.other' } } }, 'body.apns.headers.apns-topic'],
    [{ apns: { headers: { 'apns-push-type': 'voip' } } }, 'body.apns.headers.apns-push-type'],
    [{ apns: { headers: { authorization: 'bearer x' } } }, 'body.apns.headers.authorization'],
    [{ apns: { headers: { ':path': '/x' } } }, 'body.apns.headers.:path'],
    [{ apns: { headers: { 'Apns-Priority': '5' } } }, 'body.apns.headers.Apns-Priority'],
    [{ apns: { headers: { 'apns-priority': '7' } } }, 'body.apns.headers.apns-priority'],
    [{ apns: { headers: { 'apns-collapse-id': 'a\r\nb' } } }, 'body.apns.headers.apns-collapse-id'],
    [{ apns: { payload: { aps: null } } }, 'body.apns.payload.aps'],
    [{ apns: { payload: { aps: [] } } }, 'body.apns.payload.aps'],
    [JSON.parse('{"apns":{"payload":{"a":{"__proto__":{}}}}}'), 'body.apns.payload.a.__proto__'],
    [{ fcm: { token: 'x' } }, 'body.fcm.token'],
    [JSON.parse(String.raw`{"fcm":{"tok\u0065n":"x"}}`), 'body.fcm.token'],
    [{ fcm: { fcmOptions: {} } }, 'body.fcm.fcmOptions'],
    [{ fcm: { android: { collapseKey: 'x' } } }, 'body.fcm.android.collapseKey'],
    [{ fcm: { android: { restricted_package_name: 'x' } } }, 'body.fcm.android.restricted_package_name'],
    [{ fcm: { data: { from: 'x' } } }, 'body.fcm.data.from'],
    [{ fcm: { data: { a: 1 } } }, 'body.fcm.data.a'],
    [{ fcm: { apns: { live_activity_token: 'x' } } }, 'body.fcm.apns.live_activity_token'],
    [{ hms: { token: ['x'] } }, 'body.hms.token'],
    [{ hms: { android: { collapse_key: 101 } } }, 'body.hms.android.collapse_key'],
    [{ hms: { v3: { target: {} } } }, 'body.hms.v3.target'],
    [{ hms: { v3: { pushOptions: { testMessage: true } } } }, 'body.hms.v3.pushOptions.testMessage'],
    [{ hms: { data: {} } }, 'body.hms.data'],
  ]
  for (const [body, field] of cases) {
    const [first] = rawBlockProblems(body)
    t.equal(first?.field, field, JSON.stringify(body))
  }
  const nested = (depth: number): Record<string, unknown> => (depth === 0 ? {} : { a: nested(depth - 1) })
  t.match(rawBlockProblems({ fcm: { data: nested(11) } })[0]?.hint, /nested/)
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`k${index}`, '']))
  t.match(rawBlockProblems({ fcm: { data: many } })[0]?.hint, /500 members/)
})

t.test('a member of the data that is named like the target, and null that removes', async (t) => {
  const message = (body: MessageBody): PushMessage => ({ body, silent: false, priority: 'HIGH' })
  const removed = { priority: null, notification: null }
  const { body: ofFcm } = build('android', message({ title: 'T', fcm: { data: { token: 'other' }, android: removed } }))
  t.same(JSON.parse(ofFcm), { message: { token: TOKEN, data: { token: 'other' }, android: {} } })
  for (const name of ['fcm', 'hms'] as const)
    t.same(rawBlockProblems({ [name]: { android: null } }), [
      { field: `body.${name}.android`, hint: 'must be an object' },
    ])
  // Whoever let it pass.
  t.equal(build('android', message({ fcm: { android: null } })).body, `{"message":{"android":{},"token":"${TOKEN}"}}`)
  t.equal(build('huawei', message({ hms: { android: null } })).body, `{"message":{"android":{},"token":["${TOKEN}"]}}`)
  const ofApns = build(
    'ios',
    message({ title: 'T', collapseKey: 'k', apns: { payload: { aps: { 'thread-id': null } } } }),
  )
  t.same(JSON.parse(ofApns.body), { aps: { alert: { title: 'T' } } })
  t.equal(ofApns.headers['apns-collapse-id'], 'k')
})

t.test('a payload that does not fit its push type', async (t) => {
  const problems = (silent: boolean, payload: Record<string, unknown>, priority?: string) =>
    PROVIDERS.ios
      .check(
        {
          body: { title: 'T', apns: { payload, ...(priority && { headers: { 'apns-priority': priority } }) } },
          silent,
          priority: 'HIGH',
        },
        CONTEXT,
      )
      .map(({ field }) => field)
  t.same(problems(true, { aps: { alert: 'x' } }), ['body.apns.payload.aps'])
  t.same(problems(true, { aps: { 'content-available': null } }), ['body.apns.payload.aps'])
  t.same(problems(false, { aps: { alert: null, 'content-available': 1 } }), ['body.apns.payload.aps'])
  t.same(problems(true, {}, '10'), ['body.apns.headers.apns-priority'])
  t.same(problems(true, { a: 1 }, '1'), [])
  t.same(problems(false, { aps: { 'content-available': 1 } }, '10'), [])
})
