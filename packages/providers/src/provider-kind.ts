// The contract of a provider's folder: what it brings for its platform.
import type { Lane } from '@push-server/contract'
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
  /** ms since the epoch, by the clock that counts: provider tokens are stamped with it. */
  now: () => number
}

/** A chunk settles in a few round trips to its provider, and is a small loss when its worker dies. */
const DIRECT_CHUNK = 500
/** Larger than direct chunks: nobody waits for a single push of a campaign, and more pushes share the cost of a chunk. */
const CAMPAIGN_CHUNK = 1000

/** For providers whose requests have one push each. */
export const USUAL_CHUNK_SIZE: ProviderKind['chunkSize'] = { direct: DIRECT_CHUNK, campaign: CAMPAIGN_CHUNK }

export interface ProviderKind {
  /** Maximum number of deliveries of one chunk in each lane. */
  readonly chunkSize: Readonly<Record<Lane, number>>
  /** Throws InvalidCredentials for unusable credentials, without calling the provider. */
  verify(credentials: StoredCredentials): void
  /** Throws InvalidCredentials likewise. Connects with the first push. */
  open(credentials: StoredCredentials, context: ProviderContext): Provider
  /** Problems for which the provider would refuse the message whatever the device, as these settings would send it. */
  check(message: PushMessage, config: Config): PayloadProblem[]
}
