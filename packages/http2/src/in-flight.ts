// The exchanges of one connection. Each knows its place, so that there is nothing to hash and nothing to move but the last.
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

  /** Those there at this moment, whatever happens to them meanwhile. */
  all(): Exchange[] {
    return [...this.#items]
  }

  /** Those that should have been answered by `now`. */
  late(now: number): Exchange[] {
    return this.#items.filter(({ deadline }) => deadline <= now)
  }
}
