// Push tokens: how long they may be, and what makes two of them the same. Pure.
import type { Platform } from './platform.ts'

/** Maximum length of a stored token, in characters. */
export const LONGEST_TOKEN = 1024

/** On iOS `<AA01 BB02>` and `aa01bb02` name one phone. Tokens of the other platforms are exact texts. */
export const normaliseToken = (platform: Platform, token: string) =>
  platform === 'ios' ? token.replace(/[<>\s]/g, '').toLowerCase() : token
