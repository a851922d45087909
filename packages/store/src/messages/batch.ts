// What a gateway stores at once: the requests of many callers, and the chunks that their deliveries share.
import type { MessageBody, Platform, TokenKind } from '@push-server/contract'

/** A device that a message may go to. */
export interface Recipient {
  deviceId: number
  userId: string
  activationId: string
  platform: Platform
  environment: string | null
  token: string
  /** Null: the usual token of its platform. A push has the kind that the device has by then. */
  tokenKind?: TokenKind | null
  active: boolean
}

export interface NewMessage {
  id: string
  userId: string
  activationId: string | null
  priority: 'HIGH' | 'NORMAL'
  silent: boolean
  personal: boolean
  /** Null or left out = all. */
  platforms?: readonly Platform[] | null | undefined
  body: MessageBody
  /** Milliseconds since the epoch. */
  validUntil: number | null
}

export interface NewDelivery {
  messageId: string
  /** Seed of its chunk and place in it; null when nothing is to be pushed. */
  chunk: { seed: string; position: number } | null
  recipient: Recipient
  status: 'pending' | 'failed' | 'skipped'
  reason: string | null
}

/** One application's deliveries on one platform. */
export interface NewChunk {
  seed: string
  applicationId: number
  platform: Platform
  /** Channel on which a gateway waits for it. */
  waiter: string | null
  /** When its deliveries are to be pushed, ms since the epoch; null = now. */
  sendAt: number | null
}

/** All of it is stored or nothing. */
export interface NewRequest {
  applicationId: number
  /** By which its caller and our logs name it. */
  correlationId?: string | undefined
  /** The span that its deliveries belong to, as a `traceparent`. */
  traceContext?: string | undefined
  messages: readonly NewMessage[]
  deliveries: readonly NewDelivery[]
}

/** The caller's name for a request. */
export interface NewKey {
  key: string
  /** Of what is to be sent. */
  digest: Buffer
  /** How long the request can be repeated. */
  ageMs: number
}

export interface NewKeyedRequest extends NewRequest {
  key: NewKey
}

export interface NewBatch<Request extends NewRequest = NewRequest> {
  requests: readonly Request[]
  chunks: readonly NewChunk[]
  /** Deliveries still pending then are too old. */
  maxAgeMs: number
}

export interface StoredChunk {
  id: number
  seed: string
  applicationId: number
  platform: Platform
  /** Number of its deliveries. */
  size: number
  /** Its platform is paused: it waits without a job. */
  paused: boolean
}

export interface StoredBatch {
  /** Applications that are there. Of the others nothing was stored. */
  applicationIds: ReadonlySet<number>
  chunks: readonly StoredChunk[]
}

/** A request that was stored under a key. */
export interface KeyedRequest {
  digest: Buffer
  messageIds: string[]
}
