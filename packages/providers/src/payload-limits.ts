// Limits of every provider, checked before a message is stored rather than when a provider refuses it. Pure.
import { rawNamesOf, type MessageBody, type Platform } from '@push-server/contract'
import type { PushMessage } from './provider.ts'

/** Why a message cannot go to a platform; `field` is a path inside PushMessage. */
export interface PayloadProblem {
  field: string
  hint: string
}

export const PAYLOAD_BYTES = 4_096
const COLLAPSE_KEY_BYTES = 64
/** Messages up to this size are built to know their exact size. */
const MEASURED_BYTES = 4 * PAYLOAD_BYTES

/** `payload`: what would be sent, without the parts that differ by device, or its size in bytes. */
export function limitProblems(
  platform: Platform,
  payload: Buffer | string | number,
  collapseKey: string | null | undefined,
): PayloadProblem[] {
  const problems: PayloadProblem[] = []
  const payloadBytes = typeof payload === 'number' ? payload : Buffer.byteLength(payload)
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

/** Member of the data in which a mobile application that shows notifications itself finds one. */
export const NOTIFICATION_KEY = '_notification'

/** For settings with which the notification is a member of the data: extras must not have one of its name. */
export const handedOverProblems = (platform: Platform, extras: MessageBody['extras']): PayloadProblem[] =>
  Object.hasOwn(extras ?? {}, NOTIFICATION_KEY)
    ? [
        {
          field: 'body.extras',
          hint: `extras for ${platform} must not have a member named "${NOTIFICATION_KEY}": the notification stands there`,
        },
      ]
    : []

/** Members of a body that every provider sends, in a message that shows something. */
const SHOWN = ['title', 'titleLocKey', 'body', 'bodyLocKey', 'sound', 'category'] as const

/**
 * Why no provider takes the message, found without building a payload: to measure it, a megabyte of extras would be written several
 * times. Undefined for a message that is worth building.
 */
export function excessProblem({ body, silent }: PushMessage): PayloadProblem | undefined {
  if (roomLeft(body.extras ?? {}, MEASURED_BYTES) < 0)
    return {
      field: 'body.extras',
      hint: `extras have more than ${MEASURED_BYTES} bytes, a payload has ${PAYLOAD_BYTES}`,
    }
  for (const name of rawNamesOf(body))
    if (roomLeft(body[name], MEASURED_BYTES) < 0)
      return {
        field: `body.${name}`,
        hint: `the block has more than ${MEASURED_BYTES} bytes, a payload has ${PAYLOAD_BYTES}`,
      }
  const shown = silent ? [] : SHOWN.map((name) => body[name] ?? '')
  if (roomLeft(shown, MEASURED_BYTES) < 0)
    return { field: 'body', hint: `texts have more than ${MEASURED_BYTES} bytes, a payload has ${PAYLOAD_BYTES}` }
  return undefined
}

/** A number in extras that is not the one that was written: JSON is read into doubles. Undefined when there is none. */
export const inexactProblem = ({ body: { extras } }: PushMessage): PayloadProblem | undefined =>
  hasInexactNumber(extras)
    ? { field: 'body.extras', hint: 'extras must not have an integer beyond 9007199254740991: send it as a text' }
    : undefined

function hasInexactNumber(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER
  return typeof value === 'object' && value !== null && Object.values(value).some(hasInexactNumber)
}

/** The rest of `room` bytes after the least size of the value; ends as soon as nothing is left. */
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
