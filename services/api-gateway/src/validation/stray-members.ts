// Members of a request that its schema does not know: misspelt ones, and ones that stand in the wrong place. Pure.
import type { Violation } from '@push-server/contract'
import { alternativesOf, type Schema } from './schema.ts'
import { fieldNameOf } from './violations.ts'

/** Enough to correct a request; whoever sends more strays has sent something else. */
export const MOST_STRAYS = 50

/** One violation for each stray, at most `MOST_STRAYS`. Costs a look at each known member, and nothing of free content or long lists. */
export function strayMembers(schema: Schema, value: unknown): Violation[] {
  const strays: Violation[] = []
  const places = cachedPlaces(schema)
  /** Keys that lead to what is visited: one list, as nearly every request has no stray. */
  const path: (string | number)[] = []

  function visit(part: Schema, inside: unknown): void {
    if (typeof inside !== 'object' || inside === null) return
    const known = onlyAlternative(part)
    if (Array.isArray(inside)) visitItems(known, inside)
    else if (known.properties) visitMembers(known.properties, inside as Record<string, unknown>)
  }

  function visitMembers(properties: NonNullable<Schema['properties']>, inside: Record<string, unknown>): void {
    for (const name of Object.keys(inside)) {
      if (strays.length >= MOST_STRAYS) return
      path.push(name)
      const member = Object.hasOwn(properties, name) ? properties[name] : undefined
      if (member) visit(member, inside[name])
      else strays.push({ fieldName: fieldNameOf(path), hint: hintFor(places().get(name)) })
      path.pop()
    }
  }

  function visitItems({ items }: Schema, inside: readonly unknown[]): void {
    if (!items || onlyAlternative(items).properties === undefined) return
    for (let index = 0; index < inside.length && strays.length < MOST_STRAYS; index += 1) {
      path.push(index)
      visit(items, inside[index])
      path.pop()
    }
  }

  visit(schema, value)
  return strays
}

const hintFor = (place: string | undefined) =>
  place === undefined ? 'is not a member of this request' : `belongs to ${place}`

/** The schema of what may also be null. */
function onlyAlternative(schema: Schema): Schema {
  const [only, ...others] = alternativesOf(schema)
  return only && others.length === 0 ? only : schema
}

const kept = new WeakMap<Schema, Map<string, string>>()

/** Where members of each name belong, made when the first stray of a route comes. */
const cachedPlaces = (schema: Schema) => () => {
  const known = kept.get(schema) ?? placesOf(schema, '', new Map<string, string>())
  kept.set(schema, known)
  return known
}

function placesOf(schema: Schema, path: string, places: Map<string, string>): Map<string, string> {
  const known = onlyAlternative(schema)
  for (const [name, member] of Object.entries(known.properties ?? {})) {
    if (!places.has(name)) places.set(name, path === '' ? 'the outermost object' : path)
    placesOf(member, path === '' ? name : `${path}.${name}`, places)
  }
  if (known.items) placesOf(known.items, `${path}[]`, places)
  return places
}
