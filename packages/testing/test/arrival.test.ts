// Whatever the API accepts reaches the phone as it was given, or is refused by name, or stands in the table of exceptions in
// docs/messages.md. Walks every member that the schemas have. PROPERTY_SEED runs the same again.
import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  ApiError,
  CreateCampaignRequest,
  NOTIFICATION_MEMBERS,
  SendMessageRequest,
  type Message,
  type Platform,
  type Violation,
} from '@push-server/contract'
import { checkPayloads, composeMessage, pushMessageOf } from '@push-server/domain'
import { PROVIDERS, type DraftDevice, type PushDraft, type PushMessage } from '@push-server/providers'
import { readConfig } from '@push-server/runtime'
import { examinePush, type Examined } from '@push-server/simulator'
import type { RequestSchema } from '@push-server/testing'
import { arrivalProblem, type Twin } from './_arrival.ts'
import {
  ANYTHING,
  HARMONY,
  PLACES,
  readExceptions,
  RULES,
  type Arrived,
  type Exception,
  type Place,
} from './_exceptions.ts'
import { isRaw, membersOf, placed, valuesOf, type Member, type Values } from './_members.ts'

const RUNS = 6_000
const MOST_ROUNDS = 20
const seed = Number(process.env.PROPERTY_SEED ?? randomInt(2 ** 31))
t.comment(`PROPERTY_SEED=${seed}`)

const APP = 'mobile-app'
const TOKEN = 'aabbccdd'
const FID = 'cWzL1yRkQ0mN0a9JcH7v2E'
/** The longest category, as sizes are counted with it. */
const SETTINGS = { bundle: 'com.example.app', category: 'DEVICE_REMINDER' }
/** As long as that of a stored message. */
const ID = '00000000-0000-0000-0000-000000000000'
const rows = readExceptions('What arrives otherwise than it was given')
const met = new Set<Exception>()

const partOf = (schema: object, name: string): RequestSchema =>
  (schema as RequestSchema).properties?.[name] ?? { type: 'null' }
const MEMBERS = membersOf(partOf(SendMessageRequest, 'message')).filter((member) => !isRaw(member))

t.test('the table and its rules have each other', async (t) => {
  t.ok(rows.length > 10, `${rows.length} rows`)
  const given = new Set(rows.map((row) => row.given))
  t.same(
    [...given].filter((text) => text !== ANYTHING && !RULES[text]),
    [],
    'every row has a rule',
  )
  t.same(
    Object.keys(RULES).filter((text) => !given.has(text)),
    [],
    'every rule has a row',
  )
  const names = new Set(MEMBERS.map(({ name }) => name))
  t.same(
    rows.flatMap(({ members }) => members.filter((name) => !names.has(name))),
    [],
    'every row is about a member',
  )
})

t.test('a campaign has the members of a body, and no others', async (t) => {
  const bodies = MEMBERS.filter(({ path }) => path[0] === 'body').map(({ name }) => name)
  t.same(
    membersOf(partOf(CreateCampaignRequest, 'message'))
      .filter((member) => !isRaw(member))
      .map(({ name }) => name),
    bodies,
  )
})

interface Sent {
  place: Place
  draft: PushDraft
  examined: Examined
}

const SHOWN = readConfig({})
const AS_DATA = readConfig({ FCM_DATA_ONLY: 'true', HMS_DATA_ONLY: 'true' })

interface Given {
  values: Values
  places: readonly Place[]
  /** Whether the Android phone has an installation id. */
  isFid: boolean
  /** Whether the mobile applications show notifications themselves. */
  dataOnly: boolean
}

