// What a device's token is, beside the usual token of its platform. Pure.
import type { Platform } from './platform.ts'

/** `fid`: a Firebase installation id. `v3`: a token of HarmonyOS 5 and later, which version 3 of Huawei's API reaches. */
export type TokenKind = 'fid' | 'v3'

/** What a registration says of its token. */
export interface TokenClaims {
  tokenKind?: string | null | undefined
  huaweiApi?: number | null | undefined
}

/** Null: the usual token of the platform. What is said of another platform's tokens does not count. */
export function tokenKindOf(platform: Platform, { tokenKind, huaweiApi }: TokenClaims): TokenKind | null {
  if (platform === 'android') return tokenKind === 'fid' ? 'fid' : null
  if (platform === 'huawei') return huaweiApi === 3 ? 'v3' : null
  return null
}

/** What a response says of it: nothing of the usual token. */
export const claimsOf = (kind: TokenKind | null | undefined): { tokenKind?: 'fid'; huaweiApi?: 3 } => ({
  ...(kind === 'fid' && { tokenKind: kind }),
  ...(kind === 'v3' && { huaweiApi: 3 }),
})

const INSTALLATION_ID = /^[A-Za-z0-9_-]{22}$/

/** 22 characters of base64url: https://firebase.google.com/docs/projects/manage-installations */
export const isInstallationId = (token: string): boolean => INSTALLATION_ID.test(token)
