// Which deliveries of a chunk are still to be pushed, and what becomes of the others. Pure.
import type { ClaimedChunk, DeliveryRecord, DeliveryRow, MessageRow } from '@push-server/store'
import { settled } from './disposal.ts'

/** To be pushed, with the position of its message. */
export interface Due {
  delivery: DeliveryRow
  message: number
}

export interface Screened {
  due: Due[]
  settled: DeliveryRecord[]
}

export function screen(chunk: ClaimedChunk, now: number): Screened {
  const positions = new Map(chunk.messages.map((message, position) => [message.id, position]))
  const result: Screened = { due: [], settled: [] }
  for (const delivery of chunk.deliveries) {
    const position = positions.get(delivery.messageId)
    const message = position === undefined ? undefined : chunk.messages[position]
    const reason = obstacle(chunk, message, now)
    if (reason !== undefined || position === undefined) result.settled.push(settled(delivery, 'failed', reason ?? null))
    else result.due.push({ delivery, message: position })
  }
  return result
}

/** What was valid on acceptance and is not now comes too late; what was past its time then gets its one try. */
function obstacle(chunk: ClaimedChunk, message: MessageRow | undefined, now: number): string | undefined {
  if (message === undefined) return 'MessageRemoved'
  if (chunk.credentialsVersion === null) return 'NotConfigured'
  if (chunk.expiresAt < now) return 'TooOld'
  const { validUntil, createdAt } = message
  return validUntil !== null && validUntil < now && validUntil > createdAt ? 'Expired' : undefined
}
