// When what a connection has collected leaves: at the end of the turn of the event loop, but not at every turn, as under load
// the writes of a few frames each would cost more than everything else.
const PAUSE_MS = 1
/** So much does not wait any longer. */
const ENOUGH_BYTES = 32_768

export class WriteScheduler {
  readonly #leave: () => void
  #isDue = false
  #isHurried = false
  #leftAt = -Infinity

  constructor(leave: () => void) {
    this.#leave = leave
  }

  /** To be called whenever something was collected; `octets`: by now. */
  plan(octets: number) {
    if (!this.#isDue) return this.#begin()
    if (octets < ENOUGH_BYTES || this.#isHurried) return
    this.#isHurried = true
    setImmediate(this.#leave)
  }

  /** Everything that was collected may go now. */
  came() {
    this.#isDue = false
    this.#isHurried = false
  }

  left() {
    this.#leftAt = performance.now()
  }

  /** What comes alone, after a pause, does not wait. */
  #begin() {
    this.#isDue = true
    if (performance.now() - this.#leftAt >= PAUSE_MS) setImmediate(this.#leave)
    else setTimeout(this.#leave, PAUSE_MS)
  }
}
