// What the look-alikes have seen: requests counted, accepted pushes kept, phones shown. Whoever wants to know is told at once.
import type { Platform } from '@push-server/contract'
import { createCounter, type Stats } from './counts.ts'
import { createPhones, type Notification, type Phone } from './phones.ts'
import type { Push } from './push.ts'

export type LedgerEvent =
  | { type: 'notification'; phone: Phone; notification: Notification }
  | { type: 'phone'; phone: Phone }
  | { type: 'counted' }

export interface Ledger {
  /** The accepted pushes in the order they came; the oldest go when there are more than are to be kept. */
  readonly pushes: readonly Push[]
  /** `compose` makes what the phone shows; it is not called when nobody would see it. */
  accepted(push: Push, compose: () => Notification): void
  refused(platform: Platform, status: number): void
  unanswered(platform: Platform): void
  stats(): Stats
  phones(): Phone[]
  findPhone(token: string): Phone | undefined
  addPhone(phone: { platform: Platform; token: string; name?: string | undefined }): Phone
  clearPhone(token: string): Phone | undefined
  /** Returns how to stop listening. */
  listen(listener: (event: LedgerEvent) => void): () => void
}

export function createLedger(keep: number): Ledger {
  const pushes: Push[] = []
  const counter = createCounter()
  const phones = createPhones()
  const listeners = new Set<(event: LedgerEvent) => void>()
  const tell = (event: LedgerEvent) => {
    for (const listener of listeners) listener(event)
  }
  const told = (phone: Phone | undefined) => {
    if (phone) tell({ type: 'phone', phone })
    return phone
  }

  return {
    pushes,
    accepted(push, compose) {
      pushes.push(push)
      if (pushes.length > keep) pushes.shift()
      counter.add(push.platform, { status: 200, token: push.token })
      const shown = phones.show(push.platform, push.token, compose)
      if (shown) tell({ type: 'notification', ...shown })
      tell({ type: 'counted' })
    },
    refused(platform, status) {
      counter.add(platform, { status, token: '' })
      tell({ type: 'counted' })
    },
    unanswered(platform) {
      counter.add(platform, 'unanswered')
      tell({ type: 'counted' })
    },
    stats: counter.stats,
    phones: phones.list,
    findPhone: phones.find,
    addPhone(phone) {
      const added = phones.add(phone)
      tell({ type: 'phone', phone: added })
      return added
    },
    clearPhone: (token) => told(phones.clear(token)),
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
