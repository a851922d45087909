// The back-off before dialling again.
const FIRST_MS = 100
const LONGEST_MS = 10_000

/**
 * Milliseconds after `failures` connections in a row that never got a response: doubling from 100 ms up to 10 s, shortened by up to
 * a half so that clients that lost the same origin do not come back together. `random` is in [0, 1).
 */
export const backOffMs = (failures: number, random: number): number =>
  failures === 0 ? 0 : Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - 1)) * (1 - random / 2)
