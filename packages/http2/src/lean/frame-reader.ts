// Divides the bytes of a socket into frames (RFC 9113 section 4.1). A frame that came in one piece is not copied.
import { octet, uint24, uint31 } from '../bytes.ts'
import { ConnectionError } from '../connection-error.ts'
import { DEFAULT_FRAME_BYTES, Flag, HEAD_BYTES } from './frame.ts'

/** A frame in `bytes`, which may change once the call has returned. One object serves all frames. */
export interface Frame {
  type: number
  flags: number
  stream: number
  bytes: Buffer
  start: number
  end: number
}

export class FrameReader {
  readonly #frame: Frame = { type: 0, flags: 0, stream: 0, bytes: Buffer.alloc(0), start: 0, end: 0 }
  readonly #onFrame: (frame: Frame) => void
  readonly #maxFrameBytes: number
  /** The beginning of a frame whose end has not come yet. */
  #carry: Buffer | undefined
  #carried = 0
  #stopped = false

  /** `maxFrameBytes`: maximum size of a frame, by the SETTINGS that its sender has. */
  constructor(onFrame: (frame: Frame) => void, maxFrameBytes = DEFAULT_FRAME_BYTES) {
    this.#onFrame = onFrame
    this.#maxFrameBytes = maxFrameBytes
  }

  /** No frame is passed on from now on. */
  stop() {
    this.#stopped = true
  }

  /** Throws a ConnectionError for a frame that is too long, and any error of `onFrame`. */
  read(chunk: Buffer) {
    if (this.#stopped) return
    let at = this.#completeCarried(chunk)
    while (chunk.length - at >= HEAD_BYTES && !this.#stopped) {
      const end = at + HEAD_BYTES + this.#lengthAt(chunk, at)
      if (end > chunk.length) break
      this.#emit(chunk, at, end)
      at = end
    }
    if (at < chunk.length && !this.#stopped) this.#keep(chunk, at)
  }

  #emit(bytes: Buffer, at: number, end: number) {
    const frame = this.#frame
    frame.type = octet(bytes, at + 3)
    frame.flags = octet(bytes, at + 4)
    frame.stream = uint31(bytes, at + 5)
    frame.bytes = bytes
    frame.start = at + HEAD_BYTES
    frame.end = end
    this.#onFrame(frame)
  }

  /** Each octet is copied once, however small the pieces are in which it comes. Returns where the next frame begins. */
  #completeCarried(chunk: Buffer): number {
    if (this.#carried === 0 || !this.#carry) return 0
    let at = this.#fill(chunk, 0, HEAD_BYTES)
    if (this.#carried < HEAD_BYTES) return at
    const end = HEAD_BYTES + this.#lengthAt(this.#carry, 0)
    at = this.#fill(chunk, at, end)
    if (this.#carried < end) return at
    this.#carried = 0
    this.#emit(this.#carry, 0, end)
    return at
  }

  #fill(chunk: Buffer, at: number, needed: number): number {
    const end = Math.min(chunk.length, at + Math.max(0, needed - this.#carried))
    if (this.#carry) this.#carried += chunk.copy(this.#carry, this.#carried, at, end)
    return end
  }

  #keep(chunk: Buffer, at: number) {
    this.#carry ??= Buffer.allocUnsafeSlow(HEAD_BYTES + this.#maxFrameBytes)
    this.#carried += chunk.copy(this.#carry, this.#carried, at)
  }

  #lengthAt(bytes: Buffer, at: number): number {
    const length = uint24(bytes, at)
    if (length > this.#maxFrameBytes) throw new ConnectionError('FRAME_SIZE_ERROR', `a frame of ${length} bytes`)
    return length
  }
}

/** Removes the padding (RFC 9113 section 6.1). */
export function unpad(frame: Frame): void {
  if ((frame.flags & Flag.PADDED) === 0) return
  if (frame.start === frame.end)
    throw new ConnectionError('FRAME_SIZE_ERROR', 'a padded frame without a length of padding')
  frame.end -= octet(frame.bytes, frame.start++)
  if (frame.end < frame.start) throw new ConnectionError('PROTOCOL_ERROR', 'padding longer than its frame')
}
