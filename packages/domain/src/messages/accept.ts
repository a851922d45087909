// Acceptance: a request is checked whole, stored whole, then enqueued. Once stored it is delivered or accounted for.
import { invalidRequest, refusal, TEXT, unavailable, type Message, type Platform } from '@push-server/contract'
import { excessProblem, PROVIDERS, type PushMessage } from '@push-server/providers'
import type { Logger } from '@push-server/runtime'
import { UnconfirmedWrite, type KeyedRequest, type NewMessage, type StoredChunk } from '@push-server/store'
import type { Context } from '../context.ts'
import type { BackPressure } from './back-pressure.ts'
import type { Allowance } from '../quotas/index.ts'
import { composeMessage, pushMessageOf } from './compose.ts'
import { enqueueFirst } from './enqueue.ts'
import { digestOf, replayOf } from './idempotency.ts'
import { planDeliveries, type Plan } from './plan.ts'
import { replay } from './idempotent-replay.ts'
import { talliesOf, type Tallies } from './tallies.ts'
import type { Waiters } from './waiters.ts'

const UNCONFIRMED_RETRY_S = 5

export interface AcceptRequest {
  appId: string
  messages: readonly Message[]
  /** Path of each message in the request, for violations. */
  fieldOf(index: number): string
  /** The caller's name for the request. The same request under it stores nothing and gets the ids that the first one stored. */
  idempotencyKey?: string | undefined
  pressure: BackPressure
  /** What the caller may send. */
  allowance: Allowance
  /** When the request arrived, in ms since the epoch: SYNC_TIMEOUT counts from then. */
  arrivedAt: number
  /** When given, the result has the tallies of the deliveries that were recorded in time. */
  waiters?: Waiters | undefined
  log: Pick<Logger, 'warn'>
}

export interface Accepted {
  messageIds: string[]
  tallies?: Tallies
}

export async function acceptMessages(context: Context, request: AcceptRequest): Promise<Accepted> {
  const { config, store } = context
  const { appId, waiters, log, messages: requested, idempotencyKey } = request
  const deadline = request.arrivedAt + config.syncTimeout
  const replayed = (earlier: KeyedRequest) =>
    replay(context, { messageIds: replayOf(earlier, requested), deadline, synchronous: waiters !== undefined, log })
  // Before all checks: a request that was accepted once is not refused now because something else has changed since.
  const earlier = idempotencyKey === undefined ? undefined : await store.messages.findKeyed(appId, idempotencyKey)
  if (earlier) return replayed(earlier)

  // Before anything else is read for it. A request that is not stored gives its allowance back.
  request.allowance.take(appId, requested.length)
  const stored = await composeAndStore(context, request).catch((error: unknown) => {
    request.allowance.giveBack()
    throw error
  })
  if ('earlier' in stored) {
    request.allowance.giveBack()
    return replayed(stored.earlier)
  }
  return enqueueAndAwait(context, request, { ...stored, deadline })
}

/** Checks the request whole and stores it whole, unless another request was stored under its key meanwhile. */
async function composeAndStore(
  context: Context,
  request: AcceptRequest,
): Promise<Omit<Stored, 'deadline'> | { earlier: KeyedRequest }> {
  const { config, store } = context
  const { waiters, idempotencyKey: key } = request
  const { audience, messages } = await compose(context, request)
  const { applicationId } = audience
  const plan = planDeliveries(messages, audience)
  request.pressure.check(
    applicationId,
    plan.chunks.map((chunk) => chunk.platform),
  )
  const channel = waiters?.channel ?? null
  const rows = { applicationId, messages, ...plan, waiter: channel, maxAgeMs: config.deliveryMaxAge }
  const chunks = await (
    key === undefined
      ? store.messages.store(rows)
      : store.messages.storeOnce(rows, { key, digest: digestOf(request.messages), ageMs: config.idempotencyAge })
  ).catch((error: unknown) => {
    if (!(error instanceof UnconfirmedWrite)) throw error
    throw unconfirmed(error, key)
  })
  return Array.isArray(chunks) ? { applicationId, messages, plan, chunks } : { earlier: chunks }
}

/** Whether the caller can safely repeat the request depends on the key. */
const unconfirmed = (cause: UnconfirmedWrite, key: string | undefined) =>
  unavailable(key === undefined ? TEXT.messageUnconfirmed : TEXT.messageUnconfirmedUnderKey, UNCONFIRMED_RETRY_S, cause)

interface Stored {
  applicationId: number
  messages: readonly NewMessage[]
  plan: Plan
  chunks: readonly StoredChunk[]
  /** When the response is due at the latest, in ms since the epoch. */
  deadline: number
}

/** From storing to the response. A stored request succeeds in any case: after an error the caller would send it again. */
async function enqueueAndAwait(
  context: Context,
  { waiters, log }: AcceptRequest,
  { applicationId, messages, plan, chunks, deadline }: Stored,
): Promise<Accepted> {
  const messageIds = messages.map((message) => message.id)
  const due = chunks.filter((chunk) => !chunk.paused).map((chunk) => ({ ...chunk, applicationId }))
  const handled = waiters?.wait(
    due.map((chunk) => chunk.id),
    Math.max(0, deadline - Date.now()),
  )
  await enqueueFirst(context, due, log)
  if (!handled) return { messageIds }
  await handled
  const counts = await context.store.messages.tally(messageIds).catch((error: unknown) => {
    log.warn({ err: error }, 'reading tallies failed, responding as accepted')
    return plan.deliveries.map(({ recipient: { platform }, status }) => ({ platform, status, count: 1 }))
  })
  return { messageIds, tallies: talliesOf(counts) }
}

/** Runs every check that needs the application. Resolves with the messages to store, and their audience. */
async function compose({ config, store }: Context, { appId, messages: requested, fieldOf }: AcceptRequest) {
  const userIds = [...new Set(requested.map((message) => message.userId))]
  const audience = await store.messages.audience(appId, userIds)
  if (!audience) throw refusal(TEXT.sendApplicationUnknown(appId))
  if (userIds.includes('')) throw refusal(TEXT.userEmpty)
  const messages = requested.map((message, index) => composeMessage(message, fieldOf(index)))
  checkPayloads({ messages, platforms: audience.configured, fieldOf, config })
  return { audience, messages }
}

export interface PayloadCheck extends Pick<AcceptRequest, 'fieldOf'>, Pick<Context, 'config'> {
  messages: readonly NewMessage[]
  /** Platforms that the application has credentials for. */
  platforms: readonly Platform[]
}

/** Refuses messages that a provider would refuse, before anything is stored. */
export function checkPayloads({ messages, platforms, fieldOf, config }: PayloadCheck): void {
  const problemsOf = (message: PushMessage) => {
    const excess = platforms.length > 0 && excessProblem(message)
    return excess ? [excess] : platforms.flatMap((platform) => PROVIDERS[platform].check(message, config))
  }
  const violations = messages.flatMap((message, index) =>
    problemsOf(pushMessageOf(message)).map(({ field, hint }) => ({ fieldName: `${fieldOf(index)}.${field}`, hint })),
  )
  if (violations.length > 0) throw invalidRequest(violations)
}
