// The body of a response while it arrives, up to a bound. Its memory follows its length, however small the frames are.
import { MAX_RESPONSE_BYTES } from '../session.ts'

const FIRST_BYTES = 512

export class ResponseBody {
  length = 0
  #bytes = Buffer.allocUnsafe(FIRST_BYTES)

  /** False when the response is too long; the octets are dropped then. */
  append(bytes: Buffer, start: number, end: number): boolean {
    const needed = this.length + end - start
    if (needed > MAX_RESPONSE_BYTES) return false
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2))
      this.#bytes.copy(larger, 0, 0, this.length)
      this.#bytes = larger
    }
    this.length += bytes.copy(this.#bytes, this.length, start, end)
    return true
  }

  text(): string {
    return this.#bytes.toString('utf8', 0, this.length)
  }
}
