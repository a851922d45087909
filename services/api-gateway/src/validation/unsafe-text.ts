// Texts that neither PostgreSQL nor a provider can keep as they are: half a surrogate pair, U+0000. Pure.
import type { Violation } from '@push-server/contract'
import { fieldNameOf } from './violations.ts'

const HINT = 'must be well-formed Unicode without the character U+0000'

/** The first such text in a value that is nested no deeper than the limit; `whole` names one without a path. */
export function unsafeText(value: unknown, whole: string): Violation | undefined {
  const path = search(value)
  return path && { fieldName: fieldNameOf(path.toReversed()) || whole, hint: HINT }
}

type Path = (string | number)[]

/** The keys that lead to the text, innermost first: they are made on the way back, so that safe texts cost no garbage. */
function search(value: unknown): Path | undefined {
  if (typeof value === 'string') return isUnsafe(value) ? [] : undefined
  if (typeof value !== 'object' || value === null) return undefined
  return Array.isArray(value) ? searchItems(value) : searchMembers(value as Record<string, unknown>)
}

function searchItems(items: readonly unknown[]): Path | undefined {
  for (let index = 0; index < items.length; index += 1) {
    const path = search(items[index])
    if (path) return lengthened(path, index)
  }
  return undefined
}

/** The path does not include an unsafe name. */
function searchMembers(members: Readonly<Record<string, unknown>>): Path | undefined {
  for (const name in members) {
    if (isUnsafe(name)) return []
    const path = search(members[name])
    if (path) return lengthened(path, name)
  }
  return undefined
}

function lengthened(path: Path, key: string | number): Path {
  path.push(key)
  return path
}

const isUnsafe = (text: string) => text.includes('\0') || !text.isWellFormed()
