// Encodes the field block of a request. A HeaderSet is encoded once for each change of the table and copied from then on: a byte for
// each of its fields. Bearer tokens are among them: to guess one by the size of blocks (RFC 7541 section 7.1) an attacker would need
// requests of his own on our connection.
import type { HeaderSet, Http2Request } from '../client.ts'
import { fieldBytes } from '../hpack/dynamic-table.ts'
import { encodedBound, HpackEncoder, RESIZE_BOUND } from '../hpack/encoder.ts'

/** RFC 9113 section 8.2.1. The lower case is the caller's, the pseudo-headers are ours. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/
const VALUE = /^(?![ \t])[\t\x20-\x7e\x80-\xff]*(?<![ \t])$/
const BAD_PATH = /[^\x21-\x7e]/
/** Maximum number of cached sets. A worker uses few at a time, and one of its own for each message in a chunk. */
const MOST_SETS = 256

const NONE: NonNullable<Http2Request['extra']> = []

/** A header set on this connection. */
interface Prepared {
  fields: readonly (readonly [name: string, value: string])[]
  /** Most octets of the encoded fields. */
  bound: number
  /** As RFC 9113 section 6.5.2 counts them. */
  listBytes: number
  /** All of them as indexes, as long as the encoder is of that generation. */
  indexes: Uint8Array | undefined
  generation: number
}

export class RequestEncoder {
  readonly #hpack = new HpackEncoder()
  readonly #sets = new Map<HeaderSet, Prepared>()
  readonly #pseudo: readonly (readonly [name: string, value: string])[]
  #lastPath: string | undefined

  constructor(authority: string) {
    this.#pseudo = [
      [':method', 'POST'],
      [':scheme', 'https'],
      [':authority', authority],
    ]
  }

  limitTable(bytes: number) {
    this.#hpack.limitTable(bytes)
  }

  /** Maximum number of octets that `encode` writes. Throws for an invalid request. */
  boundOf({ path, headers, extra }: Http2Request, maxListBytes: number): number {
    if (path === '' || BAD_PATH.test(path)) throw new TypeError('not a path for a request')
    const set = this.#sets.get(headers) ?? this.#prepare(headers)
    let bound = set.bound + encodedBound(':path', path) + RESIZE_BOUND
    let listBytes = set.listBytes + fieldBytes(':path', path)
    for (const field of extra ?? NONE) {
      checkField(field[0], field[1])
      bound += encodedBound(field[0], field[1])
      listBytes += fieldBytes(field[0], field[1])
    }
    if (listBytes > maxListBytes) throw new RangeError(`headers longer than the ${maxListBytes} bytes the origin takes`)
    return bound
  }

  /** Only after `boundOf` of the same request. Returns where the block ends. */
  encode({ path, headers, extra }: Http2Request, target: Buffer, at: number): number {
    const hpack = this.#hpack
    hpack.begin(target, at)
    // A path that differs from request to request is not worth an entry. One that comes twice in a row is.
    if (path === this.#lastPath) hpack.field(':path', path)
    else hpack.literal(':path', path)
    this.#lastPath = path
    this.#encodeSet(this.#sets.get(headers) ?? this.#prepare(headers))
    // By position: destructuring iterates over the array, which would show here.
    for (const field of extra ?? NONE) hpack.literal(field[0], field[1])
    return hpack.end()
  }

  #encodeSet(set: Prepared) {
    const hpack = this.#hpack
    if (set.indexes && set.generation === hpack.generation) return hpack.copy(set.indexes)
    for (const [name, value] of set.fields) hpack.field(name, value)
    set.indexes = hpack.indexesOf(set.fields)
    set.generation = hpack.generation
  }

  #prepare(headers: HeaderSet): Prepared {
    const fields = [...this.#pseudo, ...Object.entries(headers)]
    for (const [name, value] of Object.entries(headers)) checkField(name, value)
    const prepared: Prepared = {
      fields,
      bound: fields.reduce((sum, [name, value]) => sum + encodedBound(name, value), 0),
      listBytes: fields.reduce((sum, [name, value]) => sum + fieldBytes(name, value), 0),
      indexes: undefined,
      generation: 0,
    }
    if (this.#sets.size >= MOST_SETS) this.#sets.clear()
    this.#sets.set(headers, prepared)
    return prepared
  }
}

/** The name that was checked last: the next request has the same. */
let lastName = ''

function checkField(name: string, value: string) {
  if (name !== lastName && !NAME.test(name)) throw new TypeError(`not a name for a header: ${JSON.stringify(name)}`)
  lastName = name
  if (!VALUE.test(value)) throw new TypeError(`not a value for the header ${name}`)
}
