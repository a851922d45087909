// The interface of this package: one client per origin, and the four results of a request. It uses callbacks and shared header sets:
// a request costs microseconds, so that a promise for each would show.

/**
 * Headers that many requests share, names in lower case. Build it once and pass the same object each time: a transport may cache its
 * encoding by the identity of the object. The client adds the pseudo-headers.
 */
export type HeaderSet = Readonly<Record<string, string>>

/** One POST. */
export interface Http2Request {
  path: string
  headers: HeaderSet
  /** Headers that differ from request to request, for instance apns-id. */
  extra?: readonly (readonly [name: string, value: string])[]
  body: string | Buffer
  /** Longest wait for the response, from the moment the request is written to a stream. Default: the client's. */
  timeoutMs?: number
  /** Once aborted, a request that still waits for a stream ends as unsent within 100 ms. One on a stream goes on. */
  signal?: AbortSignal
}

/** The result of a request. It is safe to send it again after `unsent` only; with the others it may have been delivered. */
export type Http2Result =
  | { kind: 'response'; status: number; headers: Readonly<Record<string, string>>; body: string }
  /** The origin has not processed it, for certain. */
  | { kind: 'unsent'; reason: string }
  /** The connection or the stream broke after it was written. */
  | { kind: 'unknown'; reason: string }
  /** Written, and no response arrived within its time. */
  | { kind: 'timeout'; reason: string }

export type Settle = (result: Http2Result) => void

export interface Http2Client {
  /** `settle` is called exactly once, and never before `request` has returned. */
  request(request: Http2Request, settle: Settle): void
  /**
   * Number of requests worth having in flight: the streams that the origin allows now over all connections, and the maximum for each
   * connection that is not open yet. Never less than 1, so that it can bound a semaphore. Requests beyond it wait.
   */
  readonly capacity: number
  /** Further requests go over new connections. Requests on streams of the present ones keep their time. */
  renew(reason: string): void
  /** Waiting requests end as unsent, requests on a stream keep their time. Resolves once all connections are closed. */
  close(): Promise<void>
}

export interface Proxy {
  host: string
  port: number
  /** Without a user name the proxy gets no credentials. */
  username?: string
  password?: string
}

/** The part of a logger that is used here. */
export interface Http2Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** `lean` frames HTTP/2 itself. `node` is node:http2, which costs several times as much; `lean` is compared with it. */
export type Transport = 'lean' | 'node'

export interface Http2Options {
  /** https://host[:port] */
  origin: string
  /** PEM certificates to trust beside the built-in ones. */
  ca?: string | Buffer | readonly (string | Buffer)[]
  /** Maximum number of connections (1). A further one is opened only when the others have no free stream. */
  connections?: number
  /** Maximum number of streams on one connection, whatever the origin allows (1000). */
  maxStreams?: number
  requestTimeoutMs?: number
  /** From dialling to the origin's first SETTINGS, the proxy's part included (5 s). */
  connectTimeoutMs?: number
  /** Longest wait for a stream (10 s). */
  queueTimeoutMs?: number
  pingIntervalMs?: number
  /** A connection without a response to a PING for so long is destroyed (5 s). */
  pingTimeoutMs?: number
  proxy?: Proxy
  /** Default: lean. */
  transport?: Transport
  log?: Http2Log
}
