// Names in the environment that are no settings and look as if they were meant to be one. Pure.

/** Edits after which a name is still taken for another one. A shorter name is two edits from names of other programs. */
const editsOf = (name: string) => (name.length < 16 ? 1 : 2)

/** The known name that `name` is a misspelling of; undefined when it is like none of them. */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  let nearest: { name: string; edits: number } | undefined
  for (const candidate of known) {
    const most = Math.min(editsOf(candidate), nearest ? nearest.edits - 1 : Infinity)
    const edits = distance(name, candidate, most)
    if (edits <= most) nearest = { name: candidate, edits }
  }
  return nearest?.name
}

/**
 * How many letters have to be left out, put in, replaced or swapped with their neighbour (optimal string alignment). Infinity beyond `most`.
 */
function distance(from: string, to: string, most: number): number {
  if (Math.abs(from.length - to.length) > most) return Infinity
  let before: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row++) {
    const next = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      next[column] = Math.min(
        (last[column] ?? 0) + 1,
        (next[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (before[column - 2] ?? 0) + 1 : Infinity,
      )
    }
    if (Math.min(...next) > most) return Infinity
    before = last
    last = next
  }
  return last[to.length] ?? Infinity
}
