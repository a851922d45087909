// The contract of a provider: it pushes a chunk and settles each delivery with an outcome.
import type { MessageBody, TokenKind } from '@push-server/contract'

/**
 * What a provider's response to one push means. Nothing vendor-specific leaves a provider but the words of `reason`. Texts have
 * at most 255 characters that a column takes; `since` lies between the epoch and now, `notBefore` within a day.
 */
export type Outcome =
  /** Accepted. `id` is the provider's own id of the notification, if it gave one. */
  | { kind: 'sent'; id?: string }
  /** The token is dead for certain. `since`: when the provider learned so (ms since the epoch), if it says. */
  | { kind: 'token-gone'; reason: string; since?: number }
  /** The token was refused for a reason that our own configuration can cause as well. */
  | { kind: 'token-doubtful'; reason: string }
  /** This delivery cannot succeed, whatever the token. */
  | { kind: 'failed'; reason: string }
  /**
   * Not delivered now, or not known to be. `notBefore`: ms since the epoch, when the provider names a time. `unsent`: it was never
   * sent, so it counts as no attempt.
   */
  | { kind: 'retry'; reason: string; notBefore?: number; unsent?: boolean }
  /** Our credentials were refused: no push of this application on this platform can succeed. */
  | { kind: 'credentials-error'; reason: string }

export type OutcomeKind = Outcome['kind']

const ABOUT_TOKENS: ReadonlySet<OutcomeKind> = new Set(['sent', 'token-gone', 'token-doubtful'])

/** The provider has looked at the token, so it accepted our credentials. */
export const isAboutToken = (outcome: Outcome): boolean => ABOUT_TOKENS.has(outcome.kind)

/** The APNs service for which a token is valid; the other providers have one service each. */
export type Environment = 'development' | 'production'

/** What is to be shown, and how urgently; the same for every device. */
export interface PushMessage {
  /** Names the message to providers that show what they have seen before only once: the same in every attempt. */
  id?: string
  /** The MessageBody that was accepted, without `validUntil`. */
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
  /** The environment that the device was registered with, if any. */
  environment?: Environment
  /** What the token is, where it is not the usual one of its platform. */
  tokenKind?: TokenKind
  /** A UUID that is the same for every attempt of this delivery, so that a provider can recognize a repetition. */
  pushId: string
  /** Position in PushChunk.messages. */
  message: number
}

/** Deliveries of one application on one platform. A message appears once, however many devices get it. */
export interface PushChunk {
  messages: readonly PushMessage[]
  targets: readonly PushTarget[]
}

/**
 * Reason of an abort: the recipients were read too long ago. Unlike with any other reason, a push that was started and waited for a
 * connection settles as unsent, and so does a chunk without an access token.
 */
export const STALE = 'stale'

export interface PushOptions {
  /** Once aborted no further push is started; those in flight still settle. */
  signal: AbortSignal
  /** Called once for each target that was pushed, when its response arrives. A target that was not pushed (aborted) is not settled. */
  settle(index: number, outcome: Outcome): void
  /** Called with the latency of each response of the provider, in seconds. */
  responded?(seconds: number): void
  /** Called with the reason when a push gets no response. */
  withoutResponse?(reason: string): void
}

/** The state of a provider, by the latest of its pushes. Times in ms since the epoch. */
export interface ProviderState {
  /** `idle`: nothing was pushed yet. */
  connection: 'idle' | 'up' | 'down'
  /** Why a push was last deferred: for the provider, the network, a quota or the credentials. */
  failure?: { reason: string; at: number }
}

/** Pushes the messages of one application to one platform, with one version of its credentials. */
export interface Provider {
  /** Resolves once nothing is in flight: every target is settled, or the rest was aborted. Never rejects for a response. */
  push(chunk: PushChunk, options: PushOptions): Promise<void>
  state(): ProviderState
  /** Waits for pushes in flight, then closes the connections. */
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
   * The token under `key`, minted when there is none that `isFresh` accepts. One caller mints at a time, over all processes; the
   * others get its token. Rejects when minting does.
   */
  take(
    key: string,
    isFresh: (token: ProviderToken) => boolean,
    mint: () => Promise<ProviderToken>,
  ): Promise<ProviderToken>
}
