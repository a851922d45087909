// An answer of APNs as it came over the wire, read. Pure.
import type { Http2Result } from '@push-server/http2'
import type { ApnsResponse } from './outcome.ts'

export function readResponse({ status, headers, body }: Extract<Http2Result, { kind: 'response' }>): ApnsResponse {
  if (status === 200) return { status, id: headers['apns-id'] }
  return { status, retryAfter: headers['retry-after'], ...readRefusal(body) }
}

function readRefusal(body: string): Pick<ApnsResponse, 'reason' | 'timestamp'> {
  try {
    const { reason, timestamp } = Object(JSON.parse(body))
    return {
      reason: typeof reason === 'string' ? reason : undefined,
      timestamp: Number.isSafeInteger(timestamp) ? timestamp : undefined,
    }
  } catch {
    // A page of some proxy on the way: its status says all there is to know.
    return {}
  }
}
