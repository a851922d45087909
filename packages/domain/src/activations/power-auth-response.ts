// What PowerAuth Server's responses say, and its errors. Pure.
import { isUtf8 } from 'node:buffer'

/** PowerAuth Server could not be reached, refused the call, or sent an unusable response. The text is for the operator. */
export class PowerAuthError extends Error {
  override readonly name: string = 'PowerAuthError'
  /** What was called, without the URL's own path, as far as it is known. */
  endpoint?: string
}

/** PowerAuth Server does not have the path. */
export class PathMissing extends PowerAuthError {
  override readonly name = 'PathMissing'
}

type Members = Readonly<Record<string, unknown>>

/** Null when the response has none. Throws PathMissing, otherwise PowerAuthError. */
export function responseObjectOf(statusCode: number, bytes: Buffer): unknown {
  const envelope = membersOf(bytes)
  if (isPathMissing(statusCode, envelope)) throw new PathMissing(refusalText(statusCode, envelope))
  if (statusCode !== 200) throw new PowerAuthError(refusalText(statusCode, envelope))
  // Decoded all the same, two users would become one.
  if (!isUtf8(bytes)) throw new PowerAuthError('a response that is not UTF-8')
  if (envelope?.status !== 'OK') throw new PowerAuthError('HTTP 200 without the envelope of a response')
  return envelope.responseObject ?? null
}

/** Earlier versions respond with a page of their framework, later ones say so in the envelope. Business errors are 400. */
const isPathMissing = (statusCode: number, envelope: Members | undefined) =>
  statusCode === 404 && (envelope?.status !== 'ERROR' || errorOf(envelope).code === 'ERROR_NOT_FOUND')

const errorOf = (envelope: Members | undefined): Members => Object(envelope?.responseObject) as Members

/** `HTTP 401 ERR_AUTHENTICATION: Authentication failed` */
function refusalText(statusCode: number, envelope: Members | undefined): string {
  const { code, message } = errorOf(envelope)
  const details = [code, message].filter((part) => typeof part === 'string').join(': ')
  return `HTTP ${statusCode}${details && ` ${details}`}`
}

function membersOf(bytes: Buffer): Members | undefined {
  try {
    const value: unknown = JSON.parse(withoutMark(bytes).toString())
    return typeof value === 'object' && value !== null ? (value as Members) : undefined
  } catch {
    // A proxy on the way may respond with HTML, say: the status is all that is known then.
    return undefined
  }
}

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

const withoutMark = (bytes: Buffer) =>
  bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes
