// Bounds the texts and times of a provider's outcome to what can be stored and makes sense. Pure.
import type { Outcome } from './provider.ts'

/** Maximum length of a reason, and of the provider's own id of a notification. */
const LONGEST_TEXT = 255
const PLAIN = /^[\x20-\x7e]{0,255}$/
const LONGEST_WAIT_MS = 24 * 3_600_000

/** The outcome with texts that a column takes, and times (ms since the epoch) within their bounds. */
export function boundOutcome(outcome: Outcome, now: () => number): Outcome {
  switch (outcome.kind) {
    case 'sent':
      // Nearly all outcomes, so nothing is allocated for each.
      return outcome.id === undefined || PLAIN.test(outcome.id) ? outcome : { ...outcome, id: storable(outcome.id) }
    case 'token-gone': {
      const { since, ...rest } = outcome
      // A time before the epoch drops nothing, as every registration came after it.
      const time = since === undefined || Number.isNaN(since) ? {} : { since: Math.min(Math.max(since, 0), now()) }
      return { ...rest, reason: storable(outcome.reason), ...time }
    }
    case 'retry': {
      const { notBefore, ...rest } = outcome
      const time =
        notBefore === undefined || Number.isNaN(notBefore)
          ? {}
          : { notBefore: Math.min(notBefore, now() + LONGEST_WAIT_MS) }
      return { ...rest, reason: storable(outcome.reason), ...time }
    }
    case 'token-doubtful':
    case 'failed':
    case 'credentials-error':
      return { ...outcome, reason: storable(outcome.reason) }
  }
}

const storable = (text: string) =>
  PLAIN.test(text) ? text : text.replaceAll('\0', '').toWellFormed().slice(0, LONGEST_TEXT).toWellFormed()
