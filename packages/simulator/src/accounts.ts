// The accounts that may push: keys of APNs, accounts of FCM and HMS, and the access tokens issued to them.
import { createAccessTokens } from './access-tokens.ts'
import { createTokenVerifier, type ApnsKey } from './apns/token-verifier.ts'
import { createFcmAccounts, type FcmPermit } from './fcm/accounts.ts'
import { createHmsAccounts, type HmsPermit } from './hms/accounts.ts'
import { createHmsServiceAccounts } from './hms/service-accounts.ts'

const HOUR_MS = 3_600_000

export type Accounts = ReturnType<typeof createAccounts>

export function createAccounts(apnsKeys: readonly ApnsKey[] = []) {
  const apns = createTokenVerifier()
  for (const key of apnsKeys) apns.addKey(key)
  // Tokens of Google and Huawei begin so.
  const fcmTokens = createAccessTokens<FcmPermit>('ya29.c.', HOUR_MS)
  const hmsTokens = createAccessTokens<HmsPermit>('DQEBA', HOUR_MS)
  const fcm = { accounts: createFcmAccounts(fcmTokens), tokens: fcmTokens }
  const hms = {
    accounts: createHmsAccounts(hmsTokens),
    tokens: hmsTokens,
    serviceAccounts: createHmsServiceAccounts(),
  }
  return {
    apns,
    fcm,
    hms,
    setTokenLife(ms: number) {
      fcmTokens.setLife(ms)
      hmsTokens.setLife(ms)
    },
    expireTokens() {
      fcmTokens.expire()
      hmsTokens.expire()
    },
  }
}
