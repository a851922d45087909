// What a look-alike does with a request that is in order: it answers, or it fails the way networks and vendors do.

/**
 * `silence` never answers, `cancel` and `refuse` reset the stream (RST_STREAM CANCEL and REFUSED_STREAM), `drop` cuts the
 * TCP connection, `goaway` announces the end of the connection, answers what is under way and closes it.
 */
export const FAULTS = ['silence', 'cancel', 'refuse', 'drop', 'goaway'] as const
export type Fault = (typeof FAULTS)[number]

export interface Answer {
  /** The HTTP status. 200 is an accepted push, whatever the table of prefixes says of the token. */
  status: number
  /** The vendor's word for the reason; by default the usual one of that status. */
  reason?: string | undefined
  /** Value of the Retry-After header, in seconds. */
  retryAfter?: number | undefined
  /** Since when the token is invalid, in milliseconds since the epoch; only told with 410, by default now. */
  timestamp?: number | undefined
}

export type Behaviour = Answer | { fault: Fault }
