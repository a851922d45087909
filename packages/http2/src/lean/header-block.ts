// An incomplete field block: HEADERS and its CONTINUATION frames (RFC 9113 section 6.10). It is bounded in length and, since empty
// frames have none, in their number.
import { ConnectionError } from '../connection-error.ts'
import { Flag } from './frame.ts'
import type { Frame } from './frame-reader.ts'
import { MAX_LIST_BYTES } from './our-settings.ts'

const MOST_FRAMES = 32

export class HeaderBlock {
  readonly #first: Readonly<Frame>
  readonly #parts: Buffer[] = []
  #length = 0

  /** Starts with HEADERS without END_HEADERS, padding and priority removed. */
  constructor(frame: Frame) {
    this.#first = { ...frame }
    this.#add(frame)
  }

  /** After the last frame the result is HEADERS as if it had come whole; before, undefined. */
  continue(frame: Frame): Frame | undefined {
    if (frame.stream !== this.#first.stream)
      throw new ConnectionError('PROTOCOL_ERROR', 'CONTINUATION of another stream')
    this.#add(frame)
    if ((frame.flags & Flag.END_HEADERS) === 0) return undefined
    return { ...this.#first, bytes: Buffer.concat(this.#parts), start: 0, end: this.#length }
  }

  #add({ bytes, start, end }: Frame) {
    this.#length += end - start
    if (this.#length > MAX_LIST_BYTES || this.#parts.length === MOST_FRAMES) {
      throw new ConnectionError(
        'ENHANCE_YOUR_CALM',
        `fields of more than ${MAX_LIST_BYTES} bytes or ${MOST_FRAMES} frames`,
      )
    }
    this.#parts.push(Buffer.from(bytes.subarray(start, end)))
  }
}
