// The connections to one of Apple's two services. They are replaced when APNs says that they are of no further use.
import { openHttp2, type Http2Client, type Http2Options } from '@push-server/http2'

export interface Connections {
  /** Http2Client.capacity; none before the first use. */
  readonly capacity: number
  request: Http2Client['request']
  /** Replaces the connections, since APNs said on one of them that it is of no further use. */
  renew(reason: string): void
  close(): Promise<void>
}

/** A thousand such responses have the effect of one: to Apple, many connections in a row look like an attack. */
const RENEW_PAUSE_MS = 60_000

export function openConnections(options: Http2Options): Connections {
  const client = openHttp2(options)
  let isUsed = false
  let renewedAt = -Infinity
  return {
    get capacity() {
      return isUsed ? client.capacity : 0
    },
    request(request, settle) {
      isUsed = true
      client.request(request, settle)
    },
    renew(reason) {
      const now = performance.now()
      if (now - renewedAt < RENEW_PAUSE_MS) return
      renewedAt = now
      client.renew(reason)
    },
    close: () => client.close(),
  }
}
