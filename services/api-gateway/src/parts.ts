// What the gateway opens beside the context, and hands to its routes.
import type { Activations, BackPressure, MessageBatches, Quotas, Waiters } from '@push-server/domain'

export interface Parts {
  waiters: Waiters
  pressure: BackPressure
  batches: MessageBatches
  activations: Activations
}

/** What a route needs to send messages. */
export interface Sending extends Omit<Parts, 'activations'> {
  quotas: Quotas
}
