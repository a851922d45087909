// Encodes field blocks (RFC 7541 section 6). Strings are not compressed: those that repeat are indexes, and the others, such as
// tokens of devices, cost more to compress than to send.
import { DEFAULT_TABLE_BYTES, DynamicTable, fieldBytes } from './dynamic-table.ts'
import { FIRST_DYNAMIC, fieldKey, STATIC_FIELDS, STATIC_NAMES } from './static-table.ts'

/** The kinds of literals, by their first bits and the width of the index that follows them. */
const INDEXED = { flags: 0x40, prefix: 6 }
const NEVER_INDEXED = { flags: 0x10, prefix: 4 }

/** Most octets that a field can take: an index and two lengths of up to five octets each. */
export const encodedBound = (name: string, value: string): number => name.length + value.length + 15

/** Most octets that a new size of the table can take. */
export const RESIZE_BOUND = 10

/** Writes one block after another: `begin`, its fields, `end`. The caller has reserved the room. */
export class HpackEncoder {
  /** Changes whenever an index may have changed. */
  generation = 0
  /** Numbers of the entries in the dynamic table. */
  readonly #numbers = new Map<string, number>()
  readonly #table = new DynamicTable(({ name, value }) => this.#numbers.delete(fieldKey(name, value)))
  /** Sizes that the next block has to announce: the smallest since the last block, and the latest. */
  #resizes: number[] = []
  #target: Buffer = Buffer.alloc(0)
  #at = 0

  /** Sets the peer's SETTINGS_HEADER_TABLE_SIZE. A size beyond the default is not used. */
  limitTable(bytes: number) {
    const size = Math.min(bytes, DEFAULT_TABLE_BYTES)
    if (size === this.#table.capacity) return
    this.#table.resize(size)
    this.generation++
    const smallest = Math.min(size, ...this.#resizes)
    this.#resizes = smallest < size ? [smallest, size] : [size]
  }

  /** Starts a block, with the resizes that belong at its beginning (RFC 7541 section 4.2). */
  begin(target: Buffer, at: number) {
    this.#target = target
    this.#at = at
    if (this.#resizes.length === 0) return
    for (const size of this.#resizes) this.#integer(size, 5, 0x20)
    this.#resizes = []
  }

  /** Where the block ends. */
  end(): number {
    return this.#at
  }

  /** Writes a field as an index. A field without one gets one, unless it would evict most of the others. */
  field(name: string, value: string) {
    const index = this.indexOf(name, value)
    if (index !== undefined) return this.index(index)
    if (fieldBytes(name, value) > this.#table.capacity * 0.75) return this.literal(name, value)
    this.#literal(name, value, INDEXED)
    this.#numbers.set(fieldKey(name, value), this.#table.insertions)
    this.#table.insert({ name, value })
    this.generation++
  }

  /** Writes a field in full, and keeps it out of every table between here and the origin (RFC 7541 section 6.2.3). */
  literal(name: string, value: string) {
    this.#literal(name, value, NEVER_INDEXED)
  }

  index(index: number) {
    this.#integer(index, 7, 0x80)
  }

  /** Writes fields by their indexes, as `indexesOf` encoded them in this generation. */
  copy(indexes: Uint8Array) {
    for (const each of indexes) this.#target[this.#at++] = each
  }

  /** Undefined unless every one of the fields has an index of a single octet's length. */
  indexesOf(fields: readonly (readonly [name: string, value: string])[]): Uint8Array | undefined {
    const indexes = fields.map(([name, value]) => this.indexOf(name, value) ?? Infinity)
    return indexes.every((index) => index < 127) ? Uint8Array.from(indexes, (index) => 0x80 | index) : undefined
  }

  /** The index of a field that is in the tables now. */
  indexOf(name: string, value: string): number | undefined {
    const key = fieldKey(name, value)
    const number = this.#numbers.get(key)
    return number === undefined ? STATIC_FIELDS.get(key) : FIRST_DYNAMIC + this.#table.insertions - 1 - number
  }

  #literal(name: string, value: string, { prefix, flags }: typeof INDEXED) {
    const index = STATIC_NAMES.get(name)
    this.#integer(index ?? 0, prefix, flags)
    if (index === undefined) this.#string(name)
    this.#string(value)
  }

  /** RFC 7541 section 5.1; `flags` are the bits before the prefix. */
  #integer(value: number, prefix: number, flags: number) {
    const mask = (1 << prefix) - 1
    if (value < mask) {
      this.#target[this.#at++] = flags | value
      return
    }
    this.#target[this.#at++] = flags | mask
    let rest = value - mask
    for (; rest >= 128; rest >>>= 7) this.#target[this.#at++] = (rest & 127) | 128
    this.#target[this.#at++] = rest
  }

  /** RFC 7541 section 5.2, not compressed. */
  #string(text: string) {
    this.#integer(text.length, 7, 0)
    this.#at += this.#target.write(text, this.#at, 'latin1')
  }
}
