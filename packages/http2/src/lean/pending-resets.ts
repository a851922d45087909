// Streams that we have reset and that the peer may still count as open: it would refuse a stream in their place. A PING tells when it
// has seen the resets, since its response comes after everything that was sent before (RFC 9113 section 6.7).
export class PendingResets {
  /** Not followed by a PING yet. */
  #fresh = 0
  /** Followed by a PING without a response so far. */
  #pinged = 0
  #isPingDue = false
  readonly #ping: () => void

  constructor(ping: () => void) {
    this.#ping = ping
  }

  get size() {
    return this.#fresh + this.#pinged
  }

  add() {
    this.#fresh++
    if (this.#pinged === 0) this.#pingSoon()
  }

  /** The response to the PING has arrived. */
  confirmed() {
    this.#pinged = 0
    if (this.#fresh > 0) this.#pingSoon()
  }

  /** One PING for all resets of a turn of the event loop. */
  #pingSoon() {
    if (this.#isPingDue) return
    this.#isPingDue = true
    setImmediate(() => {
      this.#isPingDue = false
      this.#pinged = this.#fresh
      this.#fresh = 0
      this.#ping()
    })
  }
}
