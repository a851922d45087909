// What no raw block may have, whatever the provider, and the words of its refusals. Pure.
import type { PayloadProblem } from '../payload-limits.ts'
import { isObject } from './merge-patch.ts'

const DEEPEST = 10
const MOST_MEMBERS = 500
/** They are no data to an object, but its making. */
const NO_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

/** The first that is found: too deep, too many members, a dangerous name, a text or a number that JSON cannot carry. */
export function unsafeProblem(field: string, block: unknown): PayloadProblem | undefined {
  let members = 0

  function search(value: unknown, path: string, depth: number): PayloadProblem | undefined {
    if (typeof value === 'number' && !isExact(value))
      return { field: path, hint: 'must not have an integer beyond 9007199254740991, nor a number that is none' }
    if (typeof value === 'string' && !value.isWellFormed()) return { field: path, hint: 'must be well-formed Unicode' }
    if (typeof value !== 'object' || value === null) return undefined
    if (depth > DEEPEST) return { field: path, hint: `must not be nested more than ${DEEPEST} deep` }
    for (const [name, inner] of Object.entries(value)) {
      members += 1
      if (members > MOST_MEMBERS) return { field, hint: `must not have more than ${MOST_MEMBERS} members` }
      const inside = Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`
      if (NO_NAMES.has(name) || !name.isWellFormed()) return { field: inside, hint: 'must not be named so' }
      const problem = search(inner, inside, depth + 1)
      if (problem) return problem
    }
    return undefined
  }

  return search(block, field, 1)
}

const isExact = (number: number) =>
  Number.isFinite(number) && (!Number.isInteger(number) || Math.abs(number) <= Number.MAX_SAFE_INTEGER)

/** Members of `block` that are not among these. */
export const strangers = (field: string, block: object, allowed: readonly string[]): PayloadProblem[] =>
  Object.keys(block)
    .filter((name) => !allowed.includes(name))
    .map((name) => ({ field: `${field}.${name}`, hint: `must not be set; allowed are ${allowed.join(', ')}` }))

/** What every request has: null must not remove it, or the rest would have no place. */
export const kept = (field: string, block: Readonly<Record<string, unknown>>, name: string): PayloadProblem[] =>
  block[name] === null ? [{ field: `${field}.${name}`, hint: 'must be an object' }] : []

/** A member that is neither left out nor null has to be an object. */
export const objectProblems = (field: string, block: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  names
    .filter((name) => block[name] !== undefined && block[name] !== null && !isObject(block[name]))
    .map((name): PayloadProblem => ({ field: `${field}.${name}`, hint: 'must be an object' }))
