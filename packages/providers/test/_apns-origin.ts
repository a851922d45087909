// A scripted APNs on loopback.
import type { Settings } from 'node:http2'
import * as origin from './_origin.ts'
import type { Received } from './_origin.ts'

export { ca, type Origin, type Received } from './_origin.ts'

export const startOrigin = (onRequest: (request: Received) => void, settings?: Settings) =>
  origin.startOrigin({
    onRequest,
    tokenOf: ({ headers }) => String(headers[':path']).slice('/3/device/'.length),
    ...(settings && { settings }),
  })

/** Answers as APNs does; 200 without a body. */
export function response(
  { stream, headers }: Received,
  status = 200,
  refusal?: object,
  more: Record<string, string> = {},
) {
  if (stream.destroyed) return
  stream.respond({ ':status': status, 'apns-id': headers['apns-id'] ?? 'made by the origin', ...more })
  stream.end(refusal && JSON.stringify(refusal))
}
