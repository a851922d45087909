// Acceptance: a request is checked whole, stored whole, then enqueued. Once stored it is delivered or accounted for.
import { refusal, TEXT, unavailable, type Message, type Violation } from '@push-server/contract'
import type { Logger } from '@push-server/runtime'
import {
  UnconfirmedWrite,
  type Audience,
  type KeyedRequest,
  type NewMessage,
  type Recipient,
  type StatusCount,
} from '@push-server/store'
import type { Context } from '../context.ts'
import type { BackPressure } from './back-pressure.ts'
import type { MessageBatches, StoredPart } from './batches.ts'
import type { Allowance } from '../quotas/index.ts'
import { composeMessage } from './compose.ts'
import { digestOf, replayOf, type RequestIdentity } from './idempotency.ts'
import { checkPayloads, ignoredMembers } from './payload-check.ts'
import { checkRawBlocks } from './raw-permission.ts'
import { planDeliveries, type PlannedDelivery } from './plan.ts'
import { replay } from './idempotent-replay.ts'
import { sendAtOf } from './send-at.ts'
import { talliesOf, type Tallies } from './tallies.ts'
import type { Waiters } from './waiters.ts'

const UNCONFIRMED_RETRY_S = 5

export interface AcceptRequest {
  appId: string
  messages: readonly Message[]
  /** Path in the request of what has the path `inside` in a message, for violations. */
  fieldOf(index: number, inside: string): string
  /** Under its key, in place of its messages. */
  identity?: RequestIdentity
  /**
   * Of a message that is sent again: resolves with the recipients that it leaves out. Called with the ids of the messages once nothing
   * stands under the key, and right before the storing.
   */
  leaveOut?(messageIds: readonly string[]): Promise<(recipient: Recipient) => boolean>
  /** The caller's name for the request. The same request under it stores nothing and gets the ids that the first one stored. */
  idempotencyKey?: string | undefined
  pressure: BackPressure
  batches: MessageBatches
  /** Its client has gone. */
  isAbandoned(): boolean
  /** Called once nothing else refuses the request, with what no provider of the application has a place for. It may refuse the request. */
  onIgnored(ignored: readonly Violation[]): void
  /** What the caller may send. */
  allowance: Allowance
  /** When the request arrived, on the clock of `performance`, ms: SYNC_TIMEOUT counts from then. */
  arrivedAt: number
  /** By which the caller and our logs name the request. */
  correlationId?: string
  /** The span that it is, as a `traceparent`; undefined without a trace. */
  traceContext?: string | undefined
  /** When given, the result has the tallies of the deliveries that were recorded in time. */
  waiters?: Waiters | undefined
  log: Pick<Logger, 'warn'>
}

export interface Accepted {
  messageIds: string[]
  /** That its deliveries wait in; none for a request that was stored before. */
  chunkIds: readonly number[]
  tallies?: Tallies
}

export async function acceptMessages(context: Context, request: AcceptRequest): Promise<Accepted> {
  const { appId, waiters, log, batches, messages: requested, idempotencyKey } = request
  const deadline = request.arrivedAt + context.config.syncTimeout
  const replayed = (earlier: KeyedRequest) =>
    replay(context, {
      messageIds: replayOf(earlier, identityOf(request)),
      deadline,
      batches,
      waiters,
      log,
    })
  // Before all checks: a request that was accepted once is not refused now because something else has changed since.
  const earlier = idempotencyKey === undefined ? undefined : await batches.findKeyed(appId, idempotencyKey)
  if (earlier) return replayed(earlier)

  // Before anything else is read for it. A request that is not stored gives its allowance back.
  request.allowance.take(appId, requested.length)
  const stored = await composeAndStore(context, request, deadline).catch((error: unknown) => {
    request.allowance.giveBack()
    throw error
  })
  if ('earlier' in stored) {
    request.allowance.giveBack()
    return replayed(stored.earlier)
  }
  return respond(request, stored)
}

interface Stored {
  messageIds: string[]
  planned: readonly PlannedDelivery[]
  parts: readonly StoredPart[]
  /** What became of the deliveries that were waited for; undefined for ASYNCHRONOUS. */
  outcomes: Promise<StatusCount[] | undefined> | undefined
}

