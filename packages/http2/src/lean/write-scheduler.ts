// Schedules the writes of a connection: at the end of a turn of the event loop, but not of every turn, since under load writes of a few
// frames each would cost more than everything else.
const PAUSE_MS = 1
/** With so many bytes the write does not wait. */
const ENOUGH_BYTES = 32_768

export class WriteScheduler {
  readonly #leave: () => void
  #isDue = false
  #isHurried = false
  #leftAt = -Infinity

  constructor(leave: () => void) {
    this.#leave = leave
  }

  /** Call whenever something was collected; `octets`: collected by now. */
  plan(octets: number) {
    if (!this.#isDue) return this.#begin()
    if (octets < ENOUGH_BYTES || this.#isHurried) return
    this.#isHurried = true
    setImmediate(this.#leave)
  }

  /** The scheduled write begins. */
  came() {
    this.#isDue = false
    this.#isHurried = false
  }

  left() {
    this.#leftAt = performance.now()
  }

  /** A frame after a pause does not wait. */
  #begin() {
    this.#isDue = true
    if (performance.now() - this.#leftAt >= PAUSE_MS) setImmediate(this.#leave)
    else setTimeout(this.#leave, PAUSE_MS)
  }
}
