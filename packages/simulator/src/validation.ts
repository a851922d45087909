// The shape of a message as data, and the violations of a request. Pure.
import { isRecord } from './json.ts'

export interface ShapeViolation {
  /** Path of the member, such as message.android.ttl; of the parent when the member is unknown. */
  field: string
  kind: 'unknown' | 'type' | 'value'
  /** The provider's name of the expected type; the member's own name when it is unknown. */
  expected: string
  value: unknown
}

/** Adds the errors of a value to the violations. */
export type Shape = (value: unknown, field: string, violations: ShapeViolation[]) => void

const plain =
  (expected: string, fits: (value: unknown) => boolean): Shape =>
  (value, field, violations) => {
    if (!fits(value)) violations.push({ field, kind: 'type', expected, value })
  }

export const text = plain('TYPE_STRING', (value) => typeof value === 'string')
export const flag = plain('TYPE_BOOL', (value) => typeof value === 'boolean')
export const decimal = plain('TYPE_FLOAT', (value) => typeof value === 'number')
export const whole = plain(
  'TYPE_INT32',
  (value) => Number.isInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value)),
)
export const anything: Shape = () => {}

/** A text of a certain format; `expected` is the provider's name of the format. */
export const pattern =
  (format: RegExp, expected: string): Shape =>
  (value, field, violations) => {
    if (typeof value === 'string' && format.test(value)) return
    violations.push({ field, kind: typeof value === 'string' ? 'value' : 'type', expected, value })
  }

/** One of some words, in any case unless `exact`. */
export function word(words: readonly string[], expected: string, { exact = false } = {}): Shape {
  return pattern(new RegExp(`^(?:${words.join('|')})$`, exact ? '' : 'i'), expected)
}

export const range =
  (from: number, to: number): Shape =>
  (value, field, violations) => {
    whole(value, field, violations)
    if (Number(value) < from || Number(value) > to)
      violations.push({ field, kind: 'value', expected: `a number from ${from} to ${to}`, value })
  }

export const list =
  (shape: Shape): Shape =>
  (value, field, violations) => {
    if (!Array.isArray(value)) return void violations.push({ field, kind: 'type', expected: 'TYPE_LIST', value })
    for (const [index, item] of value.entries()) shape(item, `${field}[${index}]`, violations)
  }

/** Any keys; a value is named by its position, as Google does. */
export const map =
  (shape: Shape): Shape =>
  (value, field, violations) => {
    if (!isRecord(value)) return void violations.push({ field, kind: 'type', expected: 'TYPE_MESSAGE', value })
    for (const [index, item] of Object.values(value).entries()) shape(item, `${field}[${index}].value`, violations)
  }

/** Known members. They may also be written in camel case, and null stands for none (proto3's JSON). */
export const record = (
  members: Readonly<Record<string, Shape>>,
  { expected = 'TYPE_MESSAGE', open = false }: { expected?: string; open?: boolean } = {},
): Shape => {
  const shapes = new Map(
    Object.entries(members).flatMap(([name, shape]) => [
      [name, shape],
      [camelCase(name), shape],
    ]),
  )
  return (value, field, violations) => {
    if (!isRecord(value)) return void violations.push({ field, kind: 'type', expected, value })
    for (const name in value) {
      const shape = shapes.get(name)
      const path = field === '' ? name : `${field}.${name}`
      if (shape && value[name] !== null) shape(value[name], path, violations)
      else if (!shape && !open) violations.push({ field, kind: 'unknown', expected: name, value: value[name] })
    }
  }
}

/** Every violation of a shape, in the order of the members. */
export function violationsOf(shape: Shape, value: unknown): ShapeViolation[] {
  const violations: ShapeViolation[] = []
  shape(value, '', violations)
  return violations
}

/** body_loc_key → bodyLocKey */
export const camelCase = (name: string) => name.replaceAll(/_(\w)/g, (_match, letter: string) => letter.toUpperCase())
