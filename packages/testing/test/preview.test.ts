// A preview is what the phones get: fifty messages by chance are previewed, sent and compared. Nothing is stored by a preview, and it
// shows no token. PROPERTY_SEED runs the same again.
import { randomInt, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { PLATFORMS, SendMessageRequest, type Message, type Platform } from '@push-server/contract'
import type { Push } from '@push-server/simulator'
import { APP, openTestStack, waitFor, type RequestSchema } from '@push-server/testing'
import { canonical } from './_exceptions.ts'
import { addHuaweiAccount, kindOf, phonesOfEveryKind } from './_kinds.ts'
import { isRaw, membersOf, placed, valuesOf } from './_members.ts'

t.setTimeout(900_000)
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)

const MESSAGES = 50
/** The seconds that are left of it go on between the preview and the push. */
const TIMED = 'validUntil'

const stack = await openTestStack()
t.teardown(() => stack.close())
const { api, simulator } = stack
await stack.configure(APP, PLATFORMS)
await addHuaweiAccount(stack, APP, 'FINANCE')
await api.post('/admin/app/raw-blocks', { appId: APP, enabled: true })

const hex = () => randomUUID().replaceAll('-', '')
async function newUser() {
  const userId = randomUUID()
  const phones = phonesOfEveryKind()
  // An activation that the token is no part of.
  for (const phone of phones) await stack.register({ userId, activationId: randomUUID(), ...phone })
  return { userId, tokens: phones.map(({ token }) => token) }
}

const members = membersOf((SendMessageRequest as RequestSchema).properties?.['message'] ?? {}).filter(
  (member) => !isRaw(member) && !['userId', 'activationId', 'sendAt', TIMED].includes(member.name),
)
const messages = fc
  .tuple(
    fc.record(Object.fromEntries(members.map(({ name, schema }) => [name, valuesOf(schema)]))),
    fc.subarray(
      members.map(({ name }) => name),
      { minLength: 1, maxLength: 8 },
    ),
    fc.constantFrom<object>(
      {},
      {},
      { apns: { headers: { 'apns-priority': '1' }, payload: { more: [1] } } },
      { fcm: { data: { raw: 'x' }, android: { notification: { body: null } } } },
      { hms: { android: { category: 'WORK', data: 'raw' } } },
    ),
  )
  .map(([values, chosen, raw]) => {
    const given = Object.fromEntries(Object.entries(values).filter(([name]) => chosen.includes(name)))
    const message = placed(members, given)
    return { ...message, body: { title: 'T', ...(message['body'] as object), ...raw } }
  })

const storedRows = async () => {
  const [row] = await stack.database.query<{ rows: number }>(
    'SELECT ((SELECT count(*) FROM messages) + (SELECT count(*) FROM deliveries) + (SELECT count(*) FROM campaigns))::int AS rows',
  )
  return row?.rows
}

const TOKEN = 'token-of-the-device'
const INSTALLATION = 'id-of-the-installation'
const NO_ID = '00000000-0000-0000-0000-000000000000'
interface Shown {
  headers: Record<string, string>
  payload: { message?: Record<string, unknown>; target?: { token: unknown } }
  refused: unknown[]
  unshown?: unknown[]
}

/** The payload without the part that a fake takes from it: the token. */
function payloadIn(t: Test, platform: Platform, kind: string | undefined, { payload }: Shown) {
  if (platform === 'ios') return payload
  const { target, ...request } = payload
  const { token = target?.token, fid, ...message } = payload.message ?? {}
  const expected = kind === 'fid' ? INSTALLATION : platform === 'android' ? TOKEN : [TOKEN]
  t.same(kind === 'fid' ? fid : token, expected, 'the target')
  t.equal(kind === 'fid' ? token : fid, undefined, 'and no other')
  return kind === 'v3' ? request : message
}

