// A claimed chunk's pushes, and what the provider's answers do to its deliveries.
import { InvalidCredentials, type Outcome } from '@push-server/providers'
import type { DeliveryRecord, DeliveryRow, Obstacle } from '@push-server/store'
import { pushMessageOf } from '../messages/index.ts'
import type { CountedOutcome } from './outcome-counts.ts'
import { decide, settled } from './retry-policy.ts'
import { freshRecipients, type FreshRecipients } from './fresh-recipients.ts'
import type { ChunkDelivery } from './delivery-state.ts'
import { pushAtRate } from './run-rate.ts'
import { selectDue, type Due } from './due-deliveries.ts'

/** Resolves when nothing is in flight. Rejects for faults of ours; what was not pushed then is pending. */
export async function pushDue(work: ChunkDelivery): Promise<void> {
  const { worker, chunk, recorder } = work
  const selection = selectDue(chunk, Date.now())
  for (const record of selection.settled) {
    recorder.add({ record })
    work.counts.add('failed', record.reason ?? '')
  }
  work.nextAttempt.expect(selection.due.length)
  // A probe risks one delivery; the others wait until it is known to work.
  const due = chunk.probe ? selection.due.slice(0, 1) : selection.due
  if (due.length === 0 || chunk.credentialsVersion === null) return
  try {
    await push(work, due, chunk.credentialsVersion)
  } catch (error) {
    if (!(error instanceof InvalidCredentials)) throw error
    worker.log.error({ err: error }, 'credentials cannot be used')
    work.failure = 'InvalidCredentials'
  }
}

async function push(work: ChunkDelivery, due: readonly Due[], credentialsVersion: number): Promise<void> {
  const { worker, chunk, hold } = work
  const { signal } = hold
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
            if (entry) settle(work, entry, outcome)
          },
        },
      ),
  })
  await atRate(work, recipients)
}

/** All at once, or slice by slice as the run's rate allows, each on recipients that were just read. */
async function atRate(
  { worker: { store }, chunk: { runId, rate }, hold: { signal } }: ChunkDelivery,
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

/** A recipient that changed while it waited here: failed, or left to the next claim, which pushes to its new token. */
function leaveOut(
  { nextAttempt, counts, recorder }: ChunkDelivery,
  delivery: DeliveryRow,
  obstacle: Obstacle | null,
): void {
  if (obstacle === null) return
  recorder.add({ record: settled(delivery, 'failed', obstacle) })
  nextAttempt.responded()
  counts.add('failed', obstacle)
}

function settle(work: ChunkDelivery, { delivery, message }: Due, outcome: Outcome): void {
  const { nextAttempt, chunk, claimedAt, counts, hold, recorder } = work
  hold.check()
  judge(work, outcome)
  // Nearly all of them, so with nothing made for each.
  if (outcome.kind === 'sent') {
    recorder.sent(delivery, outcome.id)
    nextAttempt.responded()
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
  nextAttempt.responded(status === 'pending' ? nextAttemptAt : undefined)
  counts.add(countedAs(outcome, decision.record), reason ?? '')
}

/** What the outcome says of others than its delivery: of the tokens of the application, and of its credentials. */
function judge(work: ChunkDelivery, outcome: Outcome): void {
  const { worker, chunk, hold } = work
  switch (outcome.kind) {
    case 'sent':
    case 'token-gone':
    case 'token-doubtful':
      work.isProven = true
      worker.breaker.count(chunk.applicationId, outcome.kind === 'token-doubtful')
      return
    case 'credentials-error':
      work.failure ??= outcome.reason
      hold.abort('credentials at fault')
      return
    case 'failed':
    case 'retry':
  }
}

const countedAs = (outcome: Outcome, { status }: DeliveryRecord): CountedOutcome => {
  if (status !== 'pending') return status
  return outcome.kind === 'credentials-error' ? 'paused' : 'retried'
}
