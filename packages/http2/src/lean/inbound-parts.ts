// The parts that reading works on, and its events.
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
  /** The peer broke a rule on the stream, which has to be reset. */
  broken(stream: LeanStream, code: number, reason: string): void
  goaway(code: number, lastStream: number, words: string): void
  ponged(payload: Buffer): void
}
