// The way of one chunk through a worker: claim, push, record, settle or put back.
import { InvalidCredentials, type Outcome, type PushTarget } from '@push-server/providers'
import type { ClaimedChunk, DeliveryRecord, DeliveryRow, Release } from '@push-server/store'
import type { Platform } from '@push-server/contract'
import type { Context } from '../context.ts'
import { pushMessageOf } from '../messages/index.ts'
import { bookOf } from './book.ts'
import { disposeOf } from './disposal.ts'
import { openLedger, type Ledger } from './ledger.ts'
import type { Hold, Leases } from './leases.ts'
import type { ProviderPool } from './provider-pool.ts'
import { pace } from './pace.ts'
import { pushIdAt } from './push-id.ts'
import { createCounts, type Counts, type CountedOutcome } from './counts.ts'
import { screen, type Screened } from './screen.ts'

export interface Worker extends Context {
  platform: Platform
  /** Names this process in its claims. */
  owner: string
  leases: Leases
  providers: ProviderPool
  /** For the metric of the provider's latency, in seconds. */
  answered(seconds: number): void
}

/** Resolves when the chunk is out of hand. Rejects when it could not even be claimed; the sweep will bring it again. */
export async function deliverChunk(worker: Worker, chunkId: number): Promise<void> {
  const { config, owner, store } = worker
  const askedAt = performance.now()
  const chunk = await store.chunks.claim(chunkId, owner, config.leaseTime)
  if (!chunk) return
  const log = worker.log.child({ chunkId, epoch: chunk.epoch })
  const hold = worker.leases.hold(chunk, askedAt)
  const book = bookOf(store, chunk, owner)
  const ledger = openLedger({ book, store, log, onLost: () => hold.abort('claim lost') })
  const hand: InHand = {
    worker: { ...worker, log },
    chunk,
    hold,
    ledger,
    pending: new Map(),
    counts: createCounts(),
    fault: undefined,
    notBefore: null,
  }
  try {
    await push(hand)
  } catch (error) {
    log.error({ err: error }, 'pushing failed')
    hand.notBefore = Date.now() + backOff(chunk.try)
  }
  await giveBack(hand)
}

/** Records what is left. When the database refuses it, the lease is left to run out: the chunk then comes round again. */
async function giveBack(hand: InHand): Promise<void> {
  const { hold, ledger, worker } = hand
  hold.pushed()
  count(hand)
  try {
    const release = await ledger.release(nextDue(hand))
    if (release) await afterRelease(hand, release)
  } catch (error) {
    worker.log.error({ err: error }, 'outcomes could not be recorded; they will be pushed again')
  } finally {
    hold.end()
  }
}

/** One chunk in hand. */
interface InHand {
  worker: Worker
  chunk: ClaimedChunk
  hold: Hold
  ledger: Ledger
  /** What is not settled yet, by id: null = not pushed, otherwise when to try again (ms). */
  pending: Map<number, number | null>
  counts: Counts
  /** Reason of the credentials' fault, when one showed. */
  fault: string | undefined
  /** Set when something of ours failed, so that the chunk does not go round at full speed (ms). */
  notBefore: number | null
}

/** One second, doubling with each try of the chunk up to about a minute. */
const backOff = (tries: number) => 1000 * 2 ** Math.min(tries, 6)

