// The open streams of a connection by their ids. Ids come one after the other, so an array used round and round does it. Not
// a Map: each time it is rehashed V8 leaves the former table pointing to the next, and once one of them is in the old
// generation all that were ever open stay in memory until that is collected.

/** What a busy connection opens within a fifth of a second, in which nearly all are answered. A power of two. */
const PLACES = 4096

/** Ids of one side go up by two (RFC 9113 section 5.1.1). */
const placeOf = (id: number) => (id >>> 1) & (PLACES - 1)

export class OpenStreams<Stream extends { readonly id: number }> {
  size = 0
  readonly #places: (Stream | undefined)[] = Array.from({ length: PLACES })
  /** Those whose place was wanted again. */
  readonly #slow = new Map<number, Stream>()

  add(stream: Stream) {
    const place = placeOf(stream.id)
    const former = this.#places[place]
    if (former) this.#slow.set(former.id, former)
    this.#places[place] = stream
    this.size++
  }

  get(id: number): Stream | undefined {
    const stream = this.#places[placeOf(id)]
    return stream?.id === id ? stream : this.#slow.get(id)
  }

  delete(stream: Stream) {
    const place = placeOf(stream.id)
    const isThere = this.#places[place] === stream
    if (isThere) this.#places[place] = undefined
    if (isThere || this.#slow.delete(stream.id)) this.size--
  }

  /** In the order of their ids. */
  all(): Stream[] {
    const open = this.#places.filter((stream) => stream !== undefined)
    return [...this.#slow.values(), ...open].toSorted((a, b) => a.id - b.id)
  }
}
