// Who may push: the keys of APNs, the accounts of FCM and HMS, and the access tokens issued to them.
import { createAccessTokens } from './access-tokens.ts'
import { createTcpProxy, type ApnsKey } from './apns/gate.ts'
import { createFcmAccounts, type FcmPermit } from './fcm/accounts.ts'
import { createHmsAccounts, type HmsPermit } from './hms/accounts.ts'

const HOUR_MS = 3_600_000

export type Senders = ReturnType<typeof createSenders>

export function createSenders(apnsKeys: readonly ApnsKey[] = []) {
  const gate = createTcpProxy()
  for (const key of apnsKeys) gate.addKey(key)
  // The beginnings by which people know them.
  const fcmTokens = createAccessTokens<FcmPermit>('ya29.c.', HOUR_MS)
  const hmsTokens = createAccessTokens<HmsPermit>('DQEBA', HOUR_MS)
  const fcm = { accounts: createFcmAccounts(fcmTokens), tokens: fcmTokens }
  const hms = { accounts: createHmsAccounts(hmsTokens), tokens: hmsTokens }
  return {
    gate,
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