async function push(hand: InHand): Promise<void> {
  const { worker, chunk, hold, ledger } = hand
  const screened = screen(chunk, Date.now())
  for (const record of screened.settled) {
    ledger.add({ record })
    hand.counts.add('failed', record.reason ?? '')
  }
  for (const { delivery } of screened.due) hand.pending.set(delivery.id, null)
  if (screened.due.length === 0 || chunk.credentialsVersion === null) return
  try {
    const provider = await worker.providers.take(chunk.applicationId, chunk.credentialsVersion)
    if (!provider) return
    const claimedAt = Date.now()
    const messages = chunk.messages.map(pushMessageOf)
    const targets = targetsOf(chunk, screened)
    const pushFrom = (start: number, end: number) =>
      provider.push(
        { messages, targets: targets.slice(start, end) },
        {
          signal: hold.signal,
          answered: worker.answered,
          settle(index, outcome) {
            const entry = screened.due[start + index]
            if (entry) settle(hand, { ...entry, outcome, claimedAt })
          },
        },
      )
    await atPace(hand, targets.length, pushFrom)
  } catch (error) {
    if (!(error instanceof InvalidCredentials)) throw error
    worker.log.error({ err: error }, 'credentials cannot be used')
    hand.fault = 'InvalidCredentials'
  }
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

const targetsOf = (chunk: ClaimedChunk, { due }: Screened): PushTarget[] =>
  due.map(({ delivery, message }) => ({
    token: delivery.token,
    environment: delivery.environment ?? undefined,
    pushId: pushIdAt(chunk.seed, delivery.position),
    message,
  }))

interface Settling {
  delivery: DeliveryRow
  message: number
  outcome: Outcome
  claimedAt: number
}

function settle(hand: InHand, { delivery, message, outcome, claimedAt }: Settling): void {
  const { chunk, hold, ledger } = hand
  hold.check()
  const disposal = disposeOf(delivery, outcome, {
    now: Date.now(),
    validUntil: chunk.messages[message]?.validUntil ?? null,
    expiresAt: chunk.expiresAt,
    claimedAt,
    random: Math.random(),
  })
  ledger.add(disposal)
  keepPending(hand, disposal.record)
  hand.counts.add(countedAs(outcome, disposal.record), disposal.record.reason ?? '')
  if (outcome.kind === 'credentials-fault') {
    hand.fault ??= outcome.reason
    hold.abort('credentials at fault')
  }
}

const countedAs = (outcome: Outcome, { status }: DeliveryRecord): CountedOutcome => {
  if (status !== 'pending') return status
  return outcome.kind === 'credentials-fault' ? 'paused' : 'retried'
}

/** Once per chunk, not once per device. */
function count({ worker: { metrics, platform }, chunk, counts }: InHand): void {
  const application = String(chunk.applicationId)
  for (const [outcome, reason, number] of counts.entries())
    metrics.delivered({ platform, outcome, reason, application }, number)
}

function keepPending({ pending }: InHand, { id, status, nextAttemptAt }: DeliveryRecord): void {
  if (status === 'pending') pending.set(id, nextAttemptAt)
  else pending.delete(id)
}

/** When the chunk is due again; null = at once. Only asked when something is pending. */
function nextDue({ pending, chunk, notBefore }: InHand): number | null {
  if (notBefore !== null) return notBefore
  const times = [...pending.values(), ...(chunk.laterDueAt === null ? [] : [chunk.laterDueAt])]
  return times.includes(null) || times.length === 0 ? null : Math.min(...(times as number[]))
}

/** What is paused, platform or run, waits without a job; any other chunk that is not settled gets its next one. */
async function afterRelease({ worker, chunk, hold, fault }: InHand, release: Release): Promise<void> {
  const { log, metrics, queues, store, platform } = worker
  if (release.dropped > 0) {
    metrics.dropped(platform, release.dropped)
    log.info({ devices: release.dropped }, 'devices with dead tokens dropped')
  }
  let isPaused = false
  try {
    if (fault !== undefined && chunk.credentialsVersion !== null) {
      const { applicationId, credentialsVersion: version } = chunk
      const paused = await store.pauses.pause({ applicationId, platform, version, reason: fault })
      isPaused = paused
      if (paused)
        log.error(
          { applicationId, platform, reason: fault },
          'platform paused: its credentials are at fault; it waits until they are uploaded again',
        )
    }
    if (release.settled || isPaused || hold.signal.reason === 'paused') return
    await queues.enqueue([{ ...chunk, chunkId: chunk.id, try: release.try, delayMs: release.delayMs }])
  } catch (error) {
    log.warn({ err: error }, 'the next try could not be arranged; the sweep will do it')
  }
}
