// What reading works on, and whom it tells.
import type { Ending } from '../session.ts'
import type { FloodLimit } from './flood-limit.ts'
import type { Outbound } from './outbound.ts'
import type { PeerSettings } from './peer-settings.ts'
import type { LeanStream, Streams } from './streams.ts'

export interface InboundParts {
  streams: Streams
  settings: PeerSettings
  outbound: Outbound
  floodLimit: FloodLimit
  events: InboundEvents
}

export interface InboundEvents {
  settings(): void
  ended(stream: LeanStream, ending: Ending): void
  /** The stream breaks a rule: it is to be reset. */
  broken(stream: LeanStream, code: number, reason: string): void
  goaway(code: number, lastStream: number, words: string): void
  ponged(payload: Buffer): void
}
