// What arrival.test.ts shows of payloads, over the whole way in small numbers: messages, campaigns and registrations through the API
// to the phones of all providers. The members come from the API's own description.
import { randomInt, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { normaliseToken, PLATFORM_NAMES, PLATFORMS, platformOf, type Platform } from '@push-server/contract'
import { startSimulator, type Push } from '@push-server/simulator'
import {
  APP,
  generateCredentials,
  openTestStack,
  operationsOf,
  waitFor,
  type RequestSchema,
  type Response,
} from '@push-server/testing'
import { arrivalProblem } from './_arrival.ts'
import { ANYTHING, placeOf, readExceptions } from './_exceptions.ts'
import { addHuaweiAccount, kindOf, newInstallationId, phonesOfEveryKind } from './_kinds.ts'
import { isRaw, membersOf, placed, valuesOf, type Member, type Values } from './_members.ts'

t.setTimeout(1_800_000)
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)

const SAMPLES = 3
const rows = readExceptions('What arrives otherwise than it was given')

// Both fakes have one authority, so that the worker trusts either.
const certificateDir = await mkdtemp(join(tmpdir(), 'push-arrival-'))
const development = await startSimulator({ certificateDir })
const stack = await openTestStack({
  simulator: { certificateDir },
  environment: { APNS_DEVELOPMENT_URL: development.apns.origin },
})
t.teardown(async () => {
  await stack.close()
  await development.stop()
  await rm(certificateDir, { recursive: true })
})
const { api, simulator } = stack
await stack.configure(APP, PLATFORMS)
await addHuaweiAccount(stack, APP)

/** An application in development: only to its phones is the environment of a registration a choice. */
const DEVELOPED = 'developed-app'
await stack.configure(DEVELOPED, PLATFORMS)
await addHuaweiAccount(stack, DEVELOPED)
const { secret, settings } = generateCredentials.ios()
await stack.context.store.credentials.put(
  { applicationId: (await stack.context.store.applications.find(DEVELOPED))?.id ?? 0, platform: 'ios' },
  { secret, settings: { ...settings, environment: 'development' } },
)
const operations = operationsOf((await api.get('/v3/api-docs')).body)

function requestOf(path: string): RequestSchema {
  const schema = operations.find((operation) => operation.method === 'POST' && operation.path === path)?.body?.schema
  return partOf(schema, 'requestObject')
}
function partOf(schema: RequestSchema | undefined, name: string): RequestSchema {
  const part = schema?.properties?.[name]
  if (!part) throw new Error(`nothing is called ${name}`)
  return part
}

const samplesOf = ({ schema }: Member, count = SAMPLES) => fc.sample(valuesOf(schema), { seed, numRuns: count })
const hex = () => randomUUID().replaceAll('-', '')

/** A user of their own with a phone of each platform and of each other kind of tokens. */
async function newUser(): Promise<{ userId: string; tokens: readonly string[] }> {
  const userId = randomUUID()
  const phones = phonesOfEveryKind()
  for (const phone of phones) await stack.register({ userId, ...phone })
  return { userId, tokens: phones.map(({ token }) => token) }
}

const pushesTo = (tokens: readonly string[]) => simulator.pushes.filter(({ token }) => tokens.includes(token))

/** Everything that is wrong with what the phones got. */
function problemsOf(pushes: readonly Push[], member: Member, values: Values): string[] {
  return pushes.flatMap((push) => {
    const { headers, payload, receivedAt } = push
    const place = placeOf(push.platform, kindOf(push))
    const arrived = { place, appId: APP, values, dataOnly: false, headers, payload, now: receivedAt.getTime() }
    return arrivalProblem(member, { arrived, twin: () => undefined }, { rows, met: new Set() }) ?? []
  })
}

/** A refusal names the member or, for its size, the body as a whole. */
const isNamed = ({ status, body }: Response, path: string, whole: string) =>
  status === 400 &&
  body.responseObject.violations.every(
    ({ fieldName }: { fieldName: string }) =>
      fieldName === whole || fieldName === path || fieldName.startsWith(`${path}[`) || fieldName.startsWith(`${path}.`),
  )

const choosesDevices = ({ name }: Member) =>
  rows.some(
    ({ members, places, given }) =>
      members.includes(name) && places.includes('ios') && places.length > 1 && given === ANYTHING,
  )

/** Other formats in which a value may come; the phone gets the schema's. */
function otherFormats({ schema }: Member): { sent: unknown; means: unknown }[] {
  // Of a time the description says less than is accepted: digits are seconds.
  if (schema.type === 'string' && !schema.enum && schema.format === undefined)
    return [4711, true].map((sent) => ({ sent, means: String(sent) }))
  return schema.type === 'integer' ? [{ sent: '42', means: 42 }] : []
}

