// What a body may cost: it is counted before it is parsed, and validated up to its first error. The tests count, they do not time.
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { CampaignUserList, UserId, Wrapped } from '@push-server/contract'
import { makeApiKey, operationsOf, type Operation } from '@push-server/testing'
import { countJson, DEFAULT_LIMITS, type JsonLimits } from '../src/validation/json-limits.ts'
import { createValidator, MOST_VIOLATIONS } from '../src/validation/validator.ts'
import type { Schema } from '../src/validation/schema.ts'
import { APP, openGateway, SEND, sending } from './_gateway.ts'
import { isOk, violates } from './_watched-api.ts'

const BODY_LIMIT = 262_144
const CAMPAIGN_BODY_LIMIT = 1_048_576
const gateway = await openGateway({
  BODY_LIMIT: String(BODY_LIMIT),
  CAMPAIGN_BODY_LIMIT: String(CAMPAIGN_BODY_LIMIT),
})
t.teardown(() => gateway.stack.close())
const { api } = gateway
const { call, post } = api

const listOf = (item: string, bytes: number) =>
  `[${`${item},`.repeat(Math.floor((bytes - 2) / (item.length + 1)))}${item}]`

/** How many texts of at least `bytes` were parsed meanwhile: the gateway runs in this process. */
async function largeParses(t: Test, bytes: number, work: () => Promise<unknown>): Promise<number> {
  const { parse } = JSON
  let count = 0
  JSON.parse = (text: string, ...rest: []) => {
    if (text.length >= bytes) count += 1
    return parse(text, ...rest)
  }
  t.teardown(() => void (JSON.parse = parse))
  await work()
  JSON.parse = parse
  return count
}

t.test('the count: texts and their escapes hold nothing, and it ends at the limit', async (t) => {
  const limits: JsonLimits = { depth: 3, nodes: 10, values: 10 }
  const cases: [text: string, exceeded: keyof JsonLimits | undefined][] = [
    ['', undefined],
    ['null', undefined],
    ['[1,2,3,4,5,6,7,8,9,10]', undefined],
    ['[1,2,3,4,5,6,7,8,9,10,11]', 'values'],
    ['[[[]]]', undefined],
    ['[[[[]]]]', 'depth'],
    ['[{"a":[]}]', undefined],
    ['[{"a":[{}]}]', 'depth'],
    [`[${'{},'.repeat(8)}{}]`, undefined],
    [`[${'{},'.repeat(9)}{}]`, 'nodes'],
    [`{${'"a":1,'.repeat(8)}"a":1}`, undefined],
    [`{${'"a":1,'.repeat(9)}"a":1}`, 'nodes'],
    [JSON.stringify(`[[[[${',:{}[]"\\'.repeat(100)}`), undefined],
    [JSON.stringify(['\\', '\\\\"', '"', `${'x'.repeat(300)}\\"${'x'.repeat(300)}[[[[`]), undefined],
    [`["${'x'.repeat(500)}",[[[[]]]]]`, 'depth'],
    [`["${'\\\\'.repeat(500)}",[[[[]]]]]`, 'depth'],
    ['"never ended [[[[', undefined],
    ['"\\', undefined],
  ]
  for (const [text, exceeded] of cases)
    t.equal(countJson(Buffer.from(text), limits).exceeded, exceeded, text.slice(0, 40))
  for (const [text, found] of [
    ['"\\u0000"', true],
    [`"${'x'.repeat(400)}\\u0000"`, true],
    ['"\\\\u0000"', false],
    ['"\\n u"', false],
  ] as const)
    t.equal(countJson(Buffer.from(text), limits).hasUnicodeEscape, found, text.slice(-12))
})

t.test('each operation refuses lists of nothing and depth before it parses them', async (t) => {
  const operations = operationsOf((await api.get('/v3/api-docs')).body).filter(
    ({ body }) => body?.type === 'application/json',
  )
  t.ok(operations.length >= 30, `${operations.length} operations take a body`)
  for (const operation of operations)
    for (const [what, item] of [
      ['objects', '{}'],
      ['lists', '[]'],
      ['members', ''],
      ['depth', '['],
    ] as const) {
      const bytes = operation.path.includes('/user/') ? CAMPAIGN_BODY_LIMIT : BODY_LIMIT
      const size = Math.floor(bytes * 0.95)
      const inner = what === 'depth' ? '['.repeat(size) : what === 'members' ? membersOf(size) : listOf(item, size)
      const parses = await largeParses(t, bytes / 4, async () => {
        const { status, body } = await call(operation.method, pathOf(operation), raw(`{"requestObject":${inner}}`))
        t.match(
          [status, body.responseObject],
          [413, { code: 'ERROR_TOO_LARGE', message: /(more than|nested) .*\d+.*limit of this operation/ }],
          `${operation.method} ${operation.path}: ${what}`,
        )
      })
      t.equal(parses, 0, 'nothing of it was parsed')
    }
})

const raw = (body: string) => ({ body, headers: { 'content-type': 'application/json' } })
const membersOf = (bytes: number) => `{${'"a":1,'.repeat(Math.floor(bytes / 6))}"a":1}`
const pathOf = ({ path }: Operation) => path.replaceAll(/\{(\w+)\}/g, '1')

