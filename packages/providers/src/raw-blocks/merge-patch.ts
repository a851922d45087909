// JSON Merge Patch, RFC 7396. Pure.

type Json = Record<string, unknown>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A new object: neither the target nor the patch is changed, and members of a prototype are none. Both must be JSON. */
export function mergePatch(target: unknown, patch: Readonly<Json>): Json {
  const merged: Json = Object.create(null)
  if (isObject(target)) for (const name of Object.keys(target)) merged[name] = target[name]
  for (const name of Object.keys(patch)) {
    const value = patch[name]
    if (value === null) delete merged[name]
    else merged[name] = isObject(value) ? mergePatch(merged[name], value) : value
  }
  return merged
}

/** The same object, whose member of this name is an object in any case. */
export const having = (name: string, object: Json): Json =>
  isObject(object[name]) ? object : { ...object, [name]: {} }

/** The members of these names, in the order in which they stand. */
export const onlyOf = (names: readonly string[], object: Readonly<Json>): Json =>
  Object.fromEntries(Object.entries(object).filter(([name]) => names.includes(name)))