/** Checks the request whole and stores it whole, unless another request was stored under its key meanwhile. */
async function composeAndStore(
  context: Context,
  request: AcceptRequest,
  deadline: number,
): Promise<Stored | { earlier: KeyedRequest }> {
  const { config } = context
  const { appId, waiters, idempotencyKey: key } = request
  const { audience, messages } = await compose(context, request)
  const { applicationId } = audience
  const planned = planDeliveries(messages, await reduced(request, audience, messages))
  request.pressure.check(applicationId, platformsOf(planned))
  let parts: readonly StoredPart[] = []
  let outcomes: Stored['outcomes']
  const storing = await request.batches
    .store({
      applicationId,
      messages,
      planned,
      waiter: waiters?.channel ?? null,
      correlationId: request.correlationId,
      traceContext: request.traceContext,
      key: key === undefined ? undefined : { key, digest: digestOf(identityOf(request)), ageMs: config.idempotencyAge },
      isOver: () => request.isAbandoned() || performance.now() - request.arrivedAt > config.databaseTimeout,
      onStored(stored) {
        parts = stored
        const due = stored.filter(({ waits }) => !waits)
        outcomes = waiters?.wait(due, Math.max(0, deadline - performance.now()))
      },
    })
    .catch((error: unknown) => {
      if (!(error instanceof UnconfirmedWrite)) throw error
      throw unconfirmed(error, key)
    })
  if ('applicationGone' in storing) throw refusal(TEXT.sendApplicationUnknown(appId))
  if ('earlier' in storing) return storing
  await storing.stored.enqueued
  return { messageIds: messages.map(({ id }) => id), planned, parts, outcomes }
}

const identityOf = ({ identity, messages }: AcceptRequest): RequestIdentity => identity ?? messages

/** A message that is sent again needs somebody to go to. */
async function reduced(
  { leaveOut }: AcceptRequest,
  audience: Audience,
  messages: readonly NewMessage[],
): Promise<Audience> {
  if (!leaveOut) return audience
  const isLeftOut = await leaveOut(messages.map(({ id }) => id))
  const recipients = audience.recipients.filter((recipient) => !isLeftOut(recipient))
  if (recipients.length === 0) throw refusal(TEXT.resendNobody)
  return { ...audience, recipients }
}

const platformsOf = (planned: readonly PlannedDelivery[]) =>
  new Set(planned.flatMap(({ status, recipient }) => (status === 'pending' ? recipient.platform : [])))

/** Whether the caller can safely repeat the request depends on the key. */
const unconfirmed = (cause: UnconfirmedWrite, key: string | undefined) =>
  unavailable(key === undefined ? TEXT.messageUnconfirmed : TEXT.messageUnconfirmedUnderKey, UNCONFIRMED_RETRY_S, cause)

const countOf = ({ status, recipient: { platform } }: PlannedDelivery): StatusCount => ({ platform, status, count: 1 })

/** Deliveries that nobody waits for: they ended with the acceptance, wait behind a pause, or are to be sent later. */
const known = ({ planned, parts }: Stored): StatusCount[] => [
  ...planned.flatMap((delivery) => (delivery.status === 'pending' ? [] : countOf(delivery))),
  ...parts.flatMap(({ waits, platform, positions }) =>
    waits ? { platform, status: 'pending', count: positions.length } : [],
  ),
]

/** A stored request succeeds in any case: after an error the caller would send it again. */
async function respond({ batches, log }: AcceptRequest, stored: Stored): Promise<Accepted> {
  const { messageIds, planned, outcomes } = stored
  const chunkIds = stored.parts.map(({ chunkId }) => chunkId)
  if (!outcomes) return { messageIds, chunkIds }
  const counts = await outcomes
  if (counts) return { messageIds, chunkIds, tallies: talliesOf([...known(stored), ...counts]) }
  const read = await batches.tally(messageIds).catch((error: unknown) => {
    log.warn({ err: error }, 'reading tallies failed, responding as accepted')
    return planned.map(countOf)
  })
  return { messageIds, chunkIds, tallies: talliesOf(read) }
}

/** Runs every check that needs the application. Resolves with the messages to store, and their audience. */
async function compose(
  { config, store }: Context,
  { appId, messages: requested, fieldOf, batches, onIgnored }: AcceptRequest,
) {
  const userIds = [...new Set(requested.map((message) => message.userId))]
  const audience = await batches.audience({ appId, userIds })
  if (!audience) throw refusal(TEXT.sendApplicationUnknown(appId))
  if (userIds.includes('')) throw refusal(TEXT.userEmpty)
  checkRawBlocks(requested, { rawBlocks: audience.rawBlocks, fieldOf })
  const now = store.clock.now()
  const messages = requested.map((message, index) => {
    const fieldInside = (inside: string) => fieldOf(index, inside)
    const composed = composeMessage(message, fieldInside, now)
    const terms = { now, mostMs: config.deliveryMaxAge, fieldOf: fieldInside }
    return { ...composed, sendAt: sendAtOf(message, composed.validUntil, terms) }
  })
  const { configured: platforms, huaweiApis = null } = audience
  const check = { messages, platforms, huaweiApis, fieldOf, config, appId, now }
  checkPayloads(check)
  onIgnored(ignoredMembers(check))
  return { audience, messages }
}
