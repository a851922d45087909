// What every provider limits, checked before a message is stored rather than when a provider refuses it. Pure.
import type { Platform } from '@push-server/contract'

/** Why a message cannot go to a platform; `field` is a path inside PushMessage. */
export interface PayloadProblem {
  field: string
  hint: string
}

const PAYLOAD_BYTES = 4_096
const COLLAPSE_KEY_BYTES = 64

/** `payload`: what would be sent as JSON, without what differs by device. */
export function limitProblems(
  platform: Platform,
  payload: Buffer | string,
  collapseKey: string | null | undefined,
): PayloadProblem[] {
  const problems: PayloadProblem[] = []
  const payloadBytes = Buffer.byteLength(payload)
  if (payloadBytes > PAYLOAD_BYTES)
    problems.push({
      field: 'body',
      hint: `payload for ${platform} has ${payloadBytes} bytes, the limit is ${PAYLOAD_BYTES}`,
    })
  const keyBytes = Buffer.byteLength(collapseKey ?? '')
  if (keyBytes > COLLAPSE_KEY_BYTES)
    problems.push({
      field: 'body.collapseKey',
      hint: `collapse key for ${platform} has ${keyBytes} bytes, the limit is ${COLLAPSE_KEY_BYTES}`,
    })
  return problems
}
