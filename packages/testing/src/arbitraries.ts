// Random requests made from the schemas that describe them: valid ones, or valid ones with one defect. Pure.
import fc, { type Arbitrary } from 'fast-check'

/** As far as our schemas go; `resolved` has no `$ref` any more. */
export interface RequestSchema {
  type?: string
  format?: string
  enum?: readonly unknown[]
  anyOf?: readonly RequestSchema[]
  properties?: Readonly<Record<string, RequestSchema>>
  required?: readonly string[]
  items?: RequestSchema
  pattern?: string
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  minimum?: number
  maximum?: number
  examples?: readonly unknown[]
  'x-example'?: string
  'x-clamp'?: boolean
}

/** Values for members of these names, whatever their schema: ids that exist, so that requests get somewhere. */
export type KnownValues = Readonly<Record<string, Arbitrary<unknown>>>

/** One way to break a value of a schema; `what` says where and how. */
export interface Defect {
  what: string
  apply(value: unknown): unknown
}

const LONGEST_TEXT = 40
const LONGEST_LIST = 4
const JSON_DEPTH = { maxDepth: 2 }

/** Any text that JSON can carry, and often what is hard to keep: other alphabets, blanks, quotes. */
const anyText = (minLength: number, maxLength: number) => fc.string({ unit: 'grapheme', minLength, maxLength })

/** Values that a schema allows, as far as it says; what business rules say beside it may still refuse them. */
export function valid(schema: RequestSchema, known: KnownValues = {}): Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (schema.anyOf)
    return fc.oneof(...schema.anyOf.map((alternative) => valid(alternative, known)), ...examplesOf(schema))
  switch (schema.type) {
    case 'string':
      return validText(schema)
    case 'integer':
      return fc.integer({ min: schema.minimum ?? -(2 ** 31), max: schema.maximum ?? 2 ** 31 - 1 })
    case 'number':
      return fc.double({
        noNaN: true,
        noDefaultInfinity: true,
        ...(schema.minimum !== undefined && { min: schema.minimum }),
        ...(schema.maximum !== undefined && { max: schema.maximum }),
      })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return validList(schema, known)
    case 'object':
      return schema.properties ? validObject(schema.properties, schema.required ?? [], known) : anyObject
    default:
      return fc.jsonValue(JSON_DEPTH)
  }
}

const anyObject = fc.dictionary(fc.string({ minLength: 1, maxLength: LONGEST_TEXT }), fc.jsonValue(JSON_DEPTH), {
  maxKeys: LONGEST_LIST,
})

const examplesOf = ({ examples = [] }: RequestSchema) => (examples.length === 0 ? [] : [fc.constantFrom(...examples)])

const FORMATS: Readonly<Record<string, Arbitrary<unknown>>> = {
  'date-time': fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) })
    .map((time) => time.toISOString()),
  uuid: fc.uuid(),
}

function validText(schema: RequestSchema) {
  const { format = '', pattern, minLength = 0, maxLength = LONGEST_TEXT } = schema
  const text =
    FORMATS[format] ??
    (pattern === undefined
      ? anyText(minLength, Math.min(maxLength, LONGEST_TEXT))
      : fc.stringMatching(new RegExp(pattern), { maxLength: Math.min(maxLength, LONGEST_TEXT) }))
  return fc.oneof(text, ...examplesOf(schema))
}

const validList = ({ items = {}, minItems = 0, maxItems = LONGEST_LIST }: RequestSchema, known: KnownValues) =>
  fc.array(valid(items, known), { minLength: minItems, maxLength: Math.min(maxItems, LONGEST_LIST) })

function validObject(
  properties: Readonly<Record<string, RequestSchema>>,
  required: readonly string[],
  known: KnownValues,
): Arbitrary<unknown> {
  const members = Object.entries(properties).map(
    ([name, schema]) => [name, known[name] ?? valid(schema, known)] as const,
  )
  return fc.record(Object.fromEntries(members), { requiredKeys: [...required] })
}

/** Every single defect that the schema forbids. What coercion accepts (numbers of pages, scalars for texts) is none. */
export function defectsOf(schema: RequestSchema, where = ''): Defect[] {
  const alternatives = (schema.anyOf ?? [schema]).filter(({ type }) => type !== 'null')
  const [only] = alternatives
  if (!only || schema['x-clamp'] || only.format === 'binary') return []
  const instead = (what: string, value: unknown): Defect => ({ what: `${where}: ${what}`, apply: () => value })
  if (alternatives.length > 1) return [instead('an object', {})]
  switch (only.type) {
    case 'string':
      return textDefects(only, instead)
    case 'integer':
      return [instead('a fraction', 1.5), instead('a word', 'many'), instead('too large', 2 ** 53)]
    case 'number':
      return [instead('a word', 'many')]
    case 'boolean':
      return [instead('a word', 'perhaps'), instead('a list', [])]
    case 'array':
      return [
        instead('an object', {}),
        ...(only.maxItems === undefined
          ? []
          : [instead('too many', Array.from({ length: only.maxItems + 1 }, String))]),
        ...inFirstItem(defectsOf(only.items ?? {}, `${where}[0]`)),
      ]
    case 'object':
      return [instead('a list', []), instead('a text', 'text'), ...memberDefects(only, where)]
    default:
      return []
  }
}

function textDefects(
  { enum: literals, minLength = 0, maxLength, pattern }: RequestSchema,
  instead: (what: string, value: unknown) => Defect,
): Defect[] {
  const failures = [instead('an object', {}), instead('a list', ['x'])]
  if (literals) return [...failures, instead('no such literal', 'no such literal')]
  if (minLength > 0) failures.push(instead('empty', ''))
  if (maxLength !== undefined) failures.push(instead('too long', 'x'.repeat(maxLength + 1)))
  if (pattern !== undefined) failures.push(instead('blank', ' '))
  return failures
}

const inFirstItem = (defects: readonly Defect[]): Defect[] =>
  defects.map(({ what, apply }) => ({
    what,
    apply: (value) => [
      apply(Array.isArray(value) ? value[0] : undefined),
      ...(Array.isArray(value) ? value.slice(1) : []),
    ],
  }))

/** The bytes of a body: text as it is, where it is described as bytes. */
export const bodyOf = ({ format }: RequestSchema, value: unknown): string | undefined =>
  format === 'binary' ? String(value) : JSON.stringify(value)

const membersOf = (value: unknown) => (typeof value === 'object' && value !== null ? { ...value } : {})

function memberDefects({ properties = {}, required = [] }: RequestSchema, where: string): Defect[] {
  const path = (name: string) => (where === '' ? name : `${where}.${name}`)
  const inside = Object.entries(properties).flatMap(([name, schema]) =>
    defectsOf(schema, path(name)).map(({ what, apply }) => ({
      what,
      apply(value: unknown) {
        const members: Record<string, unknown> = membersOf(value)
        return { ...members, [name]: apply(members[name]) }
      },
    })),
  )
  const missing = required.flatMap((name) => [
    { what: `${path(name)}: null`, apply: (value: unknown) => ({ ...membersOf(value), [name]: null }) },
    {
      what: `${path(name)}: left out`,
      apply: (value: unknown) => Object.fromEntries(Object.entries(membersOf(value)).filter(([key]) => key !== name)),
    },
  ])
  return [...inside, ...missing]
}
