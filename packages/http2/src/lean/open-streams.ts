// The open streams of a connection by their ids. Ids are consecutive, so a ring buffer suffices. It is not a Map: with each rehash V8
// leaves the former table pointing to the next, and once one of them is in the old generation, all streams that were ever open stay in
// memory until that is collected.

/** A busy connection opens so many streams within a fifth of a second, in which nearly all end. A power of two. */
const PLACES = 4096

/** Ids of one side go up by two (RFC 9113 section 5.1.1). */
const placeOf = (id: number) => (id >>> 1) & (PLACES - 1)

export class OpenStreams<Stream extends { readonly id: number }> {
  size = 0
  readonly #places: (Stream | undefined)[] = Array.from({ length: PLACES })
  /** Streams whose place was needed for a later one. */
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
