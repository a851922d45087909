// A limit against floods (RFC 9113 section 10.5): frames that advance no response are allowed in proportion to the requests, and a few
// more per second.
import { ConnectionError } from '../connection-error.ts'

const PER_SECOND = 1_000
/** WINDOW_UPDATE for stream and connection, an interim response or two, a reset. */
const PER_REQUEST = 8
const MOST = 20_000

export class FloodLimit {
  #left = PER_SECOND
  #refilledAt = performance.now()

  requestMade() {
    if (this.#left < MOST) this.#left += PER_REQUEST
  }

  /** Throws a ConnectionError when there is nothing left. */
  spend() {
    if (--this.#left < 0) this.#refill()
  }

  #refill() {
    const now = performance.now()
    if (now - this.#refilledAt < 1_000) {
      throw new ConnectionError('ENHANCE_YOUR_CALM', `more than ${PER_SECOND} frames a second without need`)
    }
    this.#refilledAt = now
    this.#left = PER_SECOND
  }
}
