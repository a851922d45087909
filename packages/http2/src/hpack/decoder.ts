// Decodes field blocks (RFC 7541 sections 3 and 6). It is complete, although this client allows its peers no dynamic table: until
// they have our SETTINGS, they may use one.
import { octet } from '../bytes.ts'
import { ConnectionError } from '../connection-error.ts'
import { DEFAULT_TABLE_BYTES, DynamicTable, fieldBytes } from './dynamic-table.ts'
import { HuffmanDecoder } from './huffman.ts'
import { FIRST_DYNAMIC, STATIC_TABLE, type Field } from './static-table.ts'

export type FieldSink = (name: string, value: string) => void

/** No valid index or length is larger (RFC 7541 section 5.1 allows a limit). */
const MOST = 2 ** 28

export class HpackDecoder {
  readonly #table = new DynamicTable()
  readonly #maxListBytes: number
  readonly #huffman = new HuffmanDecoder()
  readonly #sink: FieldSink
  #limit = DEFAULT_TABLE_BYTES
  #bytes: Buffer = Buffer.alloc(0)
  #at = 0
  #end = 0

  /** `maxListBytes`: most that the fields of one block may amount to, counted as in RFC 9113 section 10.5.1. */
  constructor(maxListBytes: number, sink: FieldSink) {
    this.#maxListBytes = maxListBytes
    this.#sink = sink
  }

  /**
   * Sets our SETTINGS_HEADER_TABLE_SIZE, once the peer has acknowledged it; at most the default. The table shrinks when the peer
   * resizes it, not before. RFC 9113 section 4.3.1 would end the connection of a peer that never does. But both tables are the same
   * then, so nothing is misread, and the price of that rule would be a repeated push.
   */
  limitTable(bytes: number) {
    this.#limit = bytes
  }

  /** Throws a ConnectionError, after which the connection is lost: the tables of the two sides differ. */
  decode(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#resizeTable()
    let budget = this.#maxListBytes
    while (this.#at < end) {
      const field = this.#field(octet(bytes, this.#at))
      budget -= fieldBytes(field.name, field.value)
      if (budget < 0) throw new ConnectionError('ENHANCE_YOUR_CALM', `fields of more than ${this.#maxListBytes} bytes`)
      this.#sink(field.name, field.value)
    }
  }

  /** Only at the beginning of a block (RFC 7541 section 4.2). */
  #resizeTable() {
    while (this.#at < this.#end && octet(this.#bytes, this.#at) >> 5 === 0b001) {
      const size = this.#integer(5)
      if (size > this.#limit) throw compressionError(`a table of ${size} bytes where ${this.#limit} are allowed`)
      this.#table.resize(size)
    }
  }

  #field(first: number): Field {
    if (first >> 7 === 1) return this.#indexed(this.#integer(7))
    if (first >> 6 === 0b01) {
      const field = this.#literal(6)
      this.#table.insert(field)
      return field
    }
    if (first >> 5 === 0b001) throw compressionError('the table is resized within a block')
    return this.#literal(4)
  }

  #literal(prefix: number): Field {
    const index = this.#integer(prefix)
    const name = index === 0 ? this.#string() : this.#indexed(index).name
    return { name, value: this.#string() }
  }

  #indexed(index: number): Field {
    const field = index < FIRST_DYNAMIC ? STATIC_TABLE[index] : this.#table.at(index - FIRST_DYNAMIC)
    if (!field) throw compressionError(`there is no field ${index}`)
    return field
  }

  /** RFC 7541 section 5.1. */
  #integer(prefix: number): number {
    const mask = 2 ** prefix - 1
    let value = this.#next() & mask
    if (value < mask) return value
    for (let factor = 1; ; factor *= 128) {
      const part = this.#next()
      value += (part & 127) * factor
      if (value > MOST || factor > MOST) throw compressionError('an integer out of all proportion')
      if (part < 128) return value
    }
  }

  /** RFC 7541 section 5.2. */
  #string(): string {
    const isHuffman = this.#at < this.#end && octet(this.#bytes, this.#at) >> 7 === 1
    const length = this.#integer(7)
    if (length > this.#end - this.#at) throw compressionError('a string beyond its block')
    const from = this.#at
    this.#at += length
    return isHuffman
      ? this.#huffman.decode(this.#bytes, from, this.#at)
      : this.#bytes.toString('latin1', from, this.#at)
  }

  #next(): number {
    if (this.#at >= this.#end) throw compressionError('the block ends within a field')
    return octet(this.#bytes, this.#at++)
  }
}

const compressionError = (rule: string) => new ConnectionError('COMPRESSION_ERROR', rule)