/** As the gateway does: violations, or what each provider sends of it. */
function send(given: Given, now: number): { violations: readonly Violation[] } | { sent: Sent[] } {
  const { values, places, dataOnly } = given
  const fieldOf = (inside: string) => `message.${inside}`
  try {
    const message = { userId: 'u', body: {}, ...placed(MEMBERS, values) } as unknown as Message
    const composed = composeMessage(message, fieldOf, now)
    checkPayloads({
      messages: [composed],
      platforms: [...new Set(places.map(platformAt))],
      huaweiApis: apisOf(places),
      fieldOf: (_, inside) => fieldOf(inside),
      config: configOf(dataOnly),
      now,
      appId: APP,
    })
    return { sent: draftsOf(given, now) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { violations: error.violations ?? [] }
  }
}

const configOf = (dataOnly: boolean) => (dataOnly ? AS_DATA : SHOWN)

const platformAt = (place: Place): Platform => (place === HARMONY ? 'huawei' : place)
const apisOf = (places: readonly Place[]) =>
  !places.includes(HARMONY) ? '2' : places.includes('huawei') ? '2, 3' : '3'

const pushOf = ({ values }: Given, now: number) => {
  const message = { userId: 'u', body: {}, ...placed(MEMBERS, values) } as unknown as Message
  return { ...pushMessageOf(composeMessage(message, (inside) => inside, now)), id: ID }
}

/** Without those whose phones would show nothing. */
function draftsOf(given: Given, now: number): Sent[] {
  const push = pushOf(given, now)
  return given.places.flatMap((place) => {
    const platform = platformAt(place)
    if (isUnshown(push, place)) return []
    const draft = PROVIDERS[platform].draft(push, deviceAt(place, given), {
      config: configOf(given.dataOnly),
      appId: APP,
      now,
    })
    checkTarget(place, draft, given)
    return { place, draft, examined: examinePush(platform, { token: TOKEN, ...draft }) }
  })
}

const isUnshown = (push: PushMessage, place: Place) =>
  (PROVIDERS[platformAt(place)].unshown?.(push, { huaweiApis: apisOf([place]) }) ?? []).length > 0

function deviceAt(place: Place, { isFid }: Given): DraftDevice {
  if (place === 'android' && isFid) return { token: FID, tokenKind: 'fid', settings: SETTINGS }
  return { token: TOKEN, ...(place === HARMONY && { tokenKind: 'v3' }), settings: SETTINGS }
}

/** The document has the target of its device and no other. */
function checkTarget(place: Place, { body }: PushDraft, { isFid }: Given): void {
  const { message = {}, target = {} } = JSON.parse(body) as { message?: object; target?: object }
  const found = Object.entries({ ...message, ...target }).filter(([name]) => ['token', 'fid', 'topic'].includes(name))
  const expected: Readonly<Record<Place, [string, unknown][]>> = {
    ios: [],
    android: [isFid ? ['fid', FID] : ['token', TOKEN]],
    huawei: [['token', [TOKEN]]],
    [HARMONY]: [['token', [TOKEN]]],
  }
  if (JSON.stringify(found) !== JSON.stringify(expected[place]))
    throw new Error(`${place} gets ${JSON.stringify(found)}`)
}

const isClassic = ({ path: [part, name = ''] }: Member) => part !== 'body' || !Object.hasOwn(NOTIFICATION_MEMBERS, name)
/** The platforms that this test sends to are its own choice. */
const GIVEN = MEMBERS.filter(({ name }) => name !== 'platforms')
const RICH = MEMBERS.filter((member) => !isClassic(member)).map(({ name }) => name)
/** With more of them at once nearly every message would be refused for one of them. */
const MOST_RICH = 7

const given = fc.record<Given>({
  values: fc
    .tuple(
      fc.record(Object.fromEntries(GIVEN.map(({ name, schema }) => [name, fc.option(valuesOf(schema))])), {
        requiredKeys: [],
      }),
      fc.subarray(RICH, { maxLength: MOST_RICH }),
    )
    .map(([values, rich]) =>
      Object.fromEntries(Object.entries(values).filter(([name]) => !RICH.includes(name) || rich.includes(name))),
    ),
  places: fc.oneof(
    fc.constantFrom(...PLACES).map((place) => [place]),
    fc.constant(PLACES),
  ),
  isFid: fc.boolean(),
  dataOnly: fc.boolean(),
})

const SIZE = /^payload for (\w+) has/

/** A refusal names members that were given; one for its size is one that the provider would make too. */
function checkRefusal(request: Given, violations: readonly Violation[], now: number): void {
  if (violations.length === 0) throw new Error('a refusal names nothing')
  for (const { fieldName, hint } of violations) {
    const name = fieldName.replace(/^message\.(body\.)?/, '')
    const isGiven = request.values[name] !== undefined && request.values[name] !== null
    if (fieldName !== 'message.body' && !isGiven) throw new Error(`${fieldName} was not given: ${hint}`)
    const [, platform] = SIZE.exec(hint) ?? []
    if (platform === undefined) continue
    const sent = draftsOf(request, now).filter(({ place }) => platformAt(place) === platform)
    if (!sent.some(({ examined }) => 'refused' in examined)) throw new Error(`${platform} would take it: ${hint}`)
  }
}

t.test('every message: each of its members reaches each phone, or is refused by name', async (t) => {
  const counts = { sent: 0, refused: 0 }
  const property = fc.property(given, (request) => {
    const now = Date.now()
    const outcome = send(request, now)
    if ('violations' in outcome) {
      counts.refused += 1
      return checkRefusal(request, outcome.violations, now)
    }
    counts.sent += 1
    for (const { place, draft, examined } of outcome.sent) {
      if ('refused' in examined)
        throw new Error(`accepted, and refused by the provider of ${place}: ${examined.refused}`)
      const arrived: Arrived = {
        place,
        appId: APP,
        values: request.values,
        dataOnly: request.dataOnly,
        headers: draft.headers,
        ...examined,
        now,
      }
      const twin: Twin = (name, value) => {
        const other = send({ ...request, places: [place], values: { ...request.values, [name]: value } }, now)
        if ('violations' in other) return undefined
        const [one] = other.sent
        return one && 'payload' in one.examined
          ? { headers: one.draft.headers, payload: one.examined.payload }
          : undefined
      }
      for (const member of MEMBERS) {
        const problem = arrivalProblem(member, { arrived, twin }, { rows, met })
        if (problem !== undefined) throw new Error(`${problem}: ${JSON.stringify(arrived.payload)}`)
      }
    }
  })
  t.doesNotThrow(() => fc.assert(property, { seed, numRuns: RUNS }))
  // Some rows are about two members that have to be given together, which chance may leave out of a round.
  for (let round = 1; round < MOST_ROUNDS && rows.some((row) => !met.has(row)); round += 1)
    t.doesNotThrow(() => fc.assert(property, { seed: seed + round, numRuns: RUNS }))
  t.ok(counts.sent > RUNS / 4 && counts.refused > RUNS / 100, JSON.stringify(counts))
  t.same(
    rows.filter((row) => !met.has(row)),
    [],
    'no row is out of date',
  )
})

const isLeftOut = (value: unknown) =>
  value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)

