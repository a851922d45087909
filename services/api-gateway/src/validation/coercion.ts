// Coercion: values that clients of the reference server may send in another format are converted to the schema's. Scalars become
// texts, numeric texts numbers, some words lower case, words truth values, and repeated parameters a list. A null that stands for a member left
// out is left out. Nothing else is touched, `extras` least of all.
import { alternativesOf, isObject, type Schema } from './schema.ts'

/**
 * Returns the value in the format of the schema when that loses nothing, otherwise the value itself. Lists and objects are
 * changed in place: a copy of a body would cost as much as the body.
 */
export function coerce(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return value
  if (schema.anyOf) {
    const [only, ...others] = alternativesOf(schema)
    return only && others.length === 0 ? coerce(only, value) : value
  }
  switch (schema.type) {
    case 'string':
      return coerceText(schema, schema['x-list'] ? joined(value) : value)
    case 'integer':
    case 'number':
      return schema['x-clamp'] ? clamp(schema, value) : coerceNumber(value)
    case 'boolean':
      return schema['x-words'] ? coerceWord(schema, value) : coerceTruth(value)
    case 'array':
      return Array.isArray(value) && schema.items ? coerceItems(schema.items, value) : value
    case 'object':
      return isObject(value) && schema.properties ? coerceMembers(schema.properties, value) : value
    default:
      return value
  }
}

function coerceText(schema: Schema, value: unknown): unknown {
  if (typeof value === 'string') {
    if (schema['x-words']) return String(coerceWord(schema, value))
    return schema['x-case'] === 'lower' ? value.toLowerCase() : value
  }
  // A larger number is not the one that was written any more.
  const isExact = typeof value === 'boolean' || Number.isSafeInteger(value)
  return isExact ? String(value) : value
}

function coerceNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value === '') return null
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}

/** Numbers of pages are never refused. */
function clamp({ minimum = 0, maximum = 0, 'x-fallback': fallback }: Schema, value: unknown): unknown {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN
  return number >= minimum ? Math.min(number, maximum) : fallback
}

/** A parameter of a query that is repeated is one list. */
const joined = (value: unknown) =>
  Array.isArray(value) && value.every((item) => typeof item === 'string') ? value.join(',') : value

/** As Java writes them. */
const coerceTruth = (value: unknown) => (value === 'true' ? true : value === 'false' ? false : value)

const WORDS = new Map([
  ...['true', 'on', 'yes', '1'].map((word) => [word, true] as const),
  ...['false', 'off', 'no', '0'].map((word) => [word, false] as const),
])

function coerceWord({ default: fallback }: Schema, value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value === '' ? fallback : (WORDS.get(value.toLowerCase()) ?? value)
}

function coerceItems(items: Schema, values: unknown[]): unknown[] {
  for (let index = 0; index < values.length; index += 1) values[index] = coerce(items, values[index])
  return values
}

function coerceMembers(properties: Readonly<Record<string, Schema>>, members: Record<string, unknown>) {
  // By the members that are given: a body may have forty, and most requests give three.
  for (const name of Object.keys(members)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!schema) continue
    if (members[name] === null && !takesNull(schema)) delete members[name]
    else members[name] = coerce(schema, members[name])
  }
  return members
}

const takesNull = ({ type, anyOf }: Schema) =>
  (type === undefined && !anyOf) || type === 'null' || (anyOf?.some((kind) => kind.type === 'null') ?? false)
