// Reads a response as the strictest of clients: an unknown member, a missing one, another type and a null are errors, at every depth. Pure.
import { Compile } from 'typebox/schema'
import { isObject } from '../../src/validation/schema.ts'
import { PRIMITIVES, type Expected } from './_models.ts'

type Word = Extract<Expected, string>

/** A number cannot say it exactly. */
const isBeyond = (value: unknown) =>
  typeof value === 'string' && /^-?\d+$/.test(value) && !Number.isSafeInteger(Number(value))
const READS: Readonly<Record<Word, (value: unknown) => boolean>> = {
  text: (value) => typeof value === 'string',
  truth: (value) => typeof value === 'boolean',
  count: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  id: (value) => Number.isSafeInteger(value) || isBeyond(value),
  time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/.test(value),
  instant: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value),
  any: () => true,
  free: (value) => !hasNullMember(value),
}

function hasNullMember(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasNullMember)
  return isObject(value) && Object.values(value).some((member) => member === null || hasNullMember(member))
}

const isList = (expected: Expected): expected is readonly [Expected] => Array.isArray(expected)

/** What is wrong with the value. */
export function flaws(value: unknown, expected: Expected, path = ''): string[] {
  if (value === null) return [`${path}: null`]
  if (typeof expected === 'string')
    return READS[expected](value) ? [] : [`${path}: ${JSON.stringify(value)} is no ${expected}`]
  if (isList(expected)) {
    if (!Array.isArray(value)) return [`${path}: no list`]
    return value.flatMap((item, index) => flaws(item, expected[0], `${path}[${index}]`))
  }
  if (!isObject(value)) return [`${path}: no object`]
  const types = new Map(Object.entries(expected).map(([name, type]) => [name.replace(/\?$/, ''), type]))
  const missing = Object.keys(expected).filter((name) => !name.endsWith('?') && !Object.hasOwn(value, name))
  return [
    ...missing.map((name) => `${path}.${name}: missing`),
    ...Object.entries(value).flatMap(([name, member]) => {
      const type = types.get(name)
      return type === undefined ? [`${path}.${name}: unknown`] : flaws(member, type, `${path}.${name}`)
    }),
  ]
}

/** Members that clients read into primitives and that are null, anywhere in the value. */
export function nullPrimitives(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]: [string, unknown]) =>
    member === null && PRIMITIVES.has(name) ? [`${path}.${name}`] : nullPrimitives(member, `${path}.${name}`),
  )
}

const compiled = new WeakMap<object, ReturnType<typeof Compile>>()

/** What is wrong with the value by a schema of the API's description, in which no object has a member that it does not name. */
export function schemaFlaws(value: unknown, schema: object): string[] {
  const check = compiled.get(schema) ?? Compile(closed(schema) as object)
  compiled.set(schema, check)
  const [isFit, errors] = check.Errors(value)
  return isFit ? [] : errors.map(({ instancePath, message }) => `${instancePath}: ${message}`)
}

/** Free content, such as extras, names no members and stays open. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed)
  if (!isObject(schema)) return schema
  const inside = Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, closed(part)]))
  return isObject(schema['properties']) && schema['type'] === 'object'
    ? { ...inside, additionalProperties: false }
    : inside
}
