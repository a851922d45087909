// Reads a push token out of a request: in its stored spelling, or with a hint on what is wrong with it. Pure.
import {
  isInstallationId,
  LONGEST_TOKEN,
  normaliseToken,
  tokenKindOf,
  type Platform,
  type TokenClaims,
  type TokenKind,
} from '@push-server/contract'

const HEXADECIMAL = /^[0-9a-f]+$/
/** What FCM takes; a token of either provider has letters, digits and a few signs of ASCII. */
const PRINTABLE = /^[\x21-\x7e]+$/

/** A token as it is stored. */
export interface ReadToken {
  token: string
  tokenKind: TokenKind | null
}

/** The length counts in characters, as in the column. A token of blanks and brackets alone is empty. */
export function readToken(
  platform: Platform,
  { token: text, ...claims }: TokenClaims & { token: string },
): ReadToken | { hint: string } {
  const token = normaliseToken(platform, text)
  const tokenKind = tokenKindOf(platform, claims)
  if (token === '') return { hint: 'must not be empty' }
  if (isTooLong(token)) return { hint: TOO_LONG }
  if (platform === 'ios') return HEXADECIMAL.test(token) ? { token, tokenKind } : { hint: 'must be hexadecimal on ios' }
  if (tokenKind === 'fid' && !isInstallationId(token)) return { hint: NO_INSTALLATION_ID }
  return PRINTABLE.test(token) ? { token, tokenKind } : { hint: 'must be printable ASCII without blanks' }
}

/**
 * For requests that do not name the platform. Only the length is checked: other tokens that a registration refuses may have been
 * stored before.
 */
export const tokenLengthHint = (text: string): string | undefined =>
  isTooLong(text) && isTooLong(normaliseToken('ios', text)) ? TOO_LONG : undefined

const NO_INSTALLATION_ID = 'must have 22 characters of letters, digits, - and _ for the tokenKind "fid"'
const TOO_LONG = `size must be at most ${LONGEST_TOKEN}`

const isTooLong = (text: string) => text.length > LONGEST_TOKEN && Array.from(text).length > LONGEST_TOKEN
