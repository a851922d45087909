// What there is of JSON Schema in our descriptions. Pure.

export interface Schema {
  title?: string
  description?: string
  type?: string | string[]
  format?: string
  anyOf?: Schema[]
  items?: Schema
  minItems?: number
  properties?: Record<string, Schema>
  required?: string[]
  patternProperties?: Record<string, Schema>
  examples?: unknown[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  $ref?: string
  /** Keywords for the description alone. */
  'x-document'?: Omit<Schema, 'x-document'>
  /** Names of headers of the response whose schema this is. */
  'x-headers'?: readonly string[]
  /** Name of an example that is computed. */
  'x-example'?: string
}

/** The schema with each of its parts changed. */
export function withParts(schema: Schema, change: (part: Schema) => Schema): Schema {
  const { properties, patternProperties, items, anyOf } = schema
  return {
    ...schema,
    ...(properties && { properties: mapValues(properties, change) }),
    ...(patternProperties && { patternProperties: mapValues(patternProperties, change) }),
    ...(items && { items: change(items) }),
    ...(anyOf && { anyOf: anyOf.map(change) }),
  }
}

export const mapValues = <T, U>(members: Record<string, T>, change: (value: T, name: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(members).map(([name, value]) => [name, change(value, name)]))
