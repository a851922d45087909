// Bytes that come in pieces, cut into lines of JSON. Holds a line at most, however long the whole is.
import { isUtf8 } from 'node:buffer'
import { ApiError, invalidRequest } from '@push-server/contract'

/** More than any line that is in order. */
const LONGEST_LINE = 16_384
const NEWLINE = 0x0a
const MARK = Buffer.from([0xef, 0xbb, 0xbf])

/** A line that is not blank: its number from 1, and its value or what is wrong with it. */
export type Line = { line: number; value: unknown } | { line: number; hint: string }

/** The lines that each piece completes. Throws an ApiError when there are more bytes than `limit`, or the sender goes away. */
export async function* readLines(source: AsyncIterable<Buffer>, limit: number): AsyncGenerator<Line[]> {
  const cutter = createCutter()
  let size = 0
  for await (const piece of faultsTold(source)) {
    size += piece.length
    if (size > limit)
      throw new ApiError('ERROR_TOO_LARGE', `The request body is larger than the configured limit of ${limit} bytes`)
    const lines = cutter.cut(piece)
    if (lines.length > 0) yield lines
  }
  const last = cutter.end()
  if (last) yield [last]
}

async function* faultsTold(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* source
  } catch (error) {
    if (error instanceof ApiError) throw error
    throw invalidRequest([{ fieldName: 'body', hint: 'ended before its time' }], error)
  }
}

function createCutter() {
  let line = 0
  /** The beginning of a line whose end has not come yet; of one that is too long only its length counts. */
  let kept: Buffer[] = []
  let length = 0

  function keep(bytes: Buffer) {
    length += bytes.length
    if (length <= LONGEST_LINE) kept.push(bytes)
    else kept = []
  }

  function take(): Line | undefined {
    const isTooLong = length > LONGEST_LINE
    const [only, ...more] = kept
    const bytes = only && more.length === 0 ? only : Buffer.concat(kept)
    kept = []
    length = 0
    line += 1
    if (isTooLong) return { line, hint: `must not have more than ${LONGEST_LINE} bytes` }
    return parse(line === 1 && bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes, line)
  }

  return {
    cut(piece: Buffer): Line[] {
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

/** Undefined for a blank line. */
function parse(bytes: Buffer, line: number): Line | undefined {
  if (!isUtf8(bytes)) return { line, hint: 'must be UTF-8' }
  const text = bytes.toString('utf8')
  if (text.trim() === '') return undefined
  try {
    return { line, value: JSON.parse(text) }
  } catch {
    return { line, hint: 'must be valid JSON' }
  }
}
