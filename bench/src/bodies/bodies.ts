// The most that each operation can be sent: bodies in order and bodies that are not, at its limits. They are made from the API's
// own description, so that a new operation is walked without anybody's doing. Pure.
import type { Operation, RequestSchema } from '@push-server/testing'

export interface LargeBody {
  what: string
  bytes: Buffer
}

export interface BodySizes {
  /** Bytes that the operation takes. */
  limit: number
  /** Items of its list that a rule beside the schema takes. */
  mostItems?: number | undefined
}

/** What a request has room for beside its own members. */
const SPARE = 32_000
/** Of a body that a request is wrapped into. */
const WRAPPER_BYTES = 4_096

export function bodiesOf({ path, body }: Operation, sizes: BodySizes): LargeBody[] {
  if (!body) return []
  return body.type === 'application/json'
    ? jsonBodiesOf(body.schema, sizes)
    : linesOf(sizes.limit, LINES[path] ?? DEVICE_LINE)
}

function jsonBodiesOf(schema: RequestSchema, { limit, mostItems }: BodySizes): LargeBody[] {
  const room = limit - WRAPPER_BYTES
  const right = sampleOf(schema)
  const padded = (padding: string) => place({ ...Object(right), padding: PLACE }, padding)
  const wrapped = (object: string) => `{"requestObject":${object}}`
  const texts: [what: string, text: string][] = [
    ['one long text', padded(`"${'x'.repeat(room)}"`)],
    ['one long text, escaped', padded(`"${'\\u00e9'.repeat(room / 6)}"`)],
    ['as many texts as fit', padded(list((index) => `"text ${index}"`, room, SPARE))],
    ['as many objects as fit', padded(list(() => '{}', room, SPARE))],
    [
      'as many members as fit',
      padded(
        list((index) => `"m${index}":0`, room, SPARE / 2)
          .replace('[', '{')
          .replace(/]$/, '}'),
      ),
    ],
    ...listsOf(schema).flatMap(({ path, items }): typeof texts => [
      [
        'its list, short texts',
        place(
          withPlace(right, path),
          list(() => short(items), room),
        ),
      ],
      [
        'its list, all wrong',
        place(
          withPlace(right, path),
          list(() => '[1]', room, SPARE / 2),
        ),
      ],
    ]),
    [
      'extras far too large',
      place(
        withExtras(right),
        list(() => '"a"', room, SPARE),
      ),
    ],
    ['too many objects', wrapped(list(() => '{}', room))],
    ['too many texts', wrapped(list(() => '"a"', room))],
    ['too deep', wrapped('['.repeat(room))],
  ]
  if (mostItems)
    texts.push([
      'as many items as are taken',
      place(withPlace(right, ['requestObject', 'batch']), list(fullMessage, room, mostItems)),
    ])
  return [
    ...texts.map(([what, text]) => ({ what, bytes: Buffer.from(text) })),
    { what: 'not UTF-8', bytes: Buffer.from(wrapped(`"${'\u00e9'.repeat(room)}"`), 'latin1') },
  ]
}

/** With a payload that is nearly as large as a payload may be. */
const fullMessage = (index: number) =>
  JSON.stringify({
    userId: `user-${index}`,
    body: {
      title: 'Hello',
      body: 'é'.repeat(500),
      extras: { list: Array.from({ length: 200 }, (_, item) => ({ item })) },
    },
  })

/** Stands where a text of JSON goes in that no value was made of. */
const PLACE = '@place'
const place = (value: unknown, text: string) => JSON.stringify(value).replace(`"${PLACE}"`, () => text)

/** JSON of a list, as long as bytes and count allow. */
function list(item: (index: number) => string, bytes: number, count = Infinity): string {
  const most = Math.min(count, Math.floor(bytes / (item(99_999).length + 1)))
  return `[${Array.from({ length: most }, (_, index) => item(index)).join(',')}]`
}

const withoutNull = (schema: RequestSchema): RequestSchema =>
  schema.anyOf?.find(({ type }) => type !== 'null') ?? schema

/** A value in order, by the examples of the description. */
function sampleOf(schema: RequestSchema): unknown {
  const { type, enum: literals, examples, properties = {}, items } = withoutNull(schema)
  if (literals) return literals[0]
  if (type === 'object')
    return Object.fromEntries(Object.entries(properties).map(([name, member]) => [name, sampleOf(member)]))
  if (type === 'array') return items ? [sampleOf(items)] : []
  return examples?.[0] ?? (type === 'string' ? 'x' : type === 'boolean' ? true : 1)
}

const short = (items: RequestSchema): string =>
  withoutNull(items).type === 'string' ? '"short"' : JSON.stringify(sampleOf(items))

interface List {
  path: readonly string[]
  items: RequestSchema
}

/** Lists of the schema, those inside of others left out. */
function listsOf(schema: RequestSchema, path: readonly string[] = []): List[] {
  const { type, items, properties = {} } = withoutNull(schema)
  if (type === 'array' && items) return [{ path, items }]
  return Object.entries(properties).flatMap(([name, member]) => listsOf(member, [...path, name]))
}

function withPlace(value: unknown, [name, ...rest]: readonly string[]): unknown {
  return name === undefined ? PLACE : { ...Object(value), [name]: withPlace(Object(value)[name], rest) }
}

/** Wherever the sample has extras; otherwise beside everything else. */
function withExtras(value: unknown): unknown {
  const text = JSON.stringify(value)
  const found = /"extras":\{[^}]*\}/
  return JSON.parse(found.test(text) ? text.replace(found, `"extras":{"list":"${PLACE}"}`) : `{"extras":"${PLACE}"}`)
}

const LINES_BYTES = 4 * 1024 * 1024

type LineAt = (index: number) => string

/** Good as a user of a campaign as well. */
const DEVICE_LINE: LineAt = (index) =>
  `{"userId":"user-${index}","activationId":"a-${index}","platform":"ios","token":"aabbcc"}`
const CREATED = '"timestampCreated":"2026-02-08T12:00:00.000+00:00"'
const uuidOf = (index: number) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
const LINES: Readonly<Record<string, LineAt>> = {
  '/admin/app/import': (index) => `{"appId":"app-${index}"}`,
  '/push/campaign/import': (index) => `{"id":"${index + 1}","appId":"mobile-app","message":{"title":"T"},${CREATED}}`,
  '/push/campaign/user/import': (index) => `{"campaignId":"1","userId":"user-${index}"}`,
  '/inbox/messages/import': (index) =>
    `{"id":"${uuidOf(index)}","userId":"user","type":"text","subject":"S","summary":"S","body":"B","applications":["mobile-app"],${CREATED}}`,
}

function linesOf(limit: number, good: LineAt): LargeBody[] {
  const cases: [what: string, line: (index: number) => string][] = [
    ['lines in order', good],
    ['lines of wrong members', (index) => `{"userId":[],"activationId":{},"n":${index}}`],
    ['lines full of objects', () => list(() => '{}', 16_000)],
    ['lines full of texts', () => list(() => '"a"', 1_600)],
    ['lines that are not JSON', () => '{{{{{{{{{{{{{{{{'],
  ]
  const size = Math.min(limit, LINES_BYTES)
  const count = (line: string) => Math.floor(size / (line.length + 1))
  return cases.map(([what, line]) => ({
    what,
    bytes: Buffer.from(Array.from({ length: count(line(99_999)) }, (_, index) => line(index)).join('\n')),
  }))
}
