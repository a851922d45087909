// The outcomes of a run's chunk, one byte for each device. Pure.
import type { DeliveryRecord, StoredOutcomes } from '@push-server/store'

const PENDING = 0
const SENT = 1
const FIRST_REASON = 2
/** A byte can name no more. Further reasons are counted under `OTHER`. */
const MOST_REASONS = 250
const OTHER = 'Other'

export interface Outcomes {
  /** `record.id` is the position. */
  add(record: DeliveryRecord): void
  /** The provider accepted the delivery at `position`. */
  sent(position: number): void
  /** A copy of the present state, to be stored. */
  stored(): StoredOutcomes
}

export function createOutcomes(start: StoredOutcomes): Outcomes {
  const bytes = Buffer.from(start.bytes)
  const names = [...start.reasonNames]
  const codes = new Map(names.map((name, index) => [name, FIRST_REASON + index]))
  const retries = new Map(Object.entries(start.retries))
  const reasons = new Map(Object.entries(start.reasons))
  let { sent, failed } = start

  function codeOf(reason: string): number {
    const known = codes.get(reason)
    if (known !== undefined) return known
    const name = names.length < MOST_REASONS ? reason : OTHER
    const code = codes.get(name) ?? FIRST_REASON + names.length
    if (!codes.has(name)) names.push(name)
    codes.set(name, code)
    return code
  }

  function markSent(position: number) {
    if (bytes[position] !== PENDING) return
    if (retries.size > 0) retries.delete(String(position))
    bytes[position] = SENT
    sent++
  }

  return {
    sent: markSent,
    add({ id, status, reason, attempts, nextAttemptAt }) {
      if (status === 'sent') return markSent(id)
      // A delivery keeps its first final outcome.
      if (bytes[id] !== PENDING) return
      if (status === 'pending') return void retries.set(String(id), [attempts, nextAttemptAt])
      retries.delete(String(id))
      const code = codeOf(reason ?? '')
      const name = names[code - FIRST_REASON] ?? OTHER
      bytes[id] = code
      failed++
      reasons.set(name, (reasons.get(name) ?? 0) + 1)
    },
    stored: () => ({
      bytes: Buffer.from(bytes),
      reasonNames: [...names],
      retries: Object.fromEntries(retries),
      reasons: Object.fromEntries(reasons),
      sent,
      failed,
    }),
  }
}
