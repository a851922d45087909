// The retry policy: whether an outcome ends its delivery, and otherwise when the next attempt is due. Pure.
import type { Outcome } from '@push-server/providers'
import type { DeadToken, DeliveryRecord, DeliveryRow } from '@push-server/store'
import { scopeOf } from '../credential-proofs.ts'

/** Maximum number of attempts of one delivery. */
export const MOST_ATTEMPTS = 10
const FIRST_DELAY_MS = 1000
const LONGEST_DELAY_MS = 10 * 60_000
const LONGEST_UNSENT_DELAY_MS = 60_000

export interface Circumstances {
  now: number
  /** End of the message's validity; no attempt is made after it. */
  validUntil: number | null
  /** The age limit of the chunk. */
  expiresAt: number
  /** How often the chunk was claimed before. */
  chunkAttempts: number
  /** When the claim began: a dead token that was registered after it is not dropped. */
  claimedAt: number
  /** From 0 to 1, for the jitter. */
  random: number
}

/** Outcome of a push that the provider did not accept. */
export type Refusal = Exclude<Outcome, { kind: 'sent' }>

export interface Decision {
  record: DeliveryRecord
  deadToken?: DeadToken
}

/** Decides about a delivery that the provider did not accept. */
export function decide(delivery: DeliveryRow, outcome: Refusal, circumstances: Circumstances): Decision {
  const attempts = delivery.attempts + 1
  switch (outcome.kind) {
    case 'token-gone': {
      const since = outcome.since ?? circumstances.claimedAt
      return { ...failed(delivery, outcome.reason, attempts), deadToken: deadToken(delivery, outcome.reason, since) }
    }
    case 'token-doubtful': {
      const dead = deadToken(delivery, outcome.reason, circumstances.claimedAt)
      return { ...failed(delivery, outcome.reason, attempts), deadToken: { ...dead, doubtful: true } }
    }
    case 'failed':
      return failed(delivery, outcome.reason, attempts)
    case 'retry':
      return { record: retried(outcome.unsent ? delivery : { ...delivery, attempts }, outcome, circumstances) }
    case 'credentials-error':
      // The delivery is not to blame: the attempt does not count, and the delivery waits until the platform is resumed.
      return { record: waiting(delivery, outcome.reason, null) }
  }
}

/** The record of a delivery that the provider accepted. `providerId`: the provider's own id of the push. */
export const accepted = (delivery: DeliveryRow, providerId: string | undefined): DeliveryRecord => ({
  ...settled(delivery, 'sent', null),
  attempts: delivery.attempts + 1,
  providerId: providerId ?? null,
})

const failed = (delivery: DeliveryRow, reason: string, attempts: number): Decision => ({
  record: { ...settled(delivery, 'failed', reason), attempts },
})

const deadToken = (delivery: DeliveryRow, reason: string, since: number): DeadToken => ({
  token: delivery.token,
  scope: scopeOf(delivery),
  reason,
  since,
})

/** The record of a delivery that ends without another attempt. */
export const settled = (delivery: DeliveryRow, status: 'sent' | 'failed', reason: string | null): DeliveryRecord => ({
  id: delivery.id,
  status,
  reason,
  attempts: delivery.attempts,
  nextAttemptAt: null,
  providerId: null,
})

/** The record of a delivery that is due again at `nextAttemptAt` (ms since the epoch; null = once its platform is resumed). */
export const waiting = (delivery: DeliveryRow, reason: string, nextAttemptAt: number | null): DeliveryRecord => ({
  id: delivery.id,
  status: 'pending',
  reason,
  attempts: delivery.attempts,
  nextAttemptAt,
  providerId: null,
})

const attemptDelay = (attempts: number) => Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempts - 1))

/** A provider that is out of reach is retried more often: an attempt costs a connection, not a push. */
const unsentDelay = (chunkAttempts: number) =>
  Math.min(LONGEST_UNSENT_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(chunkAttempts, 20))

function retried(
  delivery: DeliveryRow,
  { reason, notBefore = 0, unsent = false }: Extract<Outcome, { kind: 'retry' }>,
  { now, validUntil, expiresAt, random, chunkAttempts }: Circumstances,
): DeliveryRecord {
  if (!unsent && delivery.attempts >= MOST_ATTEMPTS) return settled(delivery, 'failed', reason)
  const delay = random * (unsent ? unsentDelay(chunkAttempts) : attemptDelay(delivery.attempts))
  const next = Math.ceil(Math.max(notBefore, now + delay))
  // A message that was past its time when it was accepted had its one attempt. The reason of its failure says more than its age.
  if (validUntil !== null && validUntil <= now) return settled(delivery, 'failed', reason)
  if (validUntil !== null && validUntil < next) return settled(delivery, 'failed', 'Expired')
  if (expiresAt < next) return settled(delivery, 'failed', 'TooOld')
  return waiting(delivery, reason, next)
}
