// The contract of a provider's folder: what it brings for its platform.
import type { Config, Logger } from '@push-server/runtime'
import type { PayloadProblem } from './payload-limits.ts'
import type { Provider, PushMessage, TokenCache } from './provider.ts'

/** Stored credentials: settings that may be shown, and the secret. */
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
  /** Throws InvalidCredentials for unusable credentials, without calling the provider. */
  verify(credentials: StoredCredentials): void
  /** Throws InvalidCredentials likewise. Connects with the first push. */
  open(credentials: StoredCredentials, context: ProviderContext): Provider
  /** Problems for which the provider would refuse the message whatever the device, as these settings would send it. */
  check(message: PushMessage, config: Config): PayloadProblem[]
}
