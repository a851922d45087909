// Turns a message of a request into the message that is stored. Pure but for the new id.
import { instantOf, invalidRequest, isRich, platformsOf, type Message } from '@push-server/contract'
import type { PushMessage } from '@push-server/providers'
import type { NewMessage } from '@push-server/store'
import { v7 } from 'uuid'
import { bodyViolations } from './body-rules.ts'

/** No provider keeps a notification longer. */
const LONGEST_VALIDITY_MS = 28 * 86_400_000

/** Path in the request of what has this path inside a message, such as `body.validUntil`. */
export type FieldOf = (inside: string) => string

/** Refuses a body that contradicts itself, and a validUntil that is no point in time. `now`: ms since the epoch, by the database's clock. */
export function composeMessage(message: Message, fieldOf: FieldOf, now: number): NewMessage {
  const { validUntil, ...body } = message.body
  const silent = message.attributes?.silent ?? false
  if (isRich(body)) {
    const violations = bodyViolations(body, silent)
    if (violations.length > 0)
      throw invalidRequest(violations.map(({ field, hint }) => ({ fieldName: fieldOf(field), hint })))
  }
  return {
    id: v7(),
    userId: message.userId,
    activationId: message.activationId ?? null,
    priority: message.priority === 'NORMAL' ? 'NORMAL' : 'HIGH',
    silent,
    personal: message.attributes?.personal ?? false,
    platforms: platformsOf(message.platforms),
    body,
    validUntil: limited(readValidUntil(validUntil, fieldOf), now),
  }
}

const limited = (instant: number | null, now: number) => instant && Math.min(instant, now + LONGEST_VALIDITY_MS)

/** In ms since the epoch; null for none. */
export function readValidUntil(value: string | number | null | undefined, fieldOf: FieldOf): number | null {
  if (value === null || value === undefined || value === '') return null
  const instant = instantOf(value)
  if (instant !== undefined && instant >= 0) return instant
  const hint = 'must be an ISO 8601 time with offset, or seconds (not milliseconds) since the epoch'
  throw invalidRequest([{ fieldName: fieldOf('body.validUntil'), hint }])
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