/** The members of objects in one order, of JSON in texts too: PostgreSQL keeps them in another, which means nothing. */
const canonicalTexts = (value: unknown): unknown =>
  JSON.parse(canonical(value), (_, part: unknown) => {
    if (typeof part !== 'string' || !/^[[{]/.test(part)) return part
    try {
      return canonical(canonicalTexts(JSON.parse(part)))
    } catch {
      return part
    }
  })

/** What a worker calls the message stands where the preview has an id that nothing has. */
const withoutId = (payload: object) =>
  JSON.parse(JSON.stringify(payload).replaceAll(/(appMessageId\\*":\\*")[0-9a-f-]{36}/g, `$1${NO_ID}`)) as object

function compare(t: Test, push: Push, preview: Shown): void {
  const { platform, headers, payload } = push
  const shown = payloadIn(t, platform, kindOf(push), preview)
  t.same(canonicalTexts(withoutId(payload)), canonicalTexts(shown), `${platform} ${kindOf(push)}`)
  for (const [name, value] of Object.entries(preview.headers)) t.equal(headers[name], value, name)
  if (platform === 'ios') t.equal(headers['apns-topic'], preview.headers['apns-topic'])
}

/** As the name of an assertion, which what separates lines, or is long, would end. */
const named = (value: unknown) =>
  JSON.stringify(value)
    .slice(0, 1_000)
    .replaceAll(/[^\x20-\x7e]|#/g, '?')

t.test('fifty messages', async (t) => {
  const counts = { sent: 0, refused: 0 }
  for (let round = 0; counts.sent < MESSAGES && round < 40; round += 1)
    for (const content of fc.sample(messages, { seed: seed + round, numRuns: 10 })) {
      if (counts.sent === MESSAGES) break
      const { userId, tokens } = await newUser()
      const message = { userId, ...content } as Partial<Message>
      const before = await storedRows()
      const preview = await api.post('/push/message/preview', { appId: APP, message })
      t.equal(await storedRows(), before, 'nothing is stored')
      t.notOk(
        tokens.some((token) => JSON.stringify(preview.body).includes(token)),
        'no token is shown',
      )
      const sent = await api.post('/push/message/send', { appId: APP, message })
      const what = named([message, preview.body])
      if (preview.status !== 200) {
        counts.refused += 1
        t.same(sent.body, preview.body, `refused alike: ${what}`)
        continue
      }
      const { platforms, kinds = [], deliveries } = preview.body.responseObject
      const isRefused = [...Object.values<Shown>(platforms), ...kinds].some(({ refused }) => refused.length > 0)
      const previewFor = (platform: Platform, kind: string | undefined): Shown =>
        kind === undefined
          ? platforms[platform]
          : kinds.find((one: { tokenKind?: string; huaweiApi?: number }) =>
              kind === 'fid' ? one.tokenKind : one.huaweiApi,
            )
      t.equal(sent.status, isRefused ? 400 : 200, what)
      if (isRefused) {
        counts.refused += 1
        continue
      }
      counts.sent += 1
      const expected = deliveries
        .filter(({ status }: { status: string }) => status === 'pending')
        .map(({ platform, tokenKind, huaweiApi }: Record<string, unknown>) => ({
          platform,
          kind: tokenKind ?? (huaweiApi === 3 ? 'v3' : undefined),
        }))
        .filter(({ platform, kind }: { platform: Platform; kind?: string }) => !previewFor(platform, kind).unshown)
        .map(({ platform, kind }: { platform: Platform; kind?: string }) => `${platform} ${kind}`)
      const pushesNow = () => simulator.pushes.filter(({ token }) => tokens.includes(token))
      // On a busy machine the response may come before the last push.
      await waitFor(`the pushes of ${what}`, () => pushesNow().length >= expected.length)
      const pushes = pushesNow()
      t.same(
        pushes.map((push) => `${push.platform} ${kindOf(push)}`).toSorted(),
        expected.toSorted(),
        'those get it that would get it',
      )
      for (const push of pushes) compare(t, push, previewFor(push.platform, kindOf(push)))
    }
  t.equal(counts.sent, MESSAGES, JSON.stringify(counts))
})

t.test('who would get it, and who would not', async (t) => {
  const { userId } = await newUser()
  await stack.register({ userId, platform: 'ios', token: hex(), status: 'BLOCKED' })
  const message = { userId, platforms: ['ios', 'huawei'], attributes: { personal: true }, body: { title: 'T' } }
  const { body } = await api.post('/push/message/preview', { appId: APP, message })
  t.same(
    body.responseObject.deliveries
      .map(({ platform, status, reason = '' }: Record<string, string>) => `${platform} ${status} ${reason}`.trim())
      .toSorted(),
    [
      'android skipped NotSelected',
      'android skipped NotSelected',
      'huawei pending',
      'huawei pending',
      'ios pending',
      'ios skipped NotActive',
    ],
  )
  t.same(Object.keys(body.responseObject.platforms), ['ios', 'huawei'])
})

t.test('what is too large is shown with its size, and far too large with why', async (t) => {
  const preview = async (size: number) =>
    (
      await api.post('/push/message/preview', {
        appId: APP,
        message: { userId: 'u', body: { body: 'x'.repeat(size) } },
      })
    ).body.responseObject.platforms.ios
  const bytes = Buffer.byteLength(JSON.stringify({ aps: { alert: { body: 'x'.repeat(5_000) } } }))
  t.match(await preview(5_000), { bytes, limit: 4_096, refused: [{ fieldName: 'requestObject.message.body' }] })
  const far = await preview(20_000)
  t.equal(far.payload, undefined)
  t.match(far.refused, [{ fieldName: 'requestObject.message.body' }])
})

t.test(
  'a phone of HarmonyOS 5 shows nothing of texts by their keys: the preview says so, and the worker',
  async (t) => {
    const { userId } = await newUser()
    const message = { userId, platforms: ['huawei'], body: { titleLocKey: 'k' } }
    const { body } = await api.post('/push/message/preview', { appId: APP, message })
    const [shown] = body.responseObject.kinds
    t.match(shown, {
      platform: 'huawei',
      huaweiApi: 3,
      refused: [],
      unshown: [{ fieldName: /titleLocKey$/, hint: /NoText/ }],
    })
    t.notOk('payload' in shown)
    t.match(body.responseObject.platforms.huawei.payload, {
      message: { android: { notification: { title_loc_key: 'k' } } },
    })
    const sent = await api.post('/push/message/send', { appId: APP, message })
    t.match(sent.body.responseObject.result.huawei, { sent: 1, failed: 1 })
  },
)

t.test('with a service account alone the platform is HarmonyOS 5; without one there are no other kinds', async (t) => {
  const appId = 'of-harmony'
  await stack.configure(appId, [])
  await addHuaweiAccount(stack, appId)
  const preview = async (given: string, message: object = { userId: 'u', body: { title: 'T' } }) =>
    (await api.post('/push/message/preview', { appId: given, message })).body.responseObject
  const alone = await preview(appId)
  t.match(alone.platforms.huawei, { huaweiApi: 3, headers: { 'push-type': '0' } })
  t.notOk('kinds' in alone)
  t.match((await preview(appId, { userId: 'u', body: { title: 'T', threadId: 'x' } })).platforms.huawei.ignored, [
    'requestObject.message.body.threadId',
  ])
  await stack.configure('of-others', PLATFORMS)
  t.notOk('kinds' in (await preview('of-others')))
})

t.test('of a campaign, which is not created', async (t) => {
  const before = await storedRows()
  const request = { appId: APP, platforms: ['fcm'], message: { title: 'T', icon: 'i', subtitle: 'S' } }
  const { body } = await api.post('/push/campaign/preview', request)
  t.match(body.responseObject.platforms, {
    android: { payload: { message: { android: { notification: { title: 'T', icon: 'i' } } } }, refused: [] },
  })
  t.same(body.responseObject.platforms.android.ignored, ['requestObject.message.subtitle'])
  t.same(Object.keys(body.responseObject.platforms), ['android'])
  t.equal(await storedRows(), before)
})
