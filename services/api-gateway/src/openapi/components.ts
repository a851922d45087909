// From schemas as requests are validated by them to those of the description: keywords for the description alone, computed examples, and
// each schema that has a title once, by its name. Pure.
import { isDeepStrictEqual } from 'node:util'
import { withParts, type Schema } from './schema.ts'

/** Examples that the schemas name, by their names. */
export type ExampleValues = Readonly<Record<string, unknown>>

/** Our own keywords are nobody else's business. */
export function documented(schema: Schema, examples: ExampleValues): Schema {
  const { 'x-document': forDocument = {}, 'x-example': name } = schema
  if (name !== undefined && !(name in examples)) throw new Error(`There is no example ${name}`)
  const said = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keyword.startsWith('x-'))) as Schema
  const whole = { ...said, ...forDocument, ...(name !== undefined && { examples: [examples[name]] }) }
  const { anyOf, ...rest } = withParts(whole, (part) => documented(part, examples))
  return anyOf ? { ...rest, anyOf: anyOf.flatMap((kind) => (isBareUnion(kind) ? kind.anyOf : [kind])) } : rest
}

/** Nothing but alternatives: they are as good as those of the schema around it. */
const isBareUnion = (schema: Schema): schema is { anyOf: Schema[] } =>
  schema.anyOf !== undefined && Object.keys(schema).length === 1

/** Keeps what has a title in `schemas`, and refers to it. A default belongs to the place, not to the component. */
export function refer(schema: Schema, schemas: Record<string, Schema>): Schema {
  const whole = withParts(schema, (part) => refer(part, schemas))
  const { title } = whole
  if (title === undefined) return whole
  const { default: fallback, ...component } = whole
  const known = schemas[title]
  if (known && !isDeepStrictEqual(known, component)) throw new Error(`Two schemas have the title ${title}`)
  schemas[title] = component
  return { $ref: `#/components/schemas/${title}`, ...(fallback !== undefined && { default: fallback }) }
}
