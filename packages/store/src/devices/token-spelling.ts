// Spellings of iOS tokens. They are stored in lower case without blanks; rows of earlier versions stand as they came, until
// the respelling (respelling.ts) has reached them. Until then a search for a token takes every likely spelling.
import { normaliseToken, type Platform } from '@push-server/contract'

/** As in `normaliseToken`, for texts that were accepted before: these hold no other blanks. */
const bare = (token: string) => `translate(${token}, '<> ', '')`
export const NORMAL_TOKEN = (platform: string, token: string) =>
  `CASE WHEN ${platform} = 'ios' THEN lower(${bare(token)}) ELSE ${token} END`

/** The likely spellings of a token as an array, for `token = ANY (…)`: as it is, and all in one case. */
export const TOKEN_SPELLINGS = (platform: string, token: string) =>
  `CASE WHEN ${platform} = 'ios' THEN ARRAY[${token}, lower(${bare(token)}), upper(${bare(token)})] ELSE ARRAY[${token}] END`

/** The same in the program. `given`: as a request wrote it. */
export function spellingsOf(platform: Platform, given: string): string[] {
  const token = normaliseToken(platform, given)
  return platform === 'ios' ? [...new Set([token, token.toUpperCase(), given])] : [token]
}

/** Rows `d` of the token: `spellings` are those on iOS, `exact` is the text on the other platforms. Both are placeholders. */
export const HAS_TOKEN = (spellings: string, exact: string) =>
  `d.token = ANY(${spellings}) AND (d.platform = 'ios' OR d.token = ${exact})`
