// Plans deliveries: which device gets which message, and which chunk it goes in. Pure.
import { randomUUID } from 'node:crypto'
import { normaliseToken, type Platform } from '@push-server/contract'
import { PROVIDERS } from '@push-server/providers'
import type { Audience, NewChunk, NewDelivery, NewMessage, Recipient } from '@push-server/store'

export interface PlannedDelivery extends Omit<NewDelivery, 'chunk'> {
  /** When it is to be pushed, ms since the epoch; null = now. */
  sendAt: number | null
}

/** A message that is to be stored, and when it is to be sent: ms since the epoch, null = now. */
export type ComposedMessage = NewMessage & { sendAt: number | null }

export function planDeliveries(
  messages: readonly ComposedMessage[],
  { recipients, configured }: Audience,
): PlannedDelivery[] {
  const byUser = Map.groupBy(recipients, (recipient) => recipient.userId)
  return messages.flatMap((message) => planMessage(message, byUser.get(message.userId) ?? [], configured))
}

/** Recipients come latest registration first, so that of several with one token the latest is taken. */
function planMessage(
  message: ComposedMessage,
  recipients: readonly Recipient[],
  configured: readonly Platform[],
): PlannedDelivery[] {
  const tokens = new Set<string>()
  const planned: PlannedDelivery[] = []
  for (const recipient of recipients) {
    if (message.activationId !== null && message.activationId !== recipient.activationId) continue
    // Before the token is taken: another activation with the same token may be active.
    const skipped = skipReason(message, recipient)
    const key = `${recipient.platform}/${normaliseToken(recipient.platform, recipient.token)}`
    if (skipped === undefined && tokens.has(key)) continue
    if (skipped === undefined) tokens.add(key)
    const status = statusOf(skipped, configured.includes(recipient.platform))
    planned.push({ messageId: message.id, sendAt: message.sendAt, recipient, ...status })
  }
  return planned
}

/** Why the message is not for the device. */
function skipReason({ platforms, personal }: ComposedMessage, { platform, active }: Recipient): string | undefined {
  if (platforms && !platforms.includes(platform)) return 'NotSelected'
  return personal && !active ? 'NotActive' : undefined
}

const statusOf = (skipped: string | undefined, configured: boolean): Pick<PlannedDelivery, 'status' | 'reason'> =>
  skipped !== undefined
    ? { status: 'skipped', reason: skipped }
    : configured
      ? { status: 'pending', reason: null }
      : { status: 'failed', reason: 'NotConfigured' }

/** What a request brings to the chunks that it shares with others. */
export interface Sharing {
  applicationId: number
  planned: readonly PlannedDelivery[]
  /** Channel on which a gateway waits for its deliveries. */
  waiter: string | null
}

export interface SharedChunks {
  chunks: NewChunk[]
  /** Of each request, in their order. */
  deliveries: NewDelivery[][]
}

/**
 * Puts what is to be pushed into as few chunks as possible: each has deliveries of one application on one platform that are due at one
 * time. Nobody waits for those that are sent later.
 */
export function shareChunks(requests: readonly Sharing[]): SharedChunks {
  const chunks: NewChunk[] = []
  const open = new Map<string, { chunk: NewChunk; total: number }>()

  function placeOf(
    { applicationId, ...sharing }: Sharing,
    { recipient, sendAt }: PlannedDelivery,
  ): NewDelivery['chunk'] {
    const { platform } = recipient
    const waiter = sendAt === null ? sharing.waiter : null
    const key = `${platform}/${applicationId}/${sendAt}`
    let filling = open.get(key)
    if (!filling || filling.total === PROVIDERS[platform].chunkSize.direct) {
      filling = { chunk: { seed: randomUUID(), applicationId, platform, waiter, sendAt }, total: 0 }
      open.set(key, filling)
      chunks.push(filling.chunk)
    }
    filling.chunk.waiter ??= waiter
    return { seed: filling.chunk.seed, position: filling.total++ }
  }

  const deliveries = requests.map((request) =>
    request.planned.map((delivery) => ({
      ...delivery,
      chunk: delivery.status === 'pending' ? placeOf(request, delivery) : null,
    })),
  )
  return { chunks, deliveries }
}