t.test('every member of a message', async (t) => {
  const members = membersOf(partOf(requestOf('/push/message/send'), 'message'))
  for (const member of members.filter((each) => !choosesDevices(each) && !isRaw(each))) {
    const cases = [...samplesOf(member).map((sent) => ({ sent, means: sent })), ...otherFormats(member)]
    for (const { sent, means } of [...cases, { sent: null, means: null }]) {
      const { userId, tokens } = await newUser()
      const others = { title: 'A title', body: 'A text', titleLocKey: 'title.key', bodyLocKey: 'body.key' }
      const values = { ...others, userId, [member.name]: sent }
      const response = await api.post('/push/message/send', { appId: APP, message: placed(members, values) })
      const path = `requestObject.message.${member.path.join('.')}`
      const what = `${member.name}: ${JSON.stringify(sent)?.slice(0, 80)}: ${JSON.stringify(response.body).slice(0, 300)}`
      if (response.status !== 200) t.ok(isNamed(response, path, 'requestObject.message.body'), what)
      else {
        t.match(
          response.body.responseObject.result,
          { ios: { sent: 1 }, android: { sent: 2 }, huawei: { sent: 2 } },
          what,
        )
        t.same(problemsOf(pushesTo(tokens), member, { ...values, [member.name]: means }), [], what)
      }
    }
  }
})

t.test('every member of a campaign', async (t) => {
  const members = membersOf(partOf(requestOf('/push/campaign/create'), 'message')).filter((each) => !isRaw(each))
  await Promise.all(
    members.map(async (member) => {
      const { userId, tokens } = await newUser()
      const [value] = samplesOf(member, 1)
      const values = { title: 'A title', [member.name]: value }
      const created = await api.post('/push/campaign/create', { appId: APP, message: placed(members, values) })
      const what = `${member.name}: ${JSON.stringify(value)?.slice(0, 80)}`
      if (created.status !== 200) {
        const path = `requestObject.message.${member.path.join('.')}`
        return t.ok(isNamed(created, path, 'requestObject.message'), `${what}: ${JSON.stringify(created.body)}`)
      }
      const { id } = created.body.responseObject
      await api.post(`/push/campaign/${id}/user/add`, [userId])
      await api.post(`/push/campaign/send/live/${id}`, {})
      const pushes = await waitFor(`the pushes of ${what}`, () => {
        const arrived = pushesTo(tokens)
        return arrived.length === tokens.length && arrived
      })
      t.same(problemsOf(pushes, member, values), [], what)
    }),
  )
})

t.test('what was changed without a word is refused by name', async (t) => {
  const { userId } = await newUser()
  const raw = (body: string) =>
    api.call('POST', '/push/message/send', {
      body: `{"requestObject":{"appId":"${APP}","message":{"userId":"${userId}","body":${body}}}}`,
    })
  const cases: [body: string, field: string][] = [
    [`{"title":"T","validUntil":${Date.now() + 60_000}}`, 'validUntil'],
    ['{"title":"T","validUntil":"2026-02-30T12:00:00Z"}', 'validUntil'],
    ['{"extras":{"id":12345678901234567890}}', 'extras'],
    ['{"extras":{"deep":[{"id":-9007199254740993}]}}', 'extras'],
    ['{"extras":{"huge":1e400}}', 'extras'],
    ['{"extras":{"__proto__":{"a":1}}}', 'extras.__proto__'],
    ['{"extras":{"list":[{"constructor":{"prototype":{}}}]}}', 'extras.list[0].constructor.prototype'],
    ['{"extras":{"aps":{}}}', 'extras'],
  ]
  for (const [body, field] of cases) {
    const { status, body: response } = await raw(body)
    const names = response.responseObject.violations?.map(({ fieldName }: { fieldName: string }) => fieldName)
    t.same([status, names], [400, [`requestObject.message.body.${field}`]], `${body}: ${JSON.stringify(response)}`)
  }
  const { body: ok } = await raw(`{"title":"T","validUntil":${Math.ceil(Date.now() / 1_000) + 60.25}}`)
  t.equal(ok.status, 'OK', 'seconds')
})

t.test('a campaign for later keeps the time until which it is valid', async (t) => {
  const validUntil = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 60 * 86_400_000)
  const message = { title: 'In two months', validUntil: validUntil.toISOString() }
  const { body } = await api.post('/push/campaign/create', { appId: APP, message })
  const [row] = await stack.database.query<{ until: Date }>(
    `SELECT valid_until AS until FROM campaigns WHERE id = ${Number(body.responseObject.id)}`,
  )
  t.same(row?.until, validUntil)
})

interface Registered {
  values: Values
  platform: Platform
  token: string
}