t.test('one validation of a body that is right, and a list of 20 of one that is not, whatever its size', async (t) => {
  const schema = Wrapped(CampaignUserList)
  for (const size of [100, 10_000, 1_000_000]) {
    const right = createValidator()
    t.same(right.compile(schema, 'body')({ requestObject: Array.from({ length: size }, () => 'u') }), [])
    t.same(right.counts, { validations: 1, errors: 0 })

    const wrong = createValidator()
    const violations = wrong.compile(schema, 'body')({ requestObject: Array.from({ length: size }, () => ({})) })
    t.equal(violations.length, MOST_VIOLATIONS)
    t.same(violations[19], { fieldName: 'requestObject[19]', hint: 'must be string' })
    t.ok(wrong.counts.errors <= 3 * MOST_VIOLATIONS, `${wrong.counts.errors} error objects for ${size} errors`)
    t.ok(wrong.counts.validations <= 4 * MOST_VIOLATIONS, `${wrong.counts.validations} validations`)
  }
})

t.test('the list names what is wrong at every level', async (t) => {
  const { compile } = createValidator()
  const nullable = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] })
  const object = (properties: Record<string, Schema>, required: string[] = []) => ({
    type: 'object',
    properties,
    required,
  })
  const schema = object({
    a: nullable(object({ b: UserId }, ['b', 'c'])),
    d: { type: 'array', items: { type: 'integer' } },
  })
  t.same(compile(schema, 'body')({ a: { b: '' }, d: [1, 'x', 2, 1.5] }), [
    { fieldName: 'a.c', hint: 'must not be null' },
    { fieldName: 'a.b', hint: 'must not be empty' },
    { fieldName: 'd[1]', hint: 'must be integer' },
    { fieldName: 'd[3]', hint: 'must be integer' },
  ])
  t.same(compile(schema, 'body')([]), [{ fieldName: 'body', hint: 'must be object' }])
  const either = { anyOf: [UserId, object({ userId: UserId }, ['userId'])] }
  t.match(
    compile(either, 'line')({ userId: '' }).map(({ fieldName }) => fieldName),
    ['line', 'userId'],
  )
})

t.test('extras far beyond a payload are refused by their size', async (t) => {
  violates(t, await post(SEND, sending({ extras: { items: Array.from({ length: 20_000 }, () => 'x') } })), [
    'requestObject.message.body.extras',
    /extras have more than 16384 bytes, a payload has 4096/,
  ])
})

t.test('a line of an import that holds too much is a bad line', async (t) => {
  const line = (padding: string) =>
    `{"userId":"u","activationId":"${randomUUID()}","platform":"ios","token":"aabb","padding":${padding}}`
  const lines = [
    line('1'),
    line(listOf('{}', 3_000)),
    line(listOf('1', 3_000)),
    line('['.repeat(40) + ']'.repeat(40)),
    line('[1,2]'),
  ]
  const { status, body } = await call('PUT', `/push/device/import?appId=${APP}&partial=true`, {
    body: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' },
  })
  t.match([status, body.responseObject], [200, { imported: 2, failed: 3 }])
  t.same(body.responseObject.errors, [
    { line: 2, fieldName: 'line', hint: 'has more than 512 objects, lists and members' },
    { line: 3, fieldName: 'line', hint: 'has more than 512 values' },
    { line: 4, fieldName: 'line', hint: 'is nested more than 16 deep' },
  ])
})

t.test('what is in order is taken up to the limits', async (t) => {
  const { values, nodes } = DEFAULT_LIMITS
  const padded = (padding: unknown) => ({ ...sending({}), mode: 'ASYNCHRONOUS', padding })
  isOk(t, await post(SEND, padded(Array.from({ length: values - 10 }, () => 1))), 'values')
  isOk(t, await post(SEND, padded(Array.from({ length: nodes - 20 }, () => []))), 'nodes')
  const created = await post('/push/campaign/create', { appId: APP, message: { title: 'Hello' } })
  const users = JSON.stringify({ requestObject: Array.from({ length: 100_000 }, (_, index) => String(index % 1_000)) })
  isOk(
    t,
    await call('PUT', `/push/campaign/${created.body.responseObject.id}/user/add`, raw(users)),
    'users with ids of three digits',
  )
})

t.test('somebody else’s campaign is refused before the body is parsed', async (t) => {
  const locked = await openGateway({ AUTH: 'keys' })
  t.teardown(() => locked.stack.close())
  const { applications, campaigns } = locked.stack.context.store
  await applications.create('other')
  const applicationId = (await applications.find(APP))?.id ?? 0
  const id = await campaigns.create({ applicationId, message: { title: 'Hello' }, validUntil: null })
  const bound = await makeApiKey(locked.stack.context, { scopes: ['campaign'], appIds: ['other'] })
  // The response overtakes the body, and a connection that is still being written to when the gateway stops is kept for a minute.
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${bound}`, connection: 'close' }
  const body = JSON.stringify({ requestObject: Array.from({ length: 50_000 }, (_, index) => `user-${index}`) })
  const parses = await largeParses(t, body.length, async () => {
    for (const path of [`/push/campaign/${id}/user/add`, '/push/campaign/999/user/add'])
      t.match(await locked.api.call('PUT', path, { body, headers }), {
        status: 403,
        body: { responseObject: { code: 'ERROR_FORBIDDEN', message: 'This API key is bound to other applications' } },
      })
  })
  t.equal(parses, 0)
})

t.test('no response disclosed anything internal, and each had an id', async (t) => t.same(api.leaks, []))
