// Random numbers that come again: a test that fails names its seed by its line, and fails the next time as well.

/** Set by `npm run test:long`. */
export const LONG = process.env.TEST_LONG === '1'

export interface Chance {
  below(limit: number): number
  oneIn(many: number): boolean
  pick<T>(from: readonly [T, ...T[]]): T
  text(alphabet: string, longest: number): string
  octets(count: number): Buffer
  /** A copy with so many octets changed, taken out or put in. */
  mutate(bytes: Buffer, changes: number): Buffer
}

/** Mulberry32. */
export function chance(seed: number): Chance {
  let state = seed >>> 0
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number) => (limit > 0 ? next() % limit : 0)
  const octets = (count: number) => Buffer.from(Array.from({ length: count }, () => below(256)))

  function mutateOnce(bytes: Buffer): Buffer {
    const at = below(bytes.length)
    const kept = below(3)
    return Buffer.concat([bytes.subarray(0, at), octets(kept), bytes.subarray(at + Math.min(1, 2 - kept))])
  }

  return {
    below,
    oneIn: (many) => below(many) === 0,
    pick: <T>(from: readonly [T, ...T[]]) => from[below(from.length)] ?? from[0],
    text: (alphabet, longest) =>
      Array.from({ length: below(longest + 1) }, () => alphabet[below(alphabet.length)]).join(''),
    octets,
    mutate(bytes, changes) {
      let changed = bytes
      for (let change = 0; change < changes; change++) changed = mutateOnce(changed)
      return changed
    },
  }
}
