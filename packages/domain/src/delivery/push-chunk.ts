// A claimed chunk's pushes, and what the provider's answers do to its deliveries.
import { InvalidCredentials, type Outcome } from '@push-server/providers'
import type { DeliveryRecord } from '@push-server/store'
import { pushMessageOf } from '../messages/index.ts'
import type { CountedOutcome } from './counts.ts'
import { disposeOf } from './disposal.ts'
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
  const provider = await worker.providers.take(chunk.applicationId, credentialsVersion)
  if (!provider) return
  const messages = chunk.messages.map(pushMessageOf)
  await atPace(hand, due.length, (start, end) =>
    provider.push(
      { messages, targets: due.slice(start, end) },
      {
        signal: hold.signal,
        answered: worker.answered,
        settle(index, outcome) {
          const entry = due[start + index]
          if (entry) settle(hand, entry, outcome)
        },
      },
    ),
  )
}

/** All at once, or slice by slice as the run's rate allows. */
async function atPace(
  { worker: { store }, chunk: { runId, rate }, hold: { signal } }: InHand,
  count: number,
  push: (start: number, end: number) => Promise<void>,
): Promise<void> {
  if (runId === null || rate === null) return push(0, count)
  const reserve = (size: number) => store.runs.reserve(runId, size)
  await pace({ count, rate, signal, reserve, push })
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
