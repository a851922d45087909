// Points in time on lines. Pure.
import { instantOf, type LineError } from '@push-server/contract'

/** Of a text or none; the hint of an error where it is neither. */
export function timeOf(
  line: number,
  fieldName: string,
  text: string | number | null | undefined,
): Date | null | LineError {
  if (text === null || text === undefined) return null
  const instant = instantOf(text)
  if (instant !== undefined && instant >= 0) return new Date(instant)
  return { line, fieldName, hint: 'must be a time since 1970, in ISO 8601 with an offset' }
}
