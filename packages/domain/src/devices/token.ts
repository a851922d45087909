// Reads a push token out of a request: in its stored spelling, or with a hint on what is wrong with it. Pure.
import { LONGEST_TOKEN, normaliseToken, type Platform } from '@push-server/contract'

const HEXADECIMAL = /^[0-9a-f]+$/
const BLANK_ENDS = /^[\s\p{Cc}]|[\s\p{Cc}]$/u

/** The length counts in characters, as in the column. A token of blanks and brackets alone is empty. */
export function readToken(platform: Platform, text: string): { token: string } | { hint: string } {
  const token = normaliseToken(platform, text)
  if (token === '') return { hint: 'must not be empty' }
  if (isTooLong(token)) return { hint: TOO_LONG }
  if (platform === 'ios') return HEXADECIMAL.test(token) ? { token } : { hint: 'must be hexadecimal on ios' }
  return BLANK_ENDS.test(token) ? { hint: 'must not begin or end with a blank or a control character' } : { token }
}

/**
 * For requests that do not name the platform. Only the length is checked: other tokens that a registration refuses may have been
 * stored before.
 */
export const tokenLengthHint = (text: string): string | undefined =>
  isTooLong(text) && isTooLong(normaliseToken('ios', text)) ? TOO_LONG : undefined

const TOO_LONG = `size must be at most ${LONGEST_TOKEN}`

const isTooLong = (text: string) => text.length > LONGEST_TOKEN && Array.from(text).length > LONGEST_TOKEN
