// How points in time are written and read in the API.

/** `yyyy-MM-ddTHH:mm:ss.SSS+00:00`, always UTC. */
export const timestampOf = (time: Date) => time.toISOString().replace('Z', '+00:00')

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/

/** Milliseconds since the epoch of an ISO text with an offset, or of a number of seconds; undefined for anything else. */
export function instantOf(value: string | number): number | undefined {
  const time = typeof value === 'number' ? value * 1000 : ISO.test(value) ? Date.parse(value) : Number.NaN
  return Math.abs(time) <= 8.64e15 ? Math.trunc(time) : undefined
}
