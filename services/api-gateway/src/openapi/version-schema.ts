// The schema of a response in the form of a version: the members that the table of forms has, each as the document's own form describes it.
// Pure.
import { isDeepStrictEqual } from 'node:util'
import { mapValues, type Schema } from './schema.ts'

/** `own`: from the table of forms. `full`: of the same value in the document's own form, which is returned where both are the same. */
export function inVersion(own: Schema, full: Schema = {}): Schema {
  const plain = withoutNull(full, own)
  if (own.type === 'array' && own.items) {
    const items = inVersion(own.items, plain.items)
    return items === plain.items ? plain : renamed({ ...plain, type: 'array', items })
  }
  if (own.type === 'object' && own.properties) return objectInVersion(own.properties, plain)
  return own.type === plain.type ? plain : ofOtherType(own, plain)
}

function objectInVersion(members: Record<string, Schema>, full: Schema): Schema {
  const known = full.properties ?? {}
  const properties = mapValues(members, (member, name) => inVersion(member, known[name]))
  // Nulls are left out.
  const required = (full.required ?? []).filter((name) => name in members && !takesNull(known[name] ?? {}))
  const isSame = isDeepStrictEqual(properties, known) && required.length === (full.required ?? []).length
  if (isSame) return full
  return renamed({ ...full, type: 'object', properties, ...(full.required && { required }) })
}

/** Operations of ours have the other schema beside it. */
const renamed = ({ title, examples: _, ...schema }: Schema): Schema => ({
  ...schema,
  ...(title !== undefined && { title: `Version${title}` }),
})

const takesNull = ({ type, anyOf = [] }: Schema) =>
  type === 'null' || (Array.isArray(type) && type.includes('null')) || anyOf.some((kind) => kind.type === 'null')

/** The alternative that the version has. */
function withoutNull(schema: Schema, { type }: Schema): Schema {
  const { 'x-document': forDocument = {}, anyOf: accepted, ...annotations } = schema
  const { anyOf = accepted } = forDocument
  if (!anyOf) return schema
  const kinds = anyOf.flatMap((kind) => kind.anyOf ?? [kind])
  return { ...annotations, ...kinds.find((kind) => kind.type === type) }
}

/** A text of digits that is a number in a version, or a member that is always null elsewhere. */
function ofOtherType({ type }: Schema, { description, examples }: Schema): Schema {
  const numbers = type === 'integer' ? examples?.map(Number) : undefined
  return { type: type ?? 'object', ...(numbers && { description, examples: numbers }) }
}
