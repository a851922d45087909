// JSON from bytes to a value that holds what the bytes said: refused when it is not UTF-8, beyond its limits, no JSON, or has
// texts that cannot be kept. Nothing is replaced.
import { isUtf8 } from 'node:buffer'
import type { Violation } from '@push-server/contract'
import { countJson, type JsonLimits } from './json-limits.ts'
import { isObject } from './schema.ts'
import { unsafeText } from './unsafe-text.ts'
import { fieldNameOf } from './violations.ts'

/** The value, or what is wrong with the bytes; `undefined` when there is nothing but blanks. */
export type ParsedJson = { value: unknown } | { exceeded: keyof JsonLimits } | { violation: Violation } | undefined

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** `whole` names the value in violations. */
export function parseJson(bytes: Buffer, limits: JsonLimits, whole: string): ParsedJson {
  const wrong = (hint: string) => ({ violation: { fieldName: whole, hint } })
  if (!isUtf8(bytes)) return wrong('must be UTF-8')
  const { exceeded, hasUnicodeEscape } = countJson(bytes, limits)
  if (exceeded) return { exceeded }
  const text = (startsWithMark(bytes) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes).toString('utf8')
  const parsed = parse(text)
  if ('hint' in parsed) return text.trim() === '' ? undefined : wrong(parsed.hint)
  const { value } = parsed
  if (hasUnicodeEscape || NAMES_OF_PROTOTYPES.some((name) => bytes.includes(name))) {
    const path = prototypePath(value)
    if (path) return { violation: { fieldName: fieldNameOf(path.toReversed()), hint: PROTOTYPE_HINT } }
  }
  const violation = hasUnicodeEscape ? unsafeText(value, whole) : undefined
  return violation ? { violation } : { value }
}

const startsWithMark = (bytes: Buffer) =>
  bytes[0] === BYTE_ORDER_MARK[0] && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)

/** The value, or why it is no JSON. Texts of the parser are not passed on: they quote the body. */
function parse(text: string): { value: unknown } | { hint: string } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { hint: `must be valid JSON${placeOf((error as Error).message)}` }
  }
}

function placeOf(message: string): string {
  if (/^(Unexpected end|Unterminated)/.test(message)) return ', and ends too early'
  const [, position] = / at position (\d+)/.exec(message) ?? []
  return position === undefined ? '' : `, and is not at character ${Number(position) + 1}`
}

const NAMES_OF_PROTOTYPES = ['__proto__', 'constructor']
const PROTOTYPE_HINT = 'must not be a member of a request: the name stands for the prototype of an object'

/** The keys, innermost first, that lead to a member that would change the prototype of whatever it is copied to. */
function prototypePath(value: unknown): (string | number)[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (isObject(value)) {
    if (Object.hasOwn(value, '__proto__')) return ['__proto__']
    const { constructor: own } = value
    if (Object.hasOwn(value, 'constructor') && isObject(own) && Object.hasOwn(own, 'prototype'))
      return ['prototype', 'constructor']
  }
  for (const [key, member] of Object.entries(value)) {
    const path = prototypePath(member)
    if (!path) continue
    path.push(Array.isArray(value) ? Number(key) : key)
    return path
  }
  return undefined
}
