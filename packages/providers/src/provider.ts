// What a provider is to the rest of the house: it pushes a chunk and says what became of each delivery.
import type { MessageBody } from '@push-server/contract'

/**
 * What a provider's response to one push means. Nothing vendor-specific leaves a provider but the words of `reason`. Texts have
 * at most 255 characters that a column takes; `since` lies between the epoch and now, `notBefore` within a day.
 */
export type Outcome =
  /** Accepted. `id` is the provider's own name for the notification, when it gave one. */
  | { kind: 'sent'; id?: string }
  /** The token is dead for certain. `since`: when the provider learned so (ms since the epoch), if it says. */
  | { kind: 'token-gone'; reason: string; since?: number }
  /** The token was refused for a reason that our own configuration can cause as well. */
  | { kind: 'token-doubtful'; reason: string }
  /** This delivery cannot succeed, whatever the token. */
  | { kind: 'failed'; reason: string }
  /**
   * Not delivered now, or not known to be. `notBefore`: ms since the epoch, when the provider names a time. `unsent`: it did
   * not even leave, so it is no try.
   */
  | { kind: 'retry'; reason: string; notBefore?: number; unsent?: boolean }
  /** Our credentials are at fault: no push of this application on this platform can succeed. */
  | { kind: 'credentials-error'; reason: string }

export type OutcomeKind = Outcome['kind']

/** Where an APNs token is valid; the other providers have no such choice. */
export type Environment = 'development' | 'production'

/** What is to be shown, and how urgent; the same for every device it goes to. */
export interface PushMessage {
  /** MessageBody as it was accepted, `validUntil` apart. */
  body: MessageBody
  /** Wakes the application without showing anything. */
  silent: boolean
  priority: 'HIGH' | 'NORMAL'
  /** Until when the provider may keep it for an unreachable phone: ms since the epoch, undefined = the provider's longest. */
  validUntil?: number
}

/** One push to be made. */
export interface PushTarget {
  token: string
  /** The device's own, when it registered with one. */
  environment?: Environment
  /** A UUID that every try of this delivery repeats, so that a provider that can tell repeats apart does. */
  pushId: string
  /** Position in PushChunk.messages. */
  message: number
}

/** Deliveries of one application on one platform. A message stands once, however many devices get it. */
export interface PushChunk {
  messages: readonly PushMessage[]
  targets: readonly PushTarget[]
}

/**
 * Reason of an abort: recipients have grown too old to be pushed to. Unlike with any other reason, a push that was started and
 * waited for a connection settles as unsent, and so does a chunk that no access token was to be had for.
 */
export const STALE = 'stale'

export interface PushOptions {
  /** Once aborted no further push is started; those in flight still settle. */
  signal: AbortSignal
  /** Called once for each target that was pushed, as its answer comes. A target not pushed (aborted) is not settled. */
  settle(index: number, outcome: Outcome): void
  /** Told how long each answer of the provider took, in seconds. */
  responded?(seconds: number): void
  /** Told why a push was not answered. */
  withoutResponse?(reason: string): void
}

/** How a provider fares, by the latest of its pushes. Times in ms since the epoch. */
export interface ProviderState {
  /** `idle`: nothing was pushed yet. */
  connection: 'idle' | 'up' | 'down'
  /** Why a push was last put off: for the provider, the network, a quota or the credentials. */
  failure?: { reason: string; at: number }
}

/** One application's way to one platform, for one version of its credentials. */
export interface Provider {
  /** Resolves once nothing is in flight: every target settled, or the rest given up after an abort. Never rejects for an answer. */
  push(chunk: PushChunk, options: PushOptions): Promise<void>
  state(): ProviderState
  /** Lets what is in flight finish, then closes the connections. */
  close(): Promise<void>
}

/** A provider token (APNs JWT, OAuth access token) and its times in ms since the epoch. */
export interface ProviderToken {
  value: string
  issuedAt: number
  expiresAt: number
}

/** Keeps provider tokens for all workers together. The store implements it. */
export interface TokenCache {
  /**
   * The token under `key`, minted when there is none that `isFresh` accepts. One caller mints at a time, over all
   * processes; the others get what it minted. Rejects when minting does.
   */
  take(
    key: string,
    isFresh: (token: ProviderToken) => boolean,
    mint: () => Promise<ProviderToken>,
  ): Promise<ProviderToken>
}