t.test('what a provider says it ignores is what its payload has nothing of, and nothing else', async (t) => {
  const bodyMembers = MEMBERS.filter(({ path }) => path[0] === 'body')
  const others = new Map(
    bodyMembers.map((member) => [member.name, fc.sample(valuesOf(member.schema), { seed: 1, numRuns: 12 })]),
  )
  const property = fc.property(given, (request) => {
    const now = Date.now()
    if ('violations' in send(request, now)) return
    /** Undefined when the message would be refused. */
    const payloadOf = (place: Place, name: string, value: unknown) => {
      try {
        const [one] = draftsOf({ ...request, places: [place], values: { ...request.values, [name]: value } }, now)
        return one && JSON.stringify([one?.draft.headers, one?.draft.body])
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        return undefined
      }
    }
    const push = pushOf(request, now)
    for (const place of request.places.filter((one) => !isUnshown(push, one))) {
      const context = { config: configOf(request.dataOnly), huaweiApis: apisOf([place]) }
      const ignored = PROVIDERS[platformAt(place)].ignored(push, context)
      for (const { name } of bodyMembers) {
        const value = request.values[name]
        if (isLeftOut(value)) continue
        const own = payloadOf(place, name, value)
        const isSaid = ignored.includes(`body.${name.replace(/\..*/, '')}`)
        const without = payloadOf(place, name, undefined)
        // A member without which the message would be refused does something.
        if (without === undefined) continue
        if (isSaid && without !== own) throw new Error(`${name} is said to be ignored, and is not, on ${place}`)
        // Another value may do what this one does, as the title that stands for a text: only if all do nothing is it ignored.
        const acceptable = (others.get(name) ?? [])
          .filter((other) => other !== value && !isLeftOut(other))
          .filter((other) => name !== 'validUntil' || (typeof other === 'number' && other < 1e11))
          .map((other) => payloadOf(place, name, other))
          .filter((payload) => payload !== undefined)
        // Where every other value would be refused, the member is read: `mutableContent` without a text may only be false.
        if (!isSaid && without === own && acceptable.length > 0 && acceptable.every((payload) => payload === own))
          throw new Error(`${name} is ignored on ${place}, and nobody says so`)
      }
    }
  })
  t.doesNotThrow(() => fc.assert(property, { seed, numRuns: RUNS / 10 }))
})
