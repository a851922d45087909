// How much JSON a body holds, counted over its bytes before anything is made of them: `[{},{},…]` takes 19 times its size once
// it is parsed. One pass, no garbage; whether it is JSON at all is left to the parser. Pure.
import { ApiError } from '@push-server/contract'

export interface JsonLimits {
  /** Objects and lists inside each other. */
  depth: number
  /** Objects, lists and members: what takes many times its bytes once parsed. */
  nodes: number
  /** Values of any kind. */
  values: number
}

/** What a request without long lists of its own has room for, members that nobody reads included. */
export const DEFAULT_LIMITS: JsonLimits = { depth: 64, nodes: 32_768, values: 32_768 }

export interface JsonCount {
  /** The first limit that is exceeded; counting ended there. */
  exceeded: keyof JsonLimits | undefined
  /** Whether a text has a character written as `\u…`: only so can JSON in UTF-8 hold half a surrogate pair or U+0000. */
  hasUnicodeEscape: boolean
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const LOWER_U = 0x75
/** `[` and `{`, as `]` and `}`, differ in this bit. */
const BRACE_BIT = 0x20
const OPEN = 0x7b
const CLOSE = 0x7d
/** After so many plain bytes of a text its end is searched for natively. */
const PLAIN_RUN = 16

/** Values are counted by their commas: the first of each list or object goes with that. */
export function countJson(bytes: Buffer, limits: JsonLimits): JsonCount {
  const texts: TextState = { hasUnicodeEscape: false, nextQuote: -1, nextBackslash: -1 }
  const { length } = bytes
  let [depth, nodes, values] = [0, 0, 1]
  let exceeded: JsonCount['exceeded']
  let at = 0
  while (at < length && exceeded === undefined) {
    const byte = bytes[at] as number // at < length
    at += 1
    if (byte === QUOTE) at = skipText(bytes, at, texts)
    else if (byte === COMMA) {
      values += 1
      if (values > limits.values) exceeded = 'values'
    } else if (byte === COLON) {
      nodes += 1
      if (nodes > limits.nodes) exceeded = 'nodes'
    } else if ((byte | BRACE_BIT) === OPEN) {
      depth += 1
      nodes += 1
      exceeded = depth > limits.depth ? 'depth' : nodes > limits.nodes ? 'nodes' : undefined
    } else if ((byte | BRACE_BIT) === CLOSE) depth -= 1
  }
  return { exceeded, hasUnicodeEscape: texts.hasUnicodeEscape }
}

interface TextState {
  hasUnicodeEscape: boolean
  /** Where the native search last found one: not searched for again before it is passed, so that all searches take one pass. */
  nextQuote: number
  nextBackslash: number
}

/** The place after the closing quote of a text whose content begins at `at`. */
function skipText(bytes: Buffer, at: number, state: TextState): number {
  const { length } = bytes
  let runEnd = at + PLAIN_RUN
  while (at < length) {
    const byte = bytes[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) {
      if (bytes[at + 1] === LOWER_U) state.hasUnicodeEscape = true
      at += 2
      runEnd = at + PLAIN_RUN
    } else if (at < runEnd) at += 1
    else {
      if (state.nextQuote < at) state.nextQuote = placeOf(bytes, QUOTE, at)
      if (state.nextBackslash < at) state.nextBackslash = placeOf(bytes, BACKSLASH, at)
      at = Math.min(state.nextQuote, state.nextBackslash)
    }
  }
  return at
}

function placeOf(bytes: Buffer, byte: number, from: number): number {
  const place = bytes.indexOf(byte, from)
  return place === -1 ? bytes.length : place
}

const NAMES: Readonly<Record<keyof JsonLimits, (limit: number) => string>> = {
  depth: (limit) => `is nested more than ${limit} deep`,
  nodes: (limit) => `has more than ${limit} objects, lists and members`,
  values: (limit) => `has more than ${limit} values`,
}

/** What is wrong with JSON that exceeds a limit, as the rest of a sentence that names the limit. */
export const excessOf = (exceeded: keyof JsonLimits, limits: JsonLimits): string => NAMES[exceeded](limits[exceeded])

/** 413: refused before anything was made of it. */
export const tooLarge = (exceeded: keyof JsonLimits, limits: JsonLimits): ApiError =>
  new ApiError('ERROR_TOO_LARGE', `The request body ${excessOf(exceeded, limits)}, the limit of this operation`)
