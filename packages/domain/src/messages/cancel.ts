// Cancels messages. What workers have in hand is recorded as it ends, and not attempted again.
import { notFound, TEXT, type MessageCancelled } from '@push-server/contract'
import type { Logger } from '@push-server/runtime'
import type { Context } from '../context.ts'

/** Messages of one sweep; a longer backlog takes several. */
const MOST_MESSAGES = 500

/** `id` must be a UUID. May be repeated. */
export async function cancelMessage(
  { store }: Pick<Context, 'store'>,
  id: string,
  log: Pick<Logger, 'info'>,
): Promise<MessageCancelled> {
  const cancellation = await store.messages.cancel(id)
  if (!cancellation) throw notFound(TEXT.messageUnknown)
  log.info({ messageId: id, ...cancellation }, 'message cancelled')
  return cancellation
}

/** Ends what workers had in hand when its message was cancelled, and have put back since. Resolves with the number of deliveries. */
export const cancelPutBack = ({ store }: Pick<Context, 'store'>): Promise<number> =>
  store.messages.cancelRest(MOST_MESSAGES)
