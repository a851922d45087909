// Idempotency keys: the same request under the same key gets the ids that the first one stored.
import { createHash } from 'node:crypto'
import { ApiError, TEXT, type Message } from '@push-server/contract'
import type { KeyedRequest } from '@push-server/store'

/** What makes a request the same as another: its messages, or the message that it sends again. */
export type RequestIdentity = readonly Message[] | { resend: string }

/**
 * Two requests are the same when they would store the same messages, whatever the order of their members. The mode does not
 * count, nor whether a single message came alone or as a batch of one. Pure.
 */
export const digestOf = (request: RequestIdentity): Buffer =>
  createHash('sha256').update(JSON.stringify(request, inOrder)).digest()

/** Sorts the members of objects by name. The order of arrays stays. */
const inOrder = (_name: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

/** The ids that are stored under the key. Refuses when they belong to another request. */
export function replayOf(earlier: KeyedRequest, request: RequestIdentity): string[] {
  if (!digestOf(request).equals(earlier.digest)) throw new ApiError('ERROR_IDEMPOTENCY', TEXT.keyTaken)
  return earlier.messageIds
}
