// What a push token looks like. Pure.
import type { Platform } from '@push-server/contract'

const HEXADECIMAL = /^[0-9a-f]+$/i

/** A hint on what is wrong with the token; undefined when it may be one. */
export const tokenFault = (platform: Platform, token: string): string | undefined =>
  platform === 'ios' && !HEXADECIMAL.test(token) ? 'must be hexadecimal on ios' : undefined
