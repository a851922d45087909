// What clients of the reference server may send in another form than the schema's, brought into the schema's form:
// scalars for texts, numeric texts for numbers, any case for some words, and in a query words for truth values. A null that
// stands for a member left out is left out. Nothing else is touched, `extras` least of all.
import { alternativesOf, isObject, type Schema } from './schema.ts'

/**
 * Returns the value in the form that the schema asks for, where that is the same value; otherwise the value itself. Lists and
 * objects are changed in place: a copy of a body would cost as much as the body.
 */
export function coercing(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return value
  if (schema.anyOf) {
    const [only, ...others] = alternativesOf(schema)
    return only && others.length === 0 ? coercing(only, value) : value
  }
  switch (schema.type) {
    case 'string':
      return conformText(schema, value)
    case 'integer':
    case 'number':
      return schema['x-clamp'] ? clamp(schema, value) : conformNumber(value)
    case 'boolean':
      return schema['x-words'] ? conformWord(schema, value) : value
    case 'array':
      return Array.isArray(value) && schema.items ? conformItems(schema.items, value) : value
    case 'object':
      return isObject(value) && schema.properties ? conformMembers(schema.properties, value) : value
    default:
      return value
  }
}

function conformText(schema: Schema, value: unknown): unknown {
  if (typeof value === 'string') return schema['x-case'] === 'lower' ? value.toLowerCase() : value
  // A larger number is not the one that was written any more.
  const isExact = typeof value === 'boolean' || Number.isSafeInteger(value)
  return isExact ? String(value) : value
}

function conformNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value === '') return null
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value
}

/** Numbers of pages are never refused. */
function clamp({ minimum = 0, maximum = 0, default: fallback }: Schema, value: unknown): unknown {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN
  return number >= minimum ? Math.min(number, maximum) : fallback
}

const WORDS = new Map([
  ...['true', 'on', 'yes', '1'].map((word) => [word, true] as const),
  ...['false', 'off', 'no', '0'].map((word) => [word, false] as const),
])

function conformWord({ default: fallback }: Schema, value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value === '' ? fallback : (WORDS.get(value.toLowerCase()) ?? value)
}

function conformItems(items: Schema, values: unknown[]): unknown[] {
  for (let index = 0; index < values.length; index += 1) values[index] = coercing(items, values[index])
  return values
}

function conformMembers(properties: Readonly<Record<string, Schema>>, members: Record<string, unknown>) {
  for (const [name, schema] of Object.entries(properties)) {
    if (!Object.hasOwn(members, name)) continue
    if (members[name] === null && !takesNull(schema)) delete members[name]
    else members[name] = coercing(schema, members[name])
  }
  return members
}

const takesNull = ({ type, anyOf }: Schema) =>
  (type === undefined && !anyOf) || type === 'null' || (anyOf?.some((kind) => kind.type === 'null') ?? false)
