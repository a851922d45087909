// What the look-alikes have seen: requests counted, accepted pushes kept, phones shown. Whoever wants to know is told at once.
import type { Platform } from '@push-server/contract'
import { createCounter, type Stats } from './counts.ts'
import { createPhones, type Notification, type Phone } from './phones.ts'
import type { Push } from './push.ts'

export type LedgerEvent =
  | { type: 'notification'; phone: Phone; notification: Notification }
  | { type: 'phone'; phone: Phone }
  | { type: 'counted' }

/** A request with its answer. Only Huawei's have more than one push. */
export interface Answered<P extends Push> {
  platform: Platform
  status: number
  accepted: readonly P[]
  /** How many pushes were not. */
  refused?: number | undefined
}

export interface Ledger {
  /** The accepted pushes in the order they came; the oldest go when there are more than are to be kept. */
  readonly pushes: readonly Push[]
  /** `compose` makes what the phone shows; it is not called when nobody would see it. */
  answered<P extends Push>(request: Answered<P>, compose: (push: P) => Notification): void
  /** The pushes were accepted and the sender was not told. */
  lost<P extends Push>(request: Pick<Answered<P>, 'platform' | 'accepted'>, compose: (push: P) => Notification): void
  unanswered(platform: Platform): void
  stats(): Stats
  phones(): Phone[]
  findPhone(token: string): Phone | undefined
  addPhone(phone: { platform: Platform; token: string; name?: string | undefined }): Phone
  clearPhone(token: string): Phone | undefined
  /** Returns how to stop listening. */
  listen(listener: (event: LedgerEvent) => void): () => void
}

export function createLedger(kept: number): Ledger {
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

  function keep<P extends Push>(platform: Platform, accepted: readonly P[], compose: (push: P) => Notification) {
    for (const push of accepted) {
      pushes.push(push)
      if (pushes.length > kept) pushes.shift()
      const shown = phones.show(platform, push.token, () => compose(push))
      if (shown) tell({ type: 'notification', ...shown })
    }
    tell({ type: 'counted' })
  }

  return {
    pushes,
    answered({ platform, status, accepted, refused = 0 }, compose) {
      counter.count(platform, { status, accepted, refused })
      keep(platform, accepted, compose)
    },
    lost({ platform, accepted }, compose) {
      counter.countUnanswered(platform, accepted)
      keep(platform, accepted, compose)
    },
    unanswered(platform) {
      counter.countUnanswered(platform)
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
