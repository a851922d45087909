// What clients of the reference server may send in another form than the schema's, brought into the schema's form:
// scalars for texts, numeric texts for numbers, any case for some words, and in a query words for truth values. A null that
// stands for a member left out is left out. Nothing else is touched, `extras` least of all.
import type { TSchema } from 'typebox'

interface Schema {
  type?: string
  anyOf?: Schema[]
  minimum?: number
  maximum?: number
  default?: unknown
  properties?: Record<string, Schema>
  items?: Schema
  'x-case'?: 'lower'
  'x-clamp'?: true
  'x-words'?: true
}

/** Returns the value in the form that the schema asks for, where that is the same value; otherwise the value itself. */
export const lenient = (schema: TSchema, value: unknown): unknown => conform(schema, value)

function conform(schema: Schema, value: unknown): unknown {
  if (value === null || value === undefined) return value
  if (schema.anyOf) {
    const [only, ...others] = schema.anyOf.filter((form) => form.type !== 'null')
    return only && others.length === 0 ? conform(only, value) : value
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
  // A larger number is not the one that was written any more.
  const isExact = typeof value === 'boolean' || Number.isSafeInteger(value)
  const text = isExact ? String(value) : value
  return typeof text === 'string' && schema['x-case'] === 'lower' ? text.toLowerCase() : text
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

const conformItems = (items: Schema, values: unknown[]) => values.map((value) => conform(items, value))

function conformMembers(properties: Record<string, Schema>, value: Record<string, unknown>) {
  const conformed = { ...value }
  for (const [name, schema] of Object.entries(properties)) {
    if (!Object.hasOwn(conformed, name)) continue
    if (conformed[name] === null && !takesNull(schema)) delete conformed[name]
    else conformed[name] = conform(schema, conformed[name])
  }
  return conformed
}

const takesNull = ({ type, anyOf }: Schema) =>
  (type === undefined && !anyOf) || type === 'null' || (anyOf?.some((form) => form.type === 'null') ?? false)

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
