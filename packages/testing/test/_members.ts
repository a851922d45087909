// The members of a request as its schema has them, however deep, with values that are hard to carry: a member that is added to a
// schema later is walked like the others. Pure.
import { RAW_NAMES } from '@push-server/contract'
import type { RequestSchema } from '@push-server/testing'
import fc, { type Arbitrary } from 'fast-check'

export interface Member {
  /** Such as `attributes.silent`; in a body without its first part, as messages and campaigns have the same. */
  name: string
  path: readonly string[]
  /** Without null. */
  schema: RequestSchema
}

/** Raw blocks say to a provider what they like, and have tests of their own. */
export const isRaw = ({ name }: Member) => RAW_NAMES.some((raw) => name === raw || name.startsWith(`${raw}.`))

const alternatives = (schema: RequestSchema) => (schema.anyOf ?? [schema]).filter(({ type }) => type !== 'null')

/** Every member that has no members of its own. */
export function membersOf(schema: RequestSchema, path: readonly string[] = []): Member[] {
  const [only = schema, ...others] = alternatives(schema)
  const { properties } = only
  if (others.length === 0 && properties)
    return Object.entries(properties).flatMap(([name, inner]) => membersOf(inner, [...path, name]))
  // What may be null says beside it what it says to readers.
  const said = Object.fromEntries(Object.entries(schema).filter(([keyword]) => keyword !== 'anyOf'))
  return [
    { name: path.join('.').replace(/^body\./, ''), path, schema: others.length === 0 ? { ...said, ...only } : schema },
  ]
}

const oftenShort = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      ' ',
      'default',
      '"',
      '7',
      '007',
      '-1',
      '101',
      'ключ',
      '{}',
      'null',
      'key with blank ',
    ),
  },
  { weight: 1, arbitrary: fc.integer({ min: 40, max: 4_200 }).map((length) => 'x'.repeat(length)) },
  { weight: 1, arbitrary: fc.integer({ min: 10, max: 2_100 }).map((length) => '"é'.repeat(length)) },
)

const extraName = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  fc.constantFrom(
    'aps',
    'from',
    'google.x',
    '_notification',
    'toString',
    'constructor',
    'valueOf',
    '1',
    'title',
    'token',
    'image',
    'link',
  ),
)
const anyJson = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(null, 0.1, 1e21, 2 ** 53, -1.5, 'text', [[]], {}),
)

/** The API's description computes some examples, so that they stay in the future. */
const COMPUTED: Readonly<Record<string, unknown>> = { timeAhead: new Date(Date.now() + 300 * 86_400_000).toISOString() }
const examplesOf = ({ examples, 'x-example': computed = '' }: RequestSchema) => examples ?? [COMPUTED[computed] ?? 'x']

/** Values that the schema allows, the awkward ones first of all. */
export function valuesOf(schema: RequestSchema): Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const several = alternatives(schema)
  if (several.length > 1) return fc.oneof(...several.map(valuesOf), fc.constantFrom(...examplesOf(schema)))
  const only = several[0] ?? schema
  const { type, items = {}, minimum, maximum, maxLength = Infinity, minItems = 0, maxItems = 3, pattern } = only
  switch (type) {
    case 'string':
      if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: 'small' })
      return oftenShort.filter((text) => text.length <= maxLength && text.isWellFormed() && !text.includes('\0'))
    case 'integer': {
      const [min, max] = [minimum ?? -(2 ** 31), maximum ?? 2 ** 31 - 1]
      const awkward = [0, 1, -1, 99, 100, min, max].filter((number) => number >= min && number <= max)
      return fc.oneof(fc.constantFrom(...awkward), fc.integer({ min, max }))
    }
    case 'number':
      if (maximum !== undefined) return fc.double({ min: minimum ?? 0, max: maximum, noNaN: true })
      return fc.oneof(fc.nat(4_000_000_000), fc.double({ min: 0, max: 2e12, noNaN: true }))
    case 'boolean':
      return fc.boolean()
    case 'array':
      return fc.array(valuesOf(items), { minLength: minItems, maxLength: Math.min(maxItems, 3) })
    default:
      return fc
        .array(fc.tuple(extraName, anyJson), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries.filter(([name]) => name.isWellFormed() && !name.includes('\0'))))
        .filter(
          (object) => JSON.stringify(object).isWellFormed() && !/\\u0000|\\ud[89a-f]/.test(JSON.stringify(object)),
        )
  }
}

export type Values = Readonly<Record<string, unknown>>

/** An object that has each value at its member's path. Members without a value are left out. */
export function placed(members: readonly Member[], values: Values): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const { name, path } of members) {
    if (values[name] === undefined) continue
    let place = root
    for (const key of path.slice(0, -1)) place = (place[key] ??= {}) as Record<string, unknown>
    place[path.at(-1) ?? ''] = values[name]
  }
  return root
}
