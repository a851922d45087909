// Turns a message of a request into the message that is stored. Pure but for the new id.
import { instantOf, invalidRequest, type Message } from '@push-server/contract'
import type { PushMessage } from '@push-server/providers'
import type { NewMessage } from '@push-server/store'
import { v7 } from 'uuid'

/** No provider keeps a notification longer. */
const LONGEST_VALIDITY_MS = 28 * 86_400_000

/**
 * `field` is the path of the message in its request, for the violation of a validUntil that is no point in time. `now`: ms since the
 * epoch, by the database's clock.
 */
export function composeMessage(message: Message, field: string, now: number): NewMessage {
  const { validUntil, ...body } = message.body
  return {
    id: v7(),
    userId: message.userId,
    activationId: message.activationId ?? null,
    priority: message.priority === 'NORMAL' ? 'NORMAL' : 'HIGH',
    silent: message.attributes?.silent ?? false,
    personal: message.attributes?.personal ?? false,
    body,
    validUntil: composeValidUntil(validUntil, `${field}.body.validUntil`, now),
  }
}

function composeValidUntil(value: string | number | null | undefined, fieldName: string, now: number): number | null {
  if (value === null || value === undefined) return null
  const instant = instantOf(value)
  if (instant === undefined || instant < 0)
    throw invalidRequest([{ fieldName, hint: 'must be an ISO 8601 time with offset, or seconds since the epoch' }])
  return Math.min(instant, now + LONGEST_VALIDITY_MS)
}

/** The members of a message that a provider needs. */
export const pushMessageOf = (
  message: Pick<NewMessage, 'body' | 'silent' | 'priority' | 'validUntil'>,
): PushMessage => ({
  body: message.body,
  silent: message.silent,
  priority: message.priority,
  validUntil: message.validUntil ?? undefined,
})
