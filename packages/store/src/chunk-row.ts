// What a claimed chunk looks like to a worker.
import type { Lane, MessageBody, Platform } from '@push-server/contract'

/** Proof of a claim: writes under an older epoch are refused. */
export interface Claim {
  id: number
  epoch: number
}

export interface ClaimedChunk extends Claim {
  applicationId: number
  platform: Platform
  lane: Lane
  /** How often it was in hand before. */
  try: number
  /** With a delivery's position it makes the id that every try of the push repeats. */
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
}

export interface MessageRow {
  id: string
  body: MessageBody
  silent: boolean
  priority: 'HIGH' | 'NORMAL'
  /** Milliseconds since the epoch. */
  validUntil: number | null
  createdAt: number
}

export interface DeliveryRow {
  id: number
  position: number
  messageId: string
  token: string
  environment: 'development' | 'production' | null
  /** Tries made so far. */
  attempts: number
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

/** A token that the provider called dead. It is dropped unless it was registered again after `since` (ms since the epoch). */
export interface DeadToken {
  token: string
  reason: string
  since: number
}
