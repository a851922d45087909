// The status of messages, in the shape of the responses.
import { notFound, refusal, TEXT, timestampOf, type MessageStatus, type MessageSummary } from '@push-server/contract'
import type { DeliveryStatus, MessageHead } from '@push-server/store'
import type { Context } from '../context.ts'
import { talliesOf } from './tallies.ts'

type Stored = Pick<Context, 'store'>

/** `id` must be a UUID. */
export async function findMessage({ store }: Stored, id: string): Promise<MessageStatus> {
  const message = await store.messages.find(id)
  if (!message) throw notFound(TEXT.messageUnknown)
  return { ...headOf(message), deliveries: message.deliveries.map(deliveryOf) }
}

export async function listMessages(
  { store }: Stored,
  listing: { appId: string; userId: string; page: number; size: number },
): Promise<MessageSummary[]> {
  const messages = await store.messages.list(listing)
  if (!messages) throw refusal(TEXT.applicationUnknown)
  return messages.map((message) => ({ ...headOf(message), result: talliesOf(message.counts) }))
}

const headOf = ({ id, appId, userId, createdAt }: MessageHead) => ({
  id,
  appId,
  userId,
  timestampCreated: timestampOf(createdAt),
})

export const deliveryOf = ({ reason, apnsUniqueId, nextAttemptAt, updatedAt, ...delivery }: DeliveryStatus) => ({
  ...delivery,
  ...(apnsUniqueId !== null && { apnsUniqueId }),
  ...(reason !== null && { reason }),
  ...(nextAttemptAt !== null && { timestampNextAttempt: timestampOf(new Date(nextAttemptAt)) }),
  timestampUpdated: timestampOf(new Date(updatedAt)),
})
