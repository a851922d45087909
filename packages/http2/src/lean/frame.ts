// The encoding of frames (RFC 9113 section 6): types, flags, heads.
import { putUint32 } from '../bytes.ts'

export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const

export const Flag = { END_STREAM: 0x1, ACK: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const

/** RFC 9113 section 6.5.2. */
export const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const

/** RFC 9113 section 3.4. */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

export const HEAD_BYTES = 9
/** Maximum size of a frame without another setting (RFC 9113 section 4.2). This client sets no other. */
export const DEFAULT_FRAME_BYTES = 16_384
export const LARGEST_FRAME_BYTES = 2 ** 24 - 1
/** RFC 9113 section 6.9.2. */
export const DEFAULT_WINDOW = 65_535
/** RFC 9113 section 6.9.1. */
export const LARGEST_WINDOW = 2 ** 31 - 1

export interface FrameHead {
  length: number
  type: number
  flags: number
  stream: number
}

export function putHead(target: Buffer, at: number, { length, type, flags, stream }: FrameHead): void {
  target[at] = length >>> 16
  target[at + 1] = length >>> 8
  target[at + 2] = length
  target[at + 3] = type
  target[at + 4] = flags
  putUint32(target, at + 5, stream)
}

/** A whole frame, for frames that are rare. */
export function frameOf({ type, flags, stream }: Omit<FrameHead, 'length'>, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length)
  putHead(frame, 0, { length: payload.length, type, flags, stream })
  frame.set(payload, HEAD_BYTES)
  return frame
}

export function settingsPayload(settings: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(settings.length * 6)
  for (const [place, [id, value]] of settings.entries()) {
    payload[place * 6 + 1] = id
    putUint32(payload, place * 6 + 2, value)
  }
  return payload
}

export function uint32Payload(...values: number[]): Buffer {
  const payload = Buffer.alloc(values.length * 4)
  for (const [place, value] of values.entries()) putUint32(payload, place * 4, value)
  return payload
}