/** What shows that a member of a registration has its effect; a member that is not here fails the test below. */
const OBSERVED: Readonly<Record<string, (registered: Registered) => Promise<boolean> | boolean>> = {
  appId: async (one) => (await messageTo(one, {})) === 1,
  userId: async (one) => (await messageTo(one, {})) === 1,
  token: async (one) => (await messageTo(one, {})) === 1,
  platform: ({ token, platform }) => pushesWith(token).every((push) => push.platform === platform),
  tokenKind: ({ values, platform, token }) => {
    const expected = platform === 'android' && values['tokenKind'] === 'fid' ? 'fid' : undefined
    return pushesWith(token).every((push) => push.platform !== 'android' || kindOf(push) === expected)
  },
  huaweiApi: ({ values, platform, token }) => {
    const expected = platform === 'huawei' && values['huaweiApi'] === 3 ? 'v3' : undefined
    return pushesWith(token).every((push) => push.platform !== 'huawei' || kindOf(push) === expected)
  },
  activationId: async (one) => (await messageTo(one, { activationId: one.values['activationId'] })) === 1,
  activationStatus: async (one) =>
    (await messageTo(one, { attributes: { personal: true } })) ===
    (['ACTIVE', undefined, null].some((status) => one.values['activationStatus'] === status) ? 1 : 0),
  environment: ({ values, platform, token }) => {
    const isDevelopment = platform === 'ios' && String(values['environment']).toLowerCase() !== 'production'
    return development.pushes.some((push) => push.token === token) === isDevelopment
  },
}

const pushesWith = (token: string) =>
  [...simulator.pushes, ...development.pushes].filter((push) => push.token === token)

/** How many pushes come of a message to the user. */
async function messageTo({ values, token }: Registered, more: object): Promise<number> {
  const before = pushesWith(token).length
  const message = { userId: values['userId'], body: { title: 'Hello' }, ...more }
  await api.post('/push/message/send', { appId: values['appId'], message })
  return pushesWith(token).length - before
}

/** Some valid request for each name of a platform. */
function registrations(members: readonly Member[]): Values[] {
  return PLATFORM_NAMES.map((name, index) => {
    const sample = ({ schema }: Member) => fc.sample(fc.option(valuesOf(schema)), { seed: seed + index, numRuns: 1 })[0]
    const values = Object.fromEntries(members.map((member) => [member.name, sample(member)]))
    const own = { appId: DEVELOPED, userId: randomUUID(), activationId: randomUUID(), platform: name.toUpperCase() }
    return { ...values, ...own, token: tokenOf(platformOf(name), values) }
  })
}

function tokenOf(platform: Platform | undefined, { tokenKind }: Values): string {
  if (platform === 'ios') return `<${hex().toUpperCase()} ${hex()}>`
  return platform === 'android' && tokenKind === 'fid' ? newInstallationId() : `${hex()}:~_-${hex()}`
}

async function observe(t: Test, members: readonly Member[], register: (values: Values) => Promise<Response>) {
  t.same(
    members.map(({ name }) => name).filter((name) => !OBSERVED[name]),
    [],
    'every member is observed',
  )
  for (const values of registrations(members)) {
    const response = await register(values)
    const what = `${JSON.stringify(values)}: ${JSON.stringify(response.body)}`
    if (values['activationStatus'] === 'REMOVED') {
      t.equal(response.status, 400, what)
      continue
    }
    t.equal(response.status, 200, what)
    const platform = platformOf(String(values['platform'])) ?? 'ios'
    const token = normaliseToken(platform, String(values['token']))
    for (const { name } of members) t.ok(await OBSERVED[name]?.({ values, platform, token }), `${name} of ${what}`)
  }
}

t.test('every member of a registration', async (t) => {
  const members = membersOf(requestOf('/push/device/create'))
  await observe(t, members, (values) => api.post('/push/device/create', placed(members, values)))
  const others = membersOf(requestOf('/push/device/create/multi'))
  const names = (list: readonly Member[]) =>
    list.map(({ name }) => name.replace('activationIds', 'activationId')).toSorted()
  t.same(names(others), names(members), 'several activations have the same members')
})

t.test('texts of a registration that could not arrive are refused by name', async (t) => {
  const register = (more: object) =>
    api.post('/push/device/create', { appId: APP, activationId: randomUUID(), userId: 'u', ...more })
  for (const platform of PLATFORMS)
    for (const token of ['a b', ' ab', 'ab\n', 'äb', platform === 'ios' ? 'xyz' : '\u00a0']) {
      const response = await register({ platform, token })
      const joins = platform === 'ios' && /^[\sab]+$/.test(token)
      if (joins) t.equal(response.status, 200, `blanks do not count on ios: ${JSON.stringify(token)}`)
      else
        t.ok(isNamed(response, 'requestObject.token', ''), `${platform} ${JSON.stringify(token)}: ${response.status}`)
    }
})
