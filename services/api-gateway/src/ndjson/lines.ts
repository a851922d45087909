// Splits a stream of bytes into lines of JSON. Holds one line at most, however long the whole is.
import { ApiError, type Violation } from '@push-server/contract'
import { parseJson } from '../validation/json-body.ts'
import { excessOf, type JsonLimits } from '../validation/json-limits.ts'

/** More than most lines that are in order. */
const LONGEST_LINE = 16_384
const LINE_LIMITS: JsonLimits = { depth: 16, nodes: 512, values: 512 }
const NEWLINE = 0x0a

/** How a line begins that is a text in JSON with an object inside. */
const TEXT_OF_OBJECTS = String.raw`"{\"`
export const ONE_TEXT_HINT = 'is a text in JSON that holds objects: send the lines as they are, not as one text in JSON'

/** A line that is not blank: its number from 1, and its value or what is wrong with it. */
export type Line = { line: number; value: unknown } | { line: number; violation: Violation }

/** The lines that a piece completes, and its bytes. */
export interface Piece {
  lines: Line[]
  size: number
}

/** The lines that each piece completes. Throws an ApiError when there are more bytes than `limit`. */
export async function* readLines(
  source: AsyncIterable<Buffer>,
  limit: number,
  longestLine = LONGEST_LINE,
): AsyncGenerator<Piece> {
  const cutter = createCutter(longestLine)
  let size = 0
  for await (const piece of source) {
    size += piece.length
    if (size > limit)
      throw new ApiError('ERROR_TOO_LARGE', `The request body is larger than the configured limit of ${limit} bytes`)
    const lines = cutter.split(piece)
    if (lines.length > 0) yield { lines, size: piece.length }
  }
  const last = cutter.end()
  if (last) yield { lines: [last], size: 0 }
}

function createCutter(longestLine: number) {
  let line = 0
  /** The beginning of a line whose end has not come yet; of one that is too long only its length counts. */
  let kept: Buffer[] = []
  let length = 0
  /** The first piece of the line. */
  let opening: Buffer | undefined

  function keep(bytes: Buffer) {
    if (length === 0) opening = bytes
    length += bytes.length
    if (length <= longestLine) kept.push(bytes)
    else kept = []
  }

  function take(): Line | undefined {
    const isTooLong = length > longestLine
    const [only, ...more] = kept
    const bytes = only && more.length === 0 ? only : Buffer.concat(kept)
    kept = []
    length = 0
    line += 1
    if (isTooLong) return { line, violation: wrong(tooLongHint(opening, longestLine)) }
    return lineOf(bytes, line)
  }

  return {
    split(piece: Buffer): Line[] {
      const lines: Line[] = []
      let from = 0
      for (let to = piece.indexOf(NEWLINE); to !== -1; to = piece.indexOf(NEWLINE, from)) {
        keep(piece.subarray(from, to))
        const taken = take()
        if (taken) lines.push(taken)
        from = to + 1
      }
      if (from < piece.length) keep(piece.subarray(from))
      return lines
    },
    /** The last line needs no end. */
    end: () => (length > 0 ? take() : undefined),
  }
}

const tooLongHint = (opening: Buffer | undefined, longestLine: number) =>
  opening?.toString('latin1', 0, TEXT_OF_OBJECTS.length) === TEXT_OF_OBJECTS
    ? ONE_TEXT_HINT
    : `must not have more than ${longestLine} bytes`

/** Undefined for a blank line. */
function lineOf(bytes: Buffer, line: number): Line | undefined {
  const parsed = parseJson(bytes, LINE_LIMITS, 'line')
  if (parsed === undefined) return undefined
  if ('value' in parsed) return { line, value: parsed.value }
  return { line, violation: 'violation' in parsed ? parsed.violation : wrong(excessOf(parsed.exceeded, LINE_LIMITS)) }
}

const wrong = (hint: string): Violation => ({ fieldName: 'line', hint })
