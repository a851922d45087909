// What the rest of the house sees of this room: one client per origin, and the four ways a request can end.
// Callback style and shared header sets, because a request costs microseconds and a promise each would show.

/**
 * Headers that many requests have in common, names in lower case. Build it once and pass the same object each time: a
 * transport may keep what it encoded under the object's identity. Pseudo-headers are the client's.
 */
export type HeaderSet = Readonly<Record<string, string>>

/** One POST. */
export interface Http2Request {
  path: string
  headers: HeaderSet
  /** What differs from request to request, for instance apns-id. */
  extra?: readonly (readonly [name: string, value: string])[]
  body: string | Buffer
  /** Longest wait for the answer, from the moment the request is written to a stream. Default: the client's. */
  timeoutMs?: number
  /** Once aborted, a request that still waits for a stream ends as unsent within 100 ms. One on a stream goes on. */
  signal?: AbortSignal
}

/** How a request ended. Whoever sends again may do so freely after `unsent` only; the others may have been delivered. */
export type Http2Result =
  | { kind: 'response'; status: number; headers: Readonly<Record<string, string>>; body: string }
  /** The origin has not processed it, for certain. */
  | { kind: 'unsent'; reason: string }
  /** The connection or the stream broke after it was written. */
  | { kind: 'unknown'; reason: string }
  /** Written, and not answered within its time. */
  | { kind: 'timeout'; reason: string }

export type Settle = (result: Http2Result) => void

export interface Http2Client {
  /** `settle` is called exactly once, and never before `request` has returned. */
  request(request: Http2Request, settle: Settle): void
  /**
   * How many requests are worth having under way: the streams the origin allows at this moment over all connections, and
   * the most for each connection not open yet. Never less than 1, so it can serve as a window; what exceeds it waits.
   */
  readonly capacity: number
  /** Further requests go over new connections; what is on a stream of those there are keeps its time. */
  renew(reason: string): void
  /** What waits ends as unsent, what is on a stream keeps its time; resolves once all connections are closed. */
  close(): Promise<void>
}

export interface Proxy {
  host: string
  port: number
  /** Without a user name the proxy is asked without credentials. */
  username?: string
  password?: string
}

/** A structural part of the house's logger. */
export interface Http2Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** `lean` frames HTTP/2 itself; `node` is node:http2, several times as dear and the one to compare with. */
export type Transport = 'lean' | 'node'

export interface Http2Options {
  /** https://host[:port] */
  origin: string
  /** PEM certificates to trust beside the built-in ones. */
  ca?: string | Buffer | readonly (string | Buffer)[]
  /** Most connections at a time (1). A further one is opened only when the others have no stream left. */
  connections?: number
  /** Most streams on one connection, whatever the origin allows (1000). */
  maxStreams?: number
  requestTimeoutMs?: number
  /** From dialling to the origin's first SETTINGS, the proxy's part included (5 s). */
  connectTimeoutMs?: number
  /** Longest wait for a stream (10 s). */
  queueTimeoutMs?: number
  pingIntervalMs?: number
  /** A connection that leaves a PING unanswered for so long is given up (5 s). */
  pingTimeoutMs?: number
  proxy?: Proxy
  /** Default: lean. */
  transport?: Transport
  log?: Http2Log
}
