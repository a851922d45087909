// When a message is to be sent, as its request says. Pure.
import { instantOf, invalidRequest, type Message } from '@push-server/contract'
import type { FieldOf } from './compose.ts'

export interface SendAtTerms {
  /** ms since the epoch, by the database's clock. */
  now: number
  /** How far ahead it may be, ms. */
  mostMs: number
  fieldOf: FieldOf
}

/**
 * ms since the epoch, null = now. A time that has passed is refused: the caller means another one. So is a message that will have lost
 * its meaning by then, since it could only expire.
 */
export function sendAtOf(
  { sendAt }: Pick<Message, 'sendAt'>,
  validUntil: number | null,
  { now, mostMs, fieldOf }: SendAtTerms,
): number | null {
  if (sendAt === null || sendAt === undefined) return null
  const refuse = (hint: string) => invalidRequest([{ fieldName: fieldOf('sendAt'), hint }])
  const instant = instantOf(sendAt)
  if (instant === undefined || instant <= now) throw refuse('must be an ISO 8601 time with offset, in the future')
  if (instant > now + mostMs) throw refuse(`must be within DELIVERY_MAX_AGE (${Math.round(mostMs / 1000)} s) from now`)
  if (validUntil !== null && validUntil <= instant) throw refuse('must be before validUntil')
  return instant
}
