// Reads a response of APNs. Pure.
import type { Http2Result } from '@push-server/http2'
import { jsonObject } from '../json-object.ts'
import type { ApnsResponse } from './outcome.ts'

export function readResponse({ status, headers, body }: Extract<Http2Result, { kind: 'response' }>): ApnsResponse {
  if (status === 200) return { status, id: headers['apns-id'] }
  return { status, retryAfter: headers['retry-after'], ...readRefusal(body) }
}

function readRefusal(body: string): Pick<ApnsResponse, 'reason' | 'timestamp'> {
  const { reason, timestamp } = jsonObject(body)
  return {
    reason: typeof reason === 'string' ? reason : undefined,
    timestamp: typeof timestamp === 'number' && Number.isSafeInteger(timestamp) ? timestamp : undefined,
  }
}
