// Whether a member reached the phone as it was given, found by its value anywhere in the push: nothing here knows where a provider
// puts a member, so that a new one needs no line of its own. Pure.
import { ANYTHING, canonical, RULES, type Arrived, type Exception } from './_exceptions.ts'
import type { Member } from './_members.ts'

/** Everything that is in a push, JSON inside of texts included. */
interface Found {
  texts: Set<string>
  /** JSON of every list, and of every member under its name. */
  lists: Set<string>
  members: Set<string>
}

function find(value: unknown, found: Found): Found {
  if (typeof value === 'string') {
    found.texts.add(value)
    if (/^[[{]/.test(value)) for (const inner of parsed(value)) find(inner, found)
  } else if (typeof value === 'number') found.texts.add(String(value))
  else if (Array.isArray(value)) {
    found.lists.add(canonical(value))
    for (const item of value) find(item, found)
  } else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value)) {
      found.members.add(canonical([name, member]))
      find(member, found)
    }
  return found
}

/** The text may as well be a text of the caller's that begins like JSON. */
function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)]
  } catch {
    return []
  }
}

const foundIn = ({ headers, payload }: Arrived) =>
  find([headers, payload], { texts: new Set(), lists: new Set(), members: new Set() })

/** The push of the same message with another value of one member; undefined when that is refused. */
export type Twin = (name: string, value: unknown) => Pick<Arrived, 'headers' | 'payload'> | undefined

/** Words and truth values are no values to be found: the push has to be another one than with every other word. */
function changesSomething(
  { name, schema }: Member,
  value: unknown,
  { arrived, twin }: { arrived: Arrived; twin: Twin },
) {
  const words = (schema.enum ?? [true, false]).filter((word) => word !== value)
  const shape = ({ headers, payload }: Pick<Arrived, 'headers' | 'payload'>) => JSON.stringify([headers, payload])
  return words.every((word) => {
    const other = twin(name, word)
    return other === undefined || shape(other) !== shape(arrived)
  })
}

function isThere(member: Member, value: unknown, context: { arrived: Arrived; twin: Twin }): boolean {
  const { schema } = member
  if (value === undefined || value === null) return true
  if (schema.enum || typeof value === 'boolean') return changesSomething(member, value, context)
  const found = foundIn(context.arrived)
  if (Array.isArray(value)) return value.length === 0 || found.lists.has(canonical(value))
  if (typeof value === 'object') return Object.entries(value).every((entry) => found.members.has(canonical(entry)))
  return found.texts.has(typeof value === 'string' ? value : JSON.stringify(value))
}

/**
 * Undefined when the member arrived as given or as a row says; otherwise why not. Adds the rows that applied to `met`. Rows are
 * compared in their order, the first that applies counts, as a reader would take them.
 */
export function arrivalProblem(
  member: Member,
  context: { arrived: Arrived; twin: Twin },
  { rows, met }: { rows: readonly Exception[]; met: Set<Exception> },
): string | undefined {
  const { arrived } = context
  const value = arrived.values[member.name]
  for (const row of rows) {
    if (!row.members.includes(member.name) || !row.places.includes(arrived.place)) continue
    const rule = RULES[row.given]
    if (row.given !== ANYTHING && !rule?.applies(value, arrived)) continue
    met.add(row)
    if (!rule || rule.holds(value, arrived)) return undefined
    return `${member.name} on ${arrived.place} is not what the row "${row.given}" says`
  }
  return isThere(member, value, context) ? undefined : `${member.name} does not reach ${arrived.place}`
}
