// What every provider limits, checked before a message is stored rather than when a provider refuses it. Pure.
import type { Platform } from '@push-server/contract'
import type { PushMessage } from './provider.ts'

/** Why a message cannot go to a platform; `field` is a path inside PushMessage. */
export interface PayloadProblem {
  field: string
  hint: string
}

const PAYLOAD_BYTES = 4_096
const COLLAPSE_KEY_BYTES = 64
/** Up to here payloads are built to tell their exact size. */
const MEASURED_BYTES = 4 * PAYLOAD_BYTES

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

/** Members of a body that every provider carries, in a message that shows something. */
const SHOWN = ['title', 'titleLocKey', 'body', 'bodyLocKey', 'sound', 'category'] as const

/**
 * Why no provider takes the message, found without building a payload: a megabyte of extras would be written several times over
 * to be measured. Undefined for whatever is worth building.
 */
export function excessProblem({ body, silent }: PushMessage): PayloadProblem | undefined {
  if (roomLeft(body.extras ?? {}, MEASURED_BYTES) < 0)
    return {
      field: 'body.extras',
      hint: `extras have more than ${MEASURED_BYTES} bytes, a payload has ${PAYLOAD_BYTES}`,
    }
  const shown = silent ? [] : SHOWN.map((name) => body[name] ?? '')
  if (roomLeft(shown, MEASURED_BYTES) < 0)
    return { field: 'body', hint: `texts have more than ${MEASURED_BYTES} bytes, a payload has ${PAYLOAD_BYTES}` }
  return undefined
}

/** What is left of `room` bytes after the least that the value takes; ends as soon as nothing is. */
function roomLeft(value: unknown, room: number): number {
  if (typeof value === 'string') return room - value.length
  if (value === null) return room
  if (typeof value !== 'object') return room - 1
  let left = room
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length && left >= 0; index += 1)
      left = roomLeft(value[index], left - (index && 1))
    return left
  }
  for (const name in value) {
    if (left < 0) break
    left = roomLeft((value as Record<string, unknown>)[name], left - name.length)
  }
  return left
}
