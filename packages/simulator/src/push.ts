// An accepted push as the look-alike of its provider received it: what tests assert on.
import type { IncomingHttpHeaders } from 'node:http'

interface ReceivedPush {
  readonly token: string
  readonly headers: IncomingHttpHeaders
  readonly payload: Readonly<Record<string, unknown>>
  readonly receivedAt: Date
}

export interface ApnsPush extends ReceivedPush {
  readonly platform: 'ios'
  /** As answered: the sender's apns-id, or the one made for it. */
  readonly apnsId: string
}

/** Grows by one member for each provider that is simulated. */
export type Push = ApnsPush
