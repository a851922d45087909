// The contract of a provider's folder: what it brings for its platform.
import type { Lane, TokenKind } from '@push-server/contract'
import type { Config, Logger } from '@push-server/runtime'
import type { PayloadProblem } from './payload-limits.ts'
import type { Provider, PushMessage, PushTarget, TokenCache } from './provider.ts'

/** Stored credentials: settings that may be shown, and the secret. */
export interface StoredCredentials {
  settings: Readonly<Record<string, string | null>>
  secret: Buffer
}

/** Credentials of the application that they are opened for. */
export interface ApplicationCredentials extends StoredCredentials {
  /** What its administrators call it. Huawei phones show it where a message has no title. */
  appId: string
}

/** What a payload depends on beside its message. */
export interface PayloadContext {
  config: Config
  appId: string
  /** Versions of Huawei's API that the application has credentials for; null or undefined: 2. */
  huaweiApis?: string | null
  /** ms since the epoch. */
  now: number
}

/** A device, and the settings of its application's credentials. */
export interface DraftDevice extends Pick<PushTarget, 'token' | 'tokenKind'> {
  settings: StoredCredentials['settings']
}

/** The request of one push, without the credentials and ids that the provider adds as it sends. */
export interface PushDraft {
  headers: Readonly<Record<string, string>>
  /** JSON. */
  body: string
}

export interface ProviderContext {
  config: Config
  log: Logger
  tokens: TokenCache
  /** ms since the epoch, by the clock that counts: provider tokens are stamped with it. */
  now: () => number
  /** The provider checks every push and delivers none, where it offers that. */
  validateOnly?: boolean
}

/** How credentials are tried without reaching a phone. */
export interface TrialKind {
  /** What is pushed to. */
  token: string
  /** What is done, in words. */
  tried: string
  /** Whether provider tokens are signed here: the provider then counts how many there are, and making one tries nothing. */
  signsTokens: boolean
  /** Of credentials that have parts of their own, each of which is tried. Throws InvalidCredentials. */
  partsOf?(credentials: StoredCredentials): readonly TrialPart[]
}

export interface TrialPart {
  tokenKind?: TokenKind
  /** What is done, in words. */
  tried: string
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
  readonly trial: TrialKind
  /** Throws InvalidCredentials for unusable credentials, without calling the provider. */
  verify(credentials: StoredCredentials): void
  /** Throws InvalidCredentials likewise. Connects with the first push. */
  open(credentials: ApplicationCredentials, context: ProviderContext): Provider
  /** Problems for which the provider would refuse the message whatever the device, as it would be sent now. */
  check(message: PushMessage, context: PayloadContext): PayloadProblem[]
  /** Paths inside the message of members that are given, and that no device gets anything of. */
  ignored(message: PushMessage, context: Pick<PayloadContext, 'config' | 'huaweiApis'>): string[]
  /** Size of the message as the provider counts it; its limit is PAYLOAD_BYTES. */
  bytes(message: PushMessage, context: PayloadContext): number
  /** Paths inside the message of members that some of its devices show nothing of, where they have nothing else to show. */
  unshown?(message: PushMessage, context: Pick<PayloadContext, 'huaweiApis'>): string[]
  /** The request that takes the message to the device, built as a push builds it. */
  draft(message: PushMessage, device: DraftDevice, context: PayloadContext): PushDraft
}
