// Pushes the due deliveries of a claimed chunk, and applies the outcomes to them.
import { InvalidCredentials, type Outcome } from '@push-server/providers'
import { UnknownEncryptionKey, type DeliveryRecord, type DeliveryRow, type Obstacle } from '@push-server/store'
import { pushMessageOf } from '../messages/index.ts'
import type { CountedOutcome } from './outcome-counts.ts'
import { decide, settled } from './retry-policy.ts'
import { freshRecipients, type FreshRecipients } from './fresh-recipients.ts'
import type { ChunkDelivery } from './delivery-state.ts'
import { pushAtRate } from './run-rate.ts'
import { selectDue, type DueDelivery } from './due-deliveries.ts'

/** Resolves when nothing is in flight. Rejects for errors of our own; deliveries that were not pushed stay pending. */
export async function pushDue(work: ChunkDelivery): Promise<void> {
  const { worker, chunk, recorder } = work
  const selection = selectDue(chunk, Date.now())
  for (const record of selection.settled) {
    recorder.add({ record })
    work.counts.add('failed', record.reason ?? '')
  }
  work.nextAttempt.expect(selection.due.length)
  // A probe risks one delivery. The others wait until the platform is known to work.
  const due = chunk.probe ? selection.due.slice(0, 1) : selection.due
  if (due.length === 0 || chunk.credentialsVersion === null) return
  try {
    await push(work, due, chunk.credentialsVersion)
  } catch (error) {
    if (error instanceof UnknownEncryptionKey) return leaveToOthers(work, due, error)
    if (!(error instanceof InvalidCredentials)) throw error
    worker.log.error({ err: error }, 'credentials cannot be used')
    work.failure = 'InvalidCredentials'
  }
}

/** Another worker may have the key of these credentials. */
function leaveToOthers(work: ChunkDelivery, due: readonly DueDelivery[], error: UnknownEncryptionKey): void {
  work.worker.log.error({ err: error }, 'credentials encrypted with a key that is not configured')
  for (const entry of due) recordOutcome(work, entry, { kind: 'retry', reason: error.name, unsent: true })
}

async function push(work: ChunkDelivery, due: readonly DueDelivery[], credentialsVersion: number): Promise<void> {
  const { worker, chunk, lease } = work
  const { signal } = lease
  const provider = await worker.providers.take(chunk.applicationId, credentialsVersion)
  if (!provider) return
  const messages = chunk.messages.map(pushMessageOf)
  const recipients = freshRecipients({
    chunk,
    due,
    signal,
    read: (left) =>
      worker.store.chunks.changes(
        chunk,
        left.map(({ delivery }) => delivery.id),
      ),
    onChanged: ({ delivery }, { obstacle }) => leaveOut(work, delivery, obstacle),
    push: (targets, age, ended) =>
      provider.push(
        { messages, targets },
        {
          signal: age.signal,
          responded: worker.responded,
          settle(index, outcome) {
            age.check()
            ended(index)
            const entry = targets[index]
            if (entry) recordOutcome(work, entry, outcome)
          },
        },
      ),
  })
  await atRate(work, recipients)
}

/** Pushes all at once, or slice by slice as the run's rate allows, each slice to recipients that were just read. */
async function atRate(
  { worker: { store }, chunk: { runId, rate }, lease: { signal } }: ChunkDelivery,
  recipients: FreshRecipients,
): Promise<void> {
  if (runId === null || rate === null) return recipients.push(recipients.left)
  await pushAtRate({
    left: () => recipients.left,
    rate,
    signal,
    reserve: (size) => store.runs.reserve(runId, size),
    async push(size) {
      await recipients.refresh()
      await recipients.push(size)
    },
  })
}

/** A recipient that changed while it waited fails, or is left to the next claim, which pushes to its new token. */
function leaveOut(
  { nextAttempt, counts, recorder }: ChunkDelivery,
  delivery: DeliveryRow,
  obstacle: Obstacle | null,
): void {
  if (obstacle === null) return
  recorder.add({ record: settled(delivery, 'failed', obstacle) })
  nextAttempt.settled()
  counts.add('failed', obstacle)
}

function recordOutcome(work: ChunkDelivery, { delivery, message }: DueDelivery, outcome: Outcome): void {
  const { nextAttempt, chunk, claimedAt, counts, lease, recorder } = work
  lease.check()
  learnFrom(work, outcome)
  // Nearly all outcomes, so nothing is allocated for each.
  if (outcome.kind === 'sent') {
    recorder.sent(delivery, outcome.id)
    nextAttempt.settled()
    return counts.add('sent', '')
  }
  const decision = decide(delivery, outcome, {
    now: Date.now(),
    validUntil: chunk.messages[message]?.validUntil ?? null,
    expiresAt: chunk.expiresAt,
    chunkAttempts: chunk.try,
    claimedAt,
    random: Math.random(),
  })
  recorder.add(decision)
  const { nextAttemptAt, reason, status } = decision.record
  if (status === 'pending') nextAttempt.retryAt(nextAttemptAt)
  else nextAttempt.settled()
  counts.add(countedAs(outcome, decision.record), reason ?? '')
}

/** Applies what an outcome says beyond its delivery: about the tokens of the application and its credentials. */
function learnFrom(work: ChunkDelivery, outcome: Outcome): void {
  const { worker, chunk, lease } = work
  switch (outcome.kind) {
    case 'sent':
    case 'token-gone':
    case 'token-doubtful':
      work.isProven = true
      worker.breaker.count(chunk.applicationId, outcome.kind === 'token-doubtful')
      return
    case 'credentials-error':
      work.failure ??= outcome.reason
      lease.abort('credentials error')
      return
    case 'failed':
    case 'retry':
  }
}

const countedAs = (outcome: Outcome, { status }: DeliveryRecord): CountedOutcome => {
  if (status !== 'pending') return status
  return outcome.kind === 'credentials-error' ? 'paused' : 'retried'
}
