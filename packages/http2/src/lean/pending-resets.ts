// Streams that we have reset and that the peer may still count as open: it would refuse one in their place, and cannot be asked
// but by a PING, which it answers after what it was sent before (RFC 9113 section 6.7).
export class PendingResets {
  /** Not followed by a PING yet. */
  #fresh = 0
  /** Followed by a PING that is not answered yet. */
  #requested = 0
  #isAskDue = false
  readonly #ask: () => void

  /** `ask` sends a PING. */
  constructor(ask: () => void) {
    this.#ask = ask
  }

  get size() {
    return this.#fresh + this.#requested
  }

  add() {
    this.#fresh++
    if (this.#requested === 0) this.#askSoon()
  }

  /** The PING was answered. */
  confirmed() {
    this.#requested = 0
    if (this.#fresh > 0) this.#askSoon()
  }

  /** One PING for all resets of a turn of the event loop. */
  #askSoon() {
    if (this.#isAskDue) return
    this.#isAskDue = true
    setImmediate(() => {
      this.#isAskDue = false
      this.#requested = this.#fresh
      this.#fresh = 0
      this.#ask()
    })
  }
}
