// Collects the frames of one turn of the event loop, so that they leave in one write. Its buffers are reused once they are written.
const FIRST_BYTES = 16_384
/** A larger buffer was needed for a moment only and is not kept. */
const LARGEST_KEPT = 1_048_576

export class WriteBuffer {
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  length = 0
  #spare: Buffer<ArrayBuffer> | undefined

  /** Makes room for `octets` more bytes after `length`. */
  reserve(octets: number) {
    const needed = this.length + octets
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  append(octets: Uint8Array) {
    this.reserve(octets.length)
    this.bytes.set(octets, this.length)
    this.length += octets.length
  }

  /** Passes the collected frames to `write`, which has to call `written` once they have left: only then may the buffer change. */
  empty(write: (octets: Buffer, written: () => void) => void) {
    const { bytes, length } = this
    this.bytes = this.#spare ?? Buffer.allocUnsafeSlow(FIRST_BYTES)
    this.#spare = undefined
    this.length = 0
    write(bytes.subarray(0, length), () => this.#keep(bytes))
  }

  #keep(bytes: Buffer<ArrayBuffer>) {
    if (bytes.length <= LARGEST_KEPT && bytes.length >= (this.#spare?.length ?? 0)) this.#spare = bytes
  }
}
