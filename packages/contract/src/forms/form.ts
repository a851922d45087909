// Forms of a response: the document's, with everything that we add, and those of the reference server's versions, whose strict clients
// fail on a member that they do not know.
import type { TSchema } from 'typebox'

/** `1.9`: versions 1.7 to 1.9. `1.10`: versions 1.10 to 2.x. `all`: the document's, with our additions. */
export const FORMS = ['1.9', '1.10', 'all'] as const
export type Form = (typeof FORMS)[number]
export type VersionForm = Exclude<Form, 'all'>

/** By which a client chooses the form of a response itself. */
export const FORM_HEADER = 'x-push-compatibility'

export const isForm = (text: unknown): text is Form => FORMS.some((form) => form === text)

interface Shape extends TSchema {
  type?: string
  properties?: Record<string, Shape>
  items?: Shape
}

/**
 * The value with the members of the schema alone, at every depth, as plain data: the schema of a form says all that a response may
 * have. Nulls are left out; a text of digits becomes a number where the schema has an integer, up to 2^53.
 */
export function shapedAs(schema: TSchema, value: unknown): unknown {
  const { type, properties, items } = schema as Shape
  if (value === null || value === undefined) return undefined
  if (type === 'integer' && typeof value === 'string')
    return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (type === 'array' && items && Array.isArray(value)) return value.map((item) => shapedAs(items, item))
  if (type !== 'object' || typeof value !== 'object') return value
  const members = value as Record<string, unknown>
  // Any members, as those of `extras`.
  if (!properties) return withoutNulls(members)
  return Object.fromEntries(
    Object.entries(properties).flatMap(([name, inner]) => {
      const shaped = Object.hasOwn(members, name) ? shapedAs(inner, members[name]) : undefined
      return shaped === undefined ? [] : [[name, shaped]]
    }),
  )
}

/** Of objects at every depth; a null among the items of a list has its place there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, member]) => member !== null)
  return Object.fromEntries(kept.map(([name, member]: [string, unknown]) => [name, withoutNulls(member)]))
}
