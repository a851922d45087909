// The connection error of RFC 9113: the peer has broken a rule, GOAWAY names it, and the connection ends.

/** RFC 9113 section 7. */
export const ErrorCode = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  ENHANCE_YOUR_CALM: 0xb,
} as const

export type ErrorName = keyof typeof ErrorCode

export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: number

  /** `rule`: what was broken, for the log. */
  constructor(code: ErrorName, rule: string) {
    super(`${code}: ${rule}`)
    this.code = ErrorCode[code]
  }
}
