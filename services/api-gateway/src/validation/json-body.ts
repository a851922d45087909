// JSON from bytes to a value that holds what the bytes said: refused when it is not UTF-8, beyond its limits, no JSON, or has
// texts that cannot be kept. Nothing is replaced.
import { isUtf8 } from 'node:buffer'
import type { Violation } from '@push-server/contract'
import { countJson, type JsonLimits } from './json-limits.ts'
import { isObject } from './schema.ts'
import { unsafeText } from './unsafe-text.ts'

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
  const value = parse(text)
  if (value === undefined) return text.trim() === '' ? undefined : wrong('must be valid JSON')
  if ((hasUnicodeEscape || NAMES_OF_PROTOTYPES.some((name) => bytes.includes(name))) && hasPrototype(value))
    return wrong('must be valid JSON')
  const violation = hasUnicodeEscape ? unsafeText(value, whole) : undefined
  return violation ? { violation } : { value }
}

const startsWithMark = (bytes: Buffer) =>
  bytes[0] === BYTE_ORDER_MARK[0] && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)

/** Undefined for what is no JSON, which has no such value. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const NAMES_OF_PROTOTYPES = ['__proto__', 'constructor']

/** Members that would change the prototype of whatever they are copied to. */
function hasPrototype(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasPrototype)
  if (!isObject(value)) return false
  if (Object.hasOwn(value, '__proto__')) return true
  const { constructor: own } = value
  if (Object.hasOwn(value, 'constructor') && isObject(own) && Object.hasOwn(own, 'prototype')) return true
  return Object.values(value).some(hasPrototype)
}
