// What waits of an application, and what has failed, in pages that are continued by a key.
import {
  instantOf,
  invalidRequest,
  refusal,
  TEXT,
  timestampOf,
  type FailedMessagePage,
  type WaitingDeliveryPage,
} from '@push-server/contract'
import type { FailedMessage, WaitingDelivery } from '@push-server/store'
import type { Context } from '../context.ts'
import { deliveryOf } from './status.ts'

type Stored = Pick<Context, 'store'>

interface Slice {
  appId: string
  /** The `next` of the page before, in the format that the schema has checked. */
  after: string | undefined
  size: number
}

export async function listWaiting({ store }: Stored, { appId, after, size }: Slice): Promise<WaitingDeliveryPage> {
  const [chunkId, position] = after?.split('-').map(Number) ?? []
  const cursor = chunkId === undefined || position === undefined ? undefined : { chunkId, position }
  const page = await store.messages.waiting(appId, cursor, size)
  if (!page) throw refusal(TEXT.applicationUnknown)
  return {
    deliveries: page.deliveries.map(waitingOf),
    ...(page.next && { next: `${page.next.chunkId}-${page.next.position}` }),
  }
}

const waitingOf = (delivery: WaitingDelivery): WaitingDeliveryPage['deliveries'][number] => {
  const { messageId, userId, activationId, platform, reason, attempts, inDelivery, nextAttemptAt, createdAt } = delivery
  return {
    messageId,
    userId,
    activationId,
    platform,
    ...(reason !== null && { reason }),
    attempts,
    inDelivery,
    ...(nextAttemptAt !== null && { timestampNextAttempt: timestampOf(new Date(nextAttemptAt)) }),
    timestampCreated: timestampOf(createdAt),
  }
}

export interface FailedRequest extends Slice {
  from: string | undefined
  to: string | undefined
  reason: string | undefined
}

export async function listFailed({ store }: Stored, request: FailedRequest): Promise<FailedMessagePage> {
  const { appId, from, to, reason, after, size } = request
  const page = await store.messages.failed({
    appId,
    from: from === undefined ? 0 : boundOf('from', from),
    // What is accepted while the pages are read is left to the next listing, which would never end otherwise.
    to: to === undefined ? store.clock.now() : boundOf('to', to),
    reason,
    after: after === undefined ? undefined : cursorOf(after),
    size,
  })
  if (!page) throw refusal(TEXT.applicationUnknown)
  return {
    messages: page.messages.map(failedOf),
    ...(page.next && { next: `${page.next.createdAt}-${page.next.id}` }),
  }
}

function boundOf(fieldName: string, text: string): number {
  const instant = instantOf(text)
  if (instant === undefined)
    throw invalidRequest([{ fieldName, hint: 'must be an ISO 8601 time with offset; write + as %2B' }])
  return instant
}

/** `<ms>-<id>` */
function cursorOf(after: string): { createdAt: number; id: string } {
  const end = after.indexOf('-')
  return { createdAt: Number(after.slice(0, end)), id: after.slice(end + 1) }
}

const failedOf = ({ id, userId, createdAt, isResendable, deliveries }: FailedMessage) => ({
  id,
  userId,
  timestampCreated: timestampOf(createdAt),
  resendable: isResendable,
  deliveries: deliveries.map(deliveryOf),
})
