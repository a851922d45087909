// A claimed chunk's pushes, and what the provider's answers do to its deliveries.
import { InvalidCredentials, type Outcome } from '@push-server/providers'
import type { DeliveryRecord, DeliveryRow, Obstacle } from '@push-server/store'
import { pushMessageOf } from '../messages/index.ts'
import type { CountedOutcome } from './counts.ts'
import { disposeOf, settled } from './disposal.ts'
import { freshRecipients, type FreshRecipients } from './fresh-recipients.ts'
import type { InHand } from './hand.ts'
import { pace } from './pace.ts'
import { screen, type Due } from './screen.ts'

/** Resolves when nothing is in flight. Rejects for faults of ours; what was not pushed then is pending. */
export async function pushChunk(hand: InHand): Promise<void> {
  const { worker, chunk, ledger } = hand
  const screened = screen(chunk, Date.now())
  for (const record of screened.settled) {
    ledger.add({ record })
    hand.counts.add('failed', record.reason ?? '')
  }
  hand.again.expect(screened.due.length)
  // A probe risks one delivery; the others wait until it is known to work.
  const due = chunk.probe ? screened.due.slice(0, 1) : screened.due
  if (due.length === 0 || chunk.credentialsVersion === null) return
  try {
    await push(hand, due, chunk.credentialsVersion)
  } catch (error) {
    if (!(error instanceof InvalidCredentials)) throw error
    worker.log.error({ err: error }, 'credentials cannot be used')
    hand.fault = 'InvalidCredentials'
  }
}

async function push(hand: InHand, due: readonly Due[], credentialsVersion: number): Promise<void> {
  const { worker, chunk, hold } = hand
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
    onChanged: ({ delivery }, { obstacle }) => leaveOut(hand, delivery, obstacle),
    push: (targets, age, ended) =>
      provider.push(
        { messages, targets },
        {
          signal: age.signal,
          answered: worker.answered,
          settle(index, outcome) {
            age.check()
            ended(index)
            const entry = targets[index]
            if (entry) settle(hand, entry, outcome)
          },
        },
      ),
  })
  await atRate(hand, recipients)
}

/** All at once, or slice by slice as the run's rate allows, each on recipients that were just read. */
async function atRate(
  { worker: { store }, chunk: { runId, rate }, hold: { signal } }: InHand,
  recipients: FreshRecipients,
): Promise<void> {
  if (runId === null || rate === null) return recipients.push(recipients.left)
  await pace({
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
function leaveOut({ again, counts, ledger }: InHand, delivery: DeliveryRow, obstacle: Obstacle | null): void {
  if (obstacle === null) return
  ledger.add({ record: settled(delivery, 'failed', obstacle) })
  again.answered()
  counts.add('failed', obstacle)
}

function settle(hand: InHand, { delivery, message }: Due, outcome: Outcome): void {
  const { again, chunk, claimedAt, counts, hold, ledger } = hand
  hold.check()
  judge(hand, outcome)
  // Nearly all of them, so with nothing made for each.
  if (outcome.kind === 'sent') {
    ledger.sent(delivery, outcome.id)
    again.answered()
    return counts.add('sent', '')
  }
  const disposal = disposeOf(delivery, outcome, {
    now: Date.now(),
    validUntil: chunk.messages[message]?.validUntil ?? null,
    expiresAt: chunk.expiresAt,
    round: chunk.try,
    claimedAt,
    random: Math.random(),
  })
  ledger.add(disposal)
  const { nextAttemptAt, reason, status } = disposal.record
  again.answered(status === 'pending' ? nextAttemptAt : undefined)
  counts.add(countedAs(outcome, disposal.record), reason ?? '')
}

/** What the outcome says of others than its delivery: of the tokens of the application, and of its credentials. */
function judge(hand: InHand, outcome: Outcome): void {
  const { worker, chunk, hold } = hand
  switch (outcome.kind) {
    case 'sent':
    case 'token-gone':
    case 'token-doubtful':
      hand.isProven = true
      worker.guard.count(chunk.applicationId, outcome.kind === 'token-doubtful')
      return
    case 'credentials-fault':
      hand.fault ??= outcome.reason
      hold.abort('credentials at fault')
      return
    case 'failed':
    case 'retry':
  }
}

const countedAs = (outcome: Outcome, { status }: DeliveryRecord): CountedOutcome => {
  if (status !== 'pending') return status
  return outcome.kind === 'credentials-fault' ? 'paused' : 'retried'
}
