// The connections to one of Apple's two services, and how they are given up for new ones when APNs has no use for them.
import { openHttp2, type Http2Client, type Http2Options } from '@push-server/http2'

export interface Connections {
  /** Http2Client.capacity; none before the first use. */
  readonly capacity: number
  request: Http2Client['request']
  /** APNs says that the one it answered on is of no further use. */
  renew(reason: string): void
  close(): Promise<void>
}

/** One answer is as good as a thousand of them; and to Apple, many connections after one another look like an attack. */
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
