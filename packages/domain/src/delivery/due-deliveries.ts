// Selects the deliveries of a chunk that are still to be pushed, and names what ends the others. Pure.
import type { PushTarget } from '@push-server/providers'
import type { ClaimedChunk, DeliveryRow, MessageRow } from '@push-server/store'

/** A delivery that is to be pushed. */
export interface DueDelivery extends PushTarget {
  delivery: DeliveryRow
}

export interface DueSelection {
  due: DueDelivery[]
  /** Deliveries that end without a push. */
  ended: { delivery: DeliveryRow; reason: string }[]
}

export function selectDue(chunk: ClaimedChunk, now: number): DueSelection {
  const positions = new Map(chunk.messages.map((message, position) => [message.id, position]))
  const result: DueSelection = { due: [], ended: [] }
  for (const delivery of chunk.deliveries) {
    const position = positions.get(delivery.messageId)
    const message = position === undefined ? undefined : chunk.messages[position]
    if (position === undefined || message === undefined) {
      result.ended.push({ delivery, reason: 'MessageRemoved' })
      continue
    }
    const reason = obstacle(chunk, message, now) ?? delivery.obstacle
    if (reason === null) result.due.push(dueOf(delivery, position, chunk.seed))
    else result.ended.push({ delivery, reason })
  }
  return result
}

const dueOf = (delivery: DeliveryRow, message: number, seed: string): DueDelivery => ({
  delivery,
  message,
  token: delivery.token,
  environment: delivery.environment ?? undefined,
  tokenKind: delivery.tokenKind ?? undefined,
  pushId: pushIdAt(seed, delivery.position),
})

/** A message that was valid on acceptance and is not now has expired. One that was past its time then gets one attempt. */
function obstacle(chunk: ClaimedChunk, message: MessageRow, now: number): string | null {
  if (chunk.credentialsVersion === null) return 'NotConfigured'
  if (chunk.expiresAt < now) return 'TooOld'
  const { validUntil, createdAt } = message
  return validUntil !== null && validUntil < now && validUntil > createdAt ? 'Expired' : null
}

/**
 * The id of a push, the same on every attempt: a UUID, the chunk's seed with its last four digits replaced by the delivery's position
 * in it (0 to 65 535).
 */
export const pushIdAt = (seed: string, position: number) => seed.slice(0, -4) + position.toString(16).padStart(4, '0')
