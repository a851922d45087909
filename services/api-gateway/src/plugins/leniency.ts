// What clients of the reference server may send in another form than the schema's, brought into the schema's form:
// scalars for texts, numeric texts for numbers, any case for some words. Nothing else is touched, `extras` least of all.
import type { TSchema } from 'typebox'

interface Schema {
  type?: string
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  items?: Schema
  'x-case'?: 'lower'
}

/** Returns the value in the form that the schema asks for, where that is the same value; otherwise the value itself. */
export const lenient = (schema: TSchema, value: unknown): unknown => conform(schema, value)

const WORDS: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  1: true,
  false: false,
  off: false,
  no: false,
  0: false,
}

/** Query parameters are texts, whatever they mean. */
export function lenientQuery({ properties = {} }: TSchema & Pick<Schema, 'properties'>, query: unknown): unknown {
  const given = query as Readonly<Record<string, unknown>>
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
      const word = schema?.type === 'boolean' && typeof value === 'string' ? WORDS[value.toLowerCase()] : undefined
      return [name, word ?? (schema ? conform(schema, value) : value)]
    }),
  )
}

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
      return conformNumber(value)
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

const conformItems = (items: Schema, values: unknown[]) => values.map((value) => conform(items, value))

function conformMembers(properties: Record<string, Schema>, value: Record<string, unknown>) {
  const conformed = { ...value }
  for (const [name, schema] of Object.entries(properties))
    if (Object.hasOwn(conformed, name)) conformed[name] = conform(schema, conformed[name])
  return conformed
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
