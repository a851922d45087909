// The exchanges of one connection. Each knows its place, so that a deletion needs no hash and moves the last one only.
import type { Exchange } from './session.ts'

export class InFlight {
  readonly #items: Exchange[] = []

  get size() {
    return this.#items.length
  }

  add(exchange: Exchange) {
    exchange.place = this.#items.push(exchange) - 1
  }

  /** False when it is not one of them. */
  delete(exchange: Exchange): boolean {
    const { place } = exchange
    if (this.#items[place] !== exchange) return false
    const last = this.#items.pop()
    if (last && last !== exchange) {
      this.#items[place] = last
      last.place = place
    }
    exchange.place = -1
    return true
  }

  /** A copy of the present exchanges. */
  all(): Exchange[] {
    return [...this.#items]
  }

  /** The exchanges whose deadline has passed. */
  late(now: number): Exchange[] {
    return this.#items.filter(({ deadline }) => deadline <= now)
  }
}
