// Members of a request that its schema does not know: misspelt ones, and ones that stand in the wrong place. Pure.
import type { Violation } from '@push-server/contract'
import { alternativesOf, isObject, type Schema } from './schema.ts'
import { fieldNameOf } from './violations.ts'

/** Enough to correct a request; whoever sends more strays has sent something else. */
export const MOST_STRAYS = 50

type Path = readonly (string | number)[]

/** One violation for each stray, at most `MOST_STRAYS`. Costs a look at each known member, and nothing of free content or long lists. */
export function strayMembers(schema: Schema, value: unknown): Violation[] {
  const strays: Violation[] = []
  const places = cachedPlaces(schema)

  function visit(part: Schema, inside: unknown, path: Path): void {
    const known = onlyAlternative(part)
    if (isObject(inside) && known.properties) {
      for (const name of Object.keys(inside)) {
        if (strays.length >= MOST_STRAYS) return
        const member = Object.hasOwn(known.properties, name) ? known.properties[name] : undefined
        if (member) visit(member, inside[name], [...path, name])
        else strays.push({ fieldName: fieldNameOf([...path, name]), hint: hintFor(places().get(name)) })
      }
    }
    const { items } = known
    if (Array.isArray(inside) && items && hasMembers(items))
      for (let index = 0; index < inside.length && strays.length < MOST_STRAYS; index += 1)
        visit(items, inside[index], [...path, index])
  }

  visit(schema, value, [])
  return strays
}

const hintFor = (place: string | undefined) =>
  place === undefined ? 'is not a member of this request' : `belongs to ${place}`

/** The schema of what may also be null. */
function onlyAlternative(schema: Schema): Schema {
  const [only, ...others] = alternativesOf(schema)
  return only && others.length === 0 ? only : schema
}

const hasMembers = (schema: Schema) => onlyAlternative(schema).properties !== undefined

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
