// Requests that wait for a stream: first in, first out. A refused request comes back at the front.
import type { Exchange } from './session.ts'

/** Taken entries are removed in larger steps, so that the rest is not moved each time. */
const LEAST_KEPT = 1024

export class RequestQueue {
  #items: Exchange[] = []
  #taken = 0

  get size() {
    return this.#items.length - this.#taken
  }

  push(exchange: Exchange) {
    this.#items.push(exchange)
  }

  putBack(exchange: Exchange) {
    if (this.#taken > 0) this.#items[--this.#taken] = exchange
    else this.#items.unshift(exchange)
  }

  take(): Exchange | undefined {
    const exchange = this.#items[this.#taken]
    if (exchange === undefined) return undefined
    this.#taken++
    const isEmpty = this.#taken === this.#items.length
    // Taken entries are dropped, also when the queue is never empty.
    if (isEmpty || this.#taken > Math.max(LEAST_KEPT, this.#items.length / 2))
      this.#reset(this.#items.slice(this.#taken))
    return exchange
  }

  /** Takes out every one that `isOver`, wherever it stands. */
  takeAll(isOver: (exchange: Exchange) => boolean): Exchange[] {
    const { over = [], waiting = [] } = Object.groupBy(this.#items.slice(this.#taken), (exchange) =>
      isOver(exchange) ? 'over' : 'waiting',
    )
    this.#reset(waiting)
    return over
  }

  #reset(items: Exchange[]) {
    this.#items = items
    this.#taken = 0
  }
}
