// The dynamic table of RFC 7541 section 2.3.2: newest first, oldest evicted, measured in octets. Entries are numbered in
// the order of their insertion, because an index changes with every insertion and a number does not.
import type { Field } from './static-table.ts'

/** Initial size of both sides (RFC 9113 section 6.5.2), and the maximum that is used here. */
export const DEFAULT_TABLE_BYTES = 4096
/** RFC 7541 section 4.1. */
const ENTRY_OVERHEAD = 32
/** More entries than this do not fit. */
const SLOTS = DEFAULT_TABLE_BYTES / ENTRY_OVERHEAD

export const fieldBytes = (name: string, value: string): number => ENTRY_OVERHEAD + name.length + value.length

export class DynamicTable {
  /** Number of entries ever inserted, which is the number of the next one. */
  insertions = 0
  #oldest = 0
  #bytes = 0
  #capacity = DEFAULT_TABLE_BYTES
  readonly #slots: (Field | undefined)[] = Array.from({ length: SLOTS })
  readonly #onEvicted: (field: Field) => void

  constructor(onEvicted: (field: Field) => void = () => {}) {
    this.#onEvicted = onEvicted
  }

  get capacity() {
    return this.#capacity
  }

  get length() {
    return this.insertions - this.#oldest
  }

  /** By its place, 0 is the newest. */
  at(place: number): Field | undefined {
    return place < this.length ? this.#slots[(this.insertions - 1 - place) % SLOTS] : undefined
  }

  /** An entry larger than the table empties it and is not an error (RFC 7541 section 4.4). */
  insert(field: Field) {
    const bytes = fieldBytes(field.name, field.value)
    this.#evictTo(this.#capacity - bytes)
    if (bytes > this.#capacity) return
    this.#slots[this.insertions++ % SLOTS] = field
    this.#bytes += bytes
  }

  /** `bytes`: at most DEFAULT_TABLE_BYTES. */
  resize(bytes: number) {
    this.#capacity = bytes
    this.#evictTo(bytes)
  }

  #evictTo(bytes: number) {
    while (this.#bytes > bytes && this.length > 0) {
      const slot = this.#oldest++ % SLOTS
      const field = this.#slots[slot]
      this.#slots[slot] = undefined
      if (!field) continue
      this.#bytes -= fieldBytes(field.name, field.value)
      this.#onEvicted(field)
    }
  }
}
