// The interface between the parts that every transport needs (queue, deadlines, PING schedule, reconnecting) and the transport itself
// (frames). A transport is one function, OpenSession, over a TLS socket that has agreed on h2.
import type { TLSSocket } from 'node:tls'
import type { Http2Request, Http2Result, Settle } from './client.ts'

/** A request in the client, until its response or failure. */
export interface Exchange {
  readonly request: Http2Request
  readonly settle: Settle
  /** On the monotonic clock: until when it may wait for a stream; once it is on one, until when its response may arrive. */
  deadline: number
  /** How often it was put on a stream. */
  attempts: number
  stream: Stream | undefined
  /** Its place among the exchanges of its connection; -1 on none. */
  place: number
}

export interface Stream {
  /** False as long as nothing of its request has been handed to the socket, for certain. */
  readonly isWritten: boolean
  /** RST_STREAM CANCEL. */
  cancel(): void
}

export type Ending = Exclude<Http2Result, { kind: 'timeout' }>

/** Events of a session. None is emitted from inside a call to the session. */
export interface SessionEvents {
  /** SETTINGS arrived; with the first the connection is usable. */
  settings(): void
  /** Exactly once for each exchange opened. */
  ended(exchange: Exchange, ending: Ending): void
  /** A stream has closed; another may be opened in its place. */
  freed(): void
  /** No new streams from now on; open ones may still get their responses. */
  retired(reason: string): void
  ponged(): void
  /** The connection is closed. An exchange that has not ended by then never will. */
  closed(reason: string): void
}

export interface Session {
  /** Streams the peer allows now, after its latest SETTINGS; 0 once it takes no new ones. */
  readonly streams: number
  /** Streams not closed yet, cancelled ones included. */
  readonly inFlight: number
  /** The socket has a backlog: no stream should be opened until `freed`. */
  readonly isFull: boolean
  open(exchange: Exchange): Stream
  ping(): void
  /** Closes the connection at once, however unresponsive the peer. */
  destroy(reason: string): void
}

export type OpenSession = (socket: TLSSocket, origin: URL, events: SessionEvents) => Session

/** A response with a longer body ends as unknown; those of push providers have a few hundred bytes. */
export const MAX_RESPONSE_BYTES = 65_536

export const unsent = (reason: string): Ending => ({ kind: 'unsent', reason })
export const unknown = (reason: string): Ending => ({ kind: 'unknown', reason })

/** The message alone; an AggregateError (all addresses of a host failed) has none, but a code. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.message || ('code' in error && String(error.code)) || error.name
}
