// Records what became of the deliveries of one claim: what the retry policy makes of each outcome, when the chunk is due again, and how
// many ended how.
import type { Outcome } from '@push-server/providers'
import type { DeliveryRow, Release } from '@push-server/store'
import { createNextAttempt } from './next-attempt.ts'
import { bufferOf, type OutcomeBufferOptions } from './outcome-buffer.ts'
import { createOutcomeCounts, type CountedOutcome } from './outcome-counts.ts'
import { openRecordWriter, type RecordWriterOptions } from './record-writer.ts'
import { decide, settled, waiting, type Decision, type Refusal } from './retry-policy.ts'

export interface OutcomeRecorder {
  /** Ends a delivery that is not pushed. */
  fail(delivery: DeliveryRow, reason: string): void
  /** Leaves a delivery that is not pushed pending until `dueAt` (ms since the epoch). */
  leave(delivery: DeliveryRow, reason: string, dueAt: number): void
  /** `message`: the position of the delivery's message in the chunk. */
  add(delivery: DeliveryRow, message: number, outcome: Outcome): void
  /**
   * Writes the rest and releases the chunk. What is still pending is due as the retry policy says; at `dueAt` if given (ms since the
   * epoch). Undefined: the claim is lost.
   */
  release(dueAt: number | null): Promise<Release | undefined>
}

export type OutcomeRecorderOptions = OutcomeBufferOptions & RecordWriterOptions

export function openOutcomeRecorder(options: OutcomeRecorderOptions): OutcomeRecorder {
  const { chunk, metrics, platform } = options
  const { clock } = options.store
  const buffer = bufferOf(options)
  const writer = openRecordWriter(buffer, chunk.isAwaited, options)
  const nextAttempt = createNextAttempt(chunk.deliveries.length)
  const counts = createOutcomeCounts()

  const decideAbout = (delivery: DeliveryRow, message: number, outcome: Refusal) =>
    decide(delivery, outcome, {
      now: clock.now(),
      validUntil: chunk.messages[message]?.validUntil ?? null,
      expiresAt: chunk.expiresAt,
      chunkAttempts: chunk.try,
      claimedAt: chunk.claimedAt,
      random: Math.random(),
    })

  function keep(decision: Decision, counted: CountedOutcome): void {
    const { nextAttemptAt, reason, status } = decision.record
    buffer.add(decision)
    if (status === 'pending') nextAttempt.retryAt(nextAttemptAt)
    else nextAttempt.settled()
    counts.add(counted, reason ?? '')
    writer.hurry()
  }

  const dwelt = metrics.dwelt(platform, chunk.lane)
  function observeDwell(message: number): void {
    const acceptedAt = chunk.messages[message]?.createdAt
    if (acceptedAt !== undefined) dwelt((clock.now() - acceptedAt) / 1000)
  }

  /** Reports to the metrics once per chunk, not once per device. */
  function report(): void {
    const application = String(chunk.applicationId)
    for (const [outcome, reason, number] of counts.entries())
      metrics.delivered({ platform, outcome, reason, application }, number)
  }

  return {
    fail: (delivery, reason) => keep({ record: settled(delivery, 'failed', reason) }, 'failed'),

    leave: (delivery, reason, dueAt) => keep({ record: waiting(delivery, reason, dueAt) }, 'retried'),

    add(delivery, message, outcome) {
      if (outcome.kind !== 'sent') {
        const decision = decideAbout(delivery, message, outcome)
        return keep(decision, countedAs(outcome, decision.record.status))
      }
      // Nearly all outcomes, so nothing is allocated for each.
      buffer.sent(delivery, outcome.id)
      nextAttempt.settled()
      counts.add('sent', '')
      observeDwell(message)
      writer.hurry()
    },

    async release(dueAt) {
      report()
      return writer.release(dueAt ?? nextAttempt.dueAt(chunk.laterDueAt))
    },
  }
}

const countedAs = (outcome: Refusal, status: Decision['record']['status']): CountedOutcome => {
  if (status !== 'pending') return status
  return outcome.kind === 'credentials-error' ? 'paused' : 'retried'
}
