// What a folder of this package offers: how to check, open and use one provider.
import type { Config, Logger } from '@push-server/runtime'
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
  /** What would make the provider refuse the message whatever the device, as it would be sent by these settings. */
  check(message: PushMessage, config: Config): PayloadProblem[]
}
