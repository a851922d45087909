// Texts that neither PostgreSQL nor a provider can take, and JSON nested past any use: found before anything else looks. Pure.
import type { Violation } from '@push-server/contract'

const DEEPEST = 64

/** The first fault below `path`; undefined when all is well. */
export function illFormed(value: unknown, path: string, depth = 0): Violation | undefined {
  if (typeof value === 'string') return textFault(value, path)
  if (typeof value !== 'object' || value === null) return undefined
  if (depth > DEEPEST) return { fieldName: 'body', hint: `must not be nested more than ${DEEPEST} deep` }
  for (const [name, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    const fault = textFault(name, path === '' ? 'body' : path) ?? illFormed(member, at, depth + 1)
    if (fault) return fault
  }
  return undefined
}

const textFault = (text: string, fieldName: string): Violation | undefined =>
  text.includes('\0') || !text.isWellFormed()
    ? { fieldName: fieldName || 'body', hint: 'must be well-formed Unicode without the character U+0000' }
    : undefined
