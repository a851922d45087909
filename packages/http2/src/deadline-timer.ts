// The one timer of a client: it checks all deadlines, and keeps the process alive as long as there is a request.
const SWEEP_MS = 100
/** A tick that is so late means that this process stood still. */
const STALL_MS = 500

export class DeadlineTimer {
  readonly #sweep: () => void
  #timer: NodeJS.Timeout | undefined
  #tickedAt = 0

  constructor(sweep: () => void) {
    this.#sweep = sweep
  }

  start() {
    if (this.#timer) return
    this.#tickedAt = performance.now()
    this.#timer = setInterval(() => this.#tick(), SWEEP_MS)
  }

  ref() {
    this.#timer?.ref()
  }

  unref() {
    this.#timer?.unref()
  }

  stop() {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** After a stall of our own, responses may lie unread: they are read before a request is called late. */
  #tick() {
    const now = performance.now()
    const hasStalled = now - this.#tickedAt > STALL_MS
    this.#tickedAt = now
    if (!hasStalled) this.#sweep()
  }
}
