// How points in time are written and read in the API.

/** `yyyy-MM-ddTHH:mm:ss.SSS+00:00`, always UTC. */
export const timestampOf = (time: Date) => time.toISOString().replace('Z', '+00:00')

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/

/** A larger number would be of milliseconds: in seconds it lies beyond the year 5138. */
const SECONDS_BELOW = 1e11

/** Milliseconds since the epoch of an ISO text with an offset, or of a number of seconds, as a text too; undefined for anything else. */
export function instantOf(value: string | number): number | undefined {
  const time = typeof value === 'string' && ISO.test(value) ? ofText(value) : ofSeconds(secondsOf(value))
  return Math.abs(time) <= 8.64e15 ? Math.trunc(time) : undefined
}

/** Some clients write every number as a text. */
const secondsOf = (value: string | number) =>
  typeof value === 'number' ? value : /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN

const ofSeconds = (seconds: number) => (Math.abs(seconds) < SECONDS_BELOW ? seconds * 1000 : Number.NaN)

/** Date.parse makes the second of March of 30 February. */
function ofText(text: string): number {
  const [date = ''] = text.split('T')
  const midnight = Date.parse(date)
  return Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date) ? Number.NaN : Date.parse(text)
}
