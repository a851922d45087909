// Acceptance: a request is checked whole, stored whole, then enqueued. From the storing on it is delivered or accounted for.
import { invalidRequest, refusal, TEXT, type Message, type Platform } from '@push-server/contract'
import { PROVIDERS } from '@push-server/providers'
import type { Logger } from '@push-server/runtime'
import type { NewMessage, StoredChunk } from '@push-server/store'
import type { Context } from '../context.ts'
import { composeMessage, pushMessageOf } from './compose.ts'
import { planDeliveries } from './plan.ts'
import { talliesOf, type Tallies } from './tallies.ts'
import type { Waiters } from './waiters.ts'

export interface AcceptRequest {
  appId: string
  messages: readonly Message[]
  /** Where each message stands in the request, for faults. */
  fieldOf(index: number): string
  /** Given: the answer tells what became of the deliveries, as far as they were settled in time. */
  waiters?: Waiters | undefined
  log: Pick<Logger, 'warn'>
}

export interface Accepted {
  messageIds: string[]
  tallies?: Tallies
}

export async function acceptMessages(context: Context, request: AcceptRequest): Promise<Accepted> {
  const { config, store } = context
  const { appId, waiters } = request
  const deadline = Date.now() + config.syncTimeout
  const userIds = [...new Set(request.messages.map((message) => message.userId))]
  const audience = await store.messages.audience(appId, userIds)
  if (!audience) throw refusal(TEXT.sendApplicationUnknown(appId))
  if (userIds.includes('')) throw refusal(TEXT.userEmpty)

  const messages = request.messages.map((message, index) => composeMessage(message, request.fieldOf(index)))
  checkPayloads({ messages, platforms: audience.configured, fieldOf: request.fieldOf, config })
  const plan = planDeliveries(messages, audience)
  const chunks = await store.messages.store({
    applicationId: audience.applicationId,
    messages,
    ...plan,
    waiter: waiters?.channel ?? null,
    maxAgeMs: config.deliveryMaxAge,
  })

  const messageIds = messages.map((message) => message.id)
  const due = chunks.filter((chunk) => !chunk.paused)
  const answered = waiters?.wait(
    due.map((chunk) => chunk.id),
    deadline - Date.now(),
  )
  await enqueue(context, audience.applicationId, { chunks: due, log: request.log })
  if (!answered) return { messageIds }
  await answered
  // What is stored is answered OK, come what may: an error now would make the caller send it again.
  const counts = await store.messages.tally(messageIds).catch((error: unknown) => {
    request.log.warn({ err: error }, 'the tally could not be read; answered as accepted')
    return plan.deliveries.map(({ recipient: { platform }, status }) => ({ platform, status, count: 1 }))
  })
  return { messageIds, tallies: talliesOf(counts) }
}

export interface PayloadCheck extends Pick<AcceptRequest, 'fieldOf'>, Pick<Context, 'config'> {
  messages: readonly NewMessage[]
  /** Those that the application has credentials for. */
  platforms: readonly Platform[]
}

/** Before anything is stored. */
export function checkPayloads({ messages, platforms, fieldOf, config }: PayloadCheck): void {
  const violations = messages.flatMap((message, index) =>
    platforms
      .flatMap((platform) => PROVIDERS[platform].check(pushMessageOf(message), config))
      .map(({ field, hint }) => ({ fieldName: `${fieldOf(index)}.${field}`, hint })),
  )
  if (violations.length > 0) throw invalidRequest(violations)
}

/** What is stored is accepted, whatever the queue says: the sweep finds chunks without a job. */
async function enqueue(
  { queues }: Context,
  applicationId: number,
  { chunks, log }: { chunks: readonly StoredChunk[]; log: AcceptRequest['log'] },
): Promise<void> {
  if (chunks.length === 0) return
  const jobs = chunks.map(({ id, platform }) => ({
    chunkId: id,
    applicationId,
    try: 0,
    platform,
    lane: 'direct' as const,
    delayMs: 0,
  }))
  try {
    await queues.enqueue(jobs)
  } catch (error) {
    log.warn({ err: error, chunks: chunks.map((chunk) => chunk.id) }, 'enqueueing failed; the sweep will do it')
  }
}
