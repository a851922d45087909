// The Huffman code of RFC 7541 appendix B, decoded four bits at a time with a table of states.
import { ConnectionError } from '../connection-error.ts'
import { octet } from '../bytes.ts'

/**
 * Length in bits of the code of each octet and of EOS, one digit to the base 36 each. The code is canonical: shorter codes
 * come first, codes of one length follow each other in the order of their symbols. So the lengths define all codes.
 */
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u'
const EOS = 256

export interface HuffmanCode {
  readonly symbol: number
  readonly bits: number
  readonly code: number
}

/** All codes, shortest first. */
export const HUFFMAN_CODES: readonly HuffmanCode[] = codesOf(
  CODE_LENGTHS.split('').map((digit) => Number.parseInt(digit, 36)),
)

function codesOf(lengths: readonly number[]): HuffmanCode[] {
  let next = 0
  let bits = 0
  return lengths
    .map((length, symbol) => ({ length, symbol }))
    .toSorted((a, b) => a.length - b.length || a.symbol - b.symbol)
    .map(({ length, symbol }) => {
      next *= 2 ** (length - bits)
      bits = length
      return { symbol, bits, code: next++ }
    })
}

/** An inner node of the tree of codes: a further bit leads to another node or to a symbol. */
interface Node {
  readonly next: [Node | number | undefined, Node | number | undefined]
  /** Whether a string may end here: at most seven bits after the last symbol, all of them 1 (RFC 7541 section 5.2). */
  readonly mayEnd: boolean
  readonly depth: number
}

const NOWHERE = -1
/** Of a step: symbol + 1 in the lower bits, 0 for none; the next state above them. */
const SYMBOL_BITS = 9
const SYMBOL_MASK = 2 ** SYMBOL_BITS - 1

const ROOT = treeOf(HUFFMAN_CODES)
const STATES = statesOf(ROOT)
const STEPS = Int32Array.from(
  STATES.flatMap((state) => Array.from({ length: 16 }, (_, nibble) => stepOf(state, nibble))),
)
const MAY_END = STATES.map(({ mayEnd }) => mayEnd)

function treeOf(codes: readonly HuffmanCode[]): Node {
  const root: Node = { next: [undefined, undefined], mayEnd: true, depth: 0 }
  for (const { symbol, bits, code } of codes) {
    let node = root
    for (let shift = bits - 1; shift > 0; shift--) node = childOf(node, bitOf(code, shift))
    node.next[bitOf(code, 0)] = symbol
  }
  return root
}

function bitOf(number: number, place: number): 0 | 1 {
  return ((number >>> place) & 1) === 1 ? 1 : 0
}

function childOf(node: Node, bit: 0 | 1): Node {
  const child = node.next[bit]
  if (typeof child === 'object') return child
  const depth = node.depth + 1
  const made: Node = { next: [undefined, undefined], mayEnd: node.mayEnd && bit === 1 && depth <= 7, depth }
  node.next[bit] = made
  return made
}

function statesOf(root: Node): Node[] {
  const states = [root]
  // Grows while it is walked.
  for (const state of states) states.push(...state.next.filter((next) => typeof next === 'object'))
  return states
}

function stepOf(state: Node, nibble: number): number {
  let node = state
  let symbol = NOWHERE
  for (let place = 3; place >= 0; place--) {
    const next = node.next[bitOf(nibble, place)]
    if (next === undefined || next === EOS) return NOWHERE
    if (typeof next === 'number') symbol = next
    node = typeof next === 'number' ? ROOT : next
  }
  return (STATES.indexOf(node) << SYMBOL_BITS) | (symbol + 1)
}

export class HuffmanDecoder {
  #scratch = Buffer.allocUnsafe(256)

  /** The octets of `source` from `start` to `end`, decoded, as the latin1 text of a field. */
  decode(source: Uint8Array, start: number, end: number): string {
    // No code is shorter than five bits.
    const most = Math.ceil(((end - start) * 8) / 5)
    if (this.#scratch.length < most) this.#scratch = Buffer.allocUnsafe(most)
    const scratch = this.#scratch
    let state = 0
    let length = 0
    for (let at = start * 2; at < end * 2; at++) {
      const both = octet(source, at >> 1)
      const step = STEPS[state * 16 + (at & 1 ? both & 15 : both >> 4)] ?? NOWHERE
      if (step === NOWHERE) throw new ConnectionError('COMPRESSION_ERROR', 'no such Huffman code')
      state = step >> SYMBOL_BITS
      if (step & SYMBOL_MASK) scratch[length++] = (step & SYMBOL_MASK) - 1
    }
    if (!MAY_END[state]) throw new ConnectionError('COMPRESSION_ERROR', 'a Huffman string ends within a code')
    return scratch.toString('latin1', 0, length)
  }
}
