// What a claimed chunk looks like to a worker.
import type { Lane, MessageBody, Platform, TokenKind } from '@push-server/contract'

/** Proof of a claim: writes under an older epoch are refused. */
export interface Claim {
  id: number
  epoch: number
}

export interface ClaimedChunk extends Claim {
  applicationId: number
  platform: Platform
  lane: Lane
  /** Campaign lane only. */
  runId: number | null
  /** A gateway waits for its outcomes. */
  isAwaited: boolean
  /** It is claimed only to find out whether a paused platform works again: one delivery is pushed. */
  probe: boolean
  /** When it was claimed, by the database's clock: ms since the epoch. */
  claimedAt: number
  /** How often it was claimed and released before. */
  try: number
  /** With a delivery's position it makes the id that every attempt of the push repeats. */
  seed: string
  /** Deliveries still pending then are too old: ms since the epoch. */
  expiresAt: number
  /** Null when the platform has no credentials. */
  credentialsVersion: number | null
  messages: MessageRow[]
  /** Those that are due. */
  deliveries: DeliveryRow[]
  /** When the earliest of the others is: ms since the epoch. */
  laterDueAt: number | null
  /** When the recipients were read, on the clock of `performance`. */
  readAt: number
  /** Pushes per second that the chunk's run allows over all workers; null = as fast as the provider takes them. */
  rate: number | null
  /** Campaign lane only: what became of its deliveries so far, whose ids are their positions. */
  outcomes: StoredOutcomes | null
}

/** Outcomes of a whole chunk as its row keeps them. */
export interface StoredOutcomes {
  /** By position: 0 = pending, 1 = sent, 2 + n = failed with `reasonNames[n]`. */
  bytes: Buffer
  reasonNames: readonly string[]
  /** By position, of what is pending after an attempt: attempts, and when the next one is due (ms since the epoch; null = now). */
  retries: Readonly<Record<string, readonly [attempts: number, nextAttemptAt: number | null]>>
  /** How many failed with each reason. */
  reasons: Readonly<Record<string, number>>
  sent: number
  failed: number
}

export interface MessageRow {
  id: string
  /** Of the request that it came with. */
  correlationId: string | null
  traceContext: string | null
  body: MessageBody
  silent: boolean
  priority: 'HIGH' | 'NORMAL'
  /** Milliseconds since the epoch. */
  validUntil: number | null
  createdAt: number
}

/**
 * Why a delivery must not be pushed any more: its device has gone, changed hands, or is not what the message asks for; or the message
 * was cancelled.
 */
export type Obstacle = 'Cancelled' | 'DeviceRemoved' | 'DeviceReassigned' | 'NotActive' | 'TokenReplaced'

export interface DeliveryRow {
  id: number
  position: number
  messageId: string
  token: string
  environment: 'development' | 'production' | null
  /** Null: the usual token of its platform. */
  tokenKind: TokenKind | null
  /** Attempts made so far. */
  attempts: number
  obstacle: Obstacle | null
}

/** What became of one delivery in this claim. */
export interface DeliveryRecord {
  id: number
  status: 'pending' | 'sent' | 'failed'
  reason: string | null
  attempts: number
  /** Milliseconds since the epoch; only of pending ones. */
  nextAttemptAt: number | null
  providerId: string | null
}

/** A token that the provider refused. It is dropped unless it was registered again after `since` (ms since the epoch). */
export interface DeadToken {
  token: string
  reason: string
  since: number
  /** Our own configuration may be the cause of the refusal; the drop can be undone for a while. */
  doubtful?: boolean
  /** The environment that its device was registered with, if any; otherwise the kind of the token. */
  scope?: DeliveryRow['environment'] | DeliveryRow['tokenKind']
}
