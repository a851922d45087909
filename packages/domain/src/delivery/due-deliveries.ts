// Selects the deliveries of a chunk that are still to be pushed, and the records of the others. Pure.
import type { PushTarget } from '@push-server/providers'
import type { ClaimedChunk, DeliveryRecord, DeliveryRow, MessageRow } from '@push-server/store'
import { settled } from './retry-policy.ts'
import { pushIdAt } from './push-id.ts'

/** A delivery that is to be pushed. */
export interface DueDelivery extends PushTarget {
  delivery: DeliveryRow
}

export interface DueSelection {
  due: DueDelivery[]
  settled: DeliveryRecord[]
}

export function selectDue(chunk: ClaimedChunk, now: number): DueSelection {
  const positions = new Map(chunk.messages.map((message, position) => [message.id, position]))
  const result: DueSelection = { due: [], settled: [] }
  for (const delivery of chunk.deliveries) {
    const position = positions.get(delivery.messageId)
    const message = position === undefined ? undefined : chunk.messages[position]
    const reason = obstacle(chunk, message, now) ?? delivery.obstacle ?? undefined
    if (reason !== undefined || position === undefined) result.settled.push(settled(delivery, 'failed', reason ?? null))
    else result.due.push(dueOf(delivery, position, chunk.seed))
  }
  return result
}

const dueOf = (delivery: DeliveryRow, message: number, seed: string): DueDelivery => ({
  delivery,
  message,
  token: delivery.token,
  environment: delivery.environment ?? undefined,
  pushId: pushIdAt(seed, delivery.position),
})

/** A message that was valid on acceptance and is not now has expired. One that was past its time then gets one attempt. */
function obstacle(chunk: ClaimedChunk, message: MessageRow | undefined, now: number): string | undefined {
  if (message === undefined) return 'MessageRemoved'
  if (chunk.credentialsVersion === null) return 'NotConfigured'
  if (chunk.expiresAt < now) return 'TooOld'
  const { validUntil, createdAt } = message
  return validUntil !== null && validUntil < now && validUntil > createdAt ? 'Expired' : undefined
}
