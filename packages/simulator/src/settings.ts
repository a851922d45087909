// The settings that lead a push server to fakes instead of the providers.
import { PLATFORMS, type Platform } from '@push-server/contract'
import type { Simulator } from './simulator.ts'

export interface FakeAddress {
  origin: string
  /** Where accounts get their access tokens; by default `/token` of the origin. */
  tokenUrl?: string
}

const SETTINGS: Record<Platform, (address: FakeAddress, authority: string) => Record<string, string>> = {
  ios: ({ origin }, authority) => ({
    APNS_PRODUCTION_URL: origin,
    APNS_DEVELOPMENT_URL: origin,
    APNS_CA_FILE: authority,
  }),
  android: ({ origin, tokenUrl = `${origin}/token` }, authority) => ({
    FCM_BASE_URL: origin,
    FCM_TOKEN_URL: tokenUrl,
    FCM_CA_FILE: authority,
  }),
  huawei: ({ origin, tokenUrl = `${origin}/token` }, authority) => ({
    HMS_BASE_URL: origin,
    HMS_TOKEN_URL: tokenUrl,
    HMS_CA_FILE: authority,
  }),
}

/** For one fake; `authority` is the file of the certificate authority to trust. */
export const fakeSettings = (platform: Platform, address: FakeAddress, authority: string): Record<string, string> =>
  SETTINGS[platform](address, authority)

/** For every fake of the simulator. */
export function simulatorSettings({ apns, fcm, hms }: Simulator, authority: string): Record<string, string> {
  const addresses: Record<Platform, FakeAddress> = { ios: apns, android: fcm, huawei: hms }
  return Object.fromEntries(
    PLATFORMS.flatMap((platform) => Object.entries(fakeSettings(platform, addresses[platform], authority))),
  )
}

/** For a push server that gets its activations from the fake of PowerAuth Server, instead of believing registrations. */
export const powerAuthSettings = ({ powerAuth }: Simulator, authority: string): Record<string, string> => ({
  POWERAUTH_URL: powerAuth.url,
  POWERAUTH_CA_FILE: authority,
})
