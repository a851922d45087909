// The registry of providers, one for each platform. A new platform is a folder beside this file and a line here.
import type { Platform } from '@push-server/contract'
import { apns } from './apns/index.ts'
import { fcm } from './fcm/index.ts'
import { hms } from './hms/index.ts'
import type { ProviderKind } from './provider-kind.ts'

export const PROVIDERS: Record<Platform, ProviderKind> = { ios: apns, android: fcm, huawei: hms }
