// What a fake does with a valid request: it sends a response, or fails the way networks and vendors do.

/**
 * What happens instead of a response. "(accepted)": the push is accepted nevertheless.
 * - `silence`: nothing, ever.
 * - `reset`: RST_STREAM with `code`; `cancel` and `refuse` are those with CANCEL and REFUSED_STREAM.
 * - `drop`: the TCP connection is cut. `lose` (accepted): the same, so that the sender cannot know.
 * - `goaway` (accepted): the connection announces its end, finishes the requests in flight and closes.
 * - `goaway-unread`: GOAWAY names the stream before this one as the last that was read.
 * - `goaway-cut` (accepted): the connection announces its end and is cut, with the requests in flight.
 */
export const FAILURES = [
  'silence',
  'cancel',
  'refuse',
  'reset',
  'drop',
  'lose',
  'goaway',
  'goaway-unread',
  'goaway-cut',
] as const
export type Failure = (typeof FAILURES)[number]

export interface Response {
  /** The HTTP status. 200 is an accepted push, whatever the table of prefixes says of the token. */
  status: number
  /** The vendor's reason; by default the usual one of that status. */
  reason?: string | undefined
  /** Value of the Retry-After header: seconds, or a text as it is. */
  retryAfter?: number | string | undefined
  /** Since when the token is invalid, in milliseconds since the epoch; sent with 410 only, by default now. */
  timestamp?: number | undefined
  /** Instead of the body that the vendor would send. */
  body?: string | undefined
  /** Beside the headers that the vendor would send, or instead of them; names in lower case. */
  headers?: Readonly<Record<string, string>> | undefined
  /** How much longer than usual it takes. */
  delayMs?: number | undefined
}

export interface FailingBehaviour {
  failure: Failure
  /** Of `reset`: an error code of HTTP/2 (RFC 9113 §7), by default INTERNAL_ERROR. */
  code?: number | undefined
  /** How much later than a response it happens. */
  delayMs?: number | undefined
}

export type Behaviour = Response | FailingBehaviour

/** Whether the request is accepted nevertheless. */
export const isAccepted = (failure: Failure) => failure === 'lose' || failure === 'goaway' || failure === 'goaway-cut'
