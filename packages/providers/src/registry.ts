// The providers there are, one entry a platform. A new platform is a folder beside this file and a line here.
import type { Platform } from '@push-server/contract'
import type { Config, Logger } from '@push-server/runtime'
import { apns } from './apns/index.ts'
import type { PayloadProblem } from './payload-limits.ts'
import type { Provider, PushMessage, TokenCache } from './provider.ts'

/** Credentials as they are stored: what may be shown, and the secret. */
export interface StoredCredentials {
  settings: Readonly<Record<string, string | null>>
  secret: Buffer
}

export interface ProviderContext {
  config: Config
  log: Logger
  tokens: TokenCache
}

export interface ProviderKind {
  /** Throws InvalidCredentials when the credentials cannot work; asks nobody. */
  verify(credentials: StoredCredentials): void
  /** Throws InvalidCredentials likewise. Connects on the first push. */
  open(credentials: StoredCredentials, context: ProviderContext): Provider
  /** What would make the provider refuse the message whatever the device; empty when nothing does. */
  check(message: PushMessage): PayloadProblem[]
}

export const PROVIDERS: Partial<Record<Platform, ProviderKind>> = { ios: apns }
