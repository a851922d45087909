// The log of the fakes: it counts requests, keeps accepted pushes, shows them on phones, and notifies its listeners.
import type { Platform } from '@push-server/contract'
import { createCounter, type Stats } from './counts.ts'
import { createPhones, type Notification, type Phone } from './phones.ts'
import type { Push } from './push.ts'

export type PushLogEvent =
  | { type: 'notification'; phone: Phone; notification: Notification }
  | { type: 'phone'; phone: Phone }
  | { type: 'counted' }

/** A request with its response. Only Huawei's have more than one push. */
export interface Responded<P extends Push> {
  platform: Platform
  status: number
  accepted: readonly P[]
  /** Number of refused pushes. */
  refused?: number | undefined
}

export interface PushLog {
  /** The accepted pushes in the order in which they came; beyond the number to be kept the oldest are dropped. */
  readonly pushes: readonly Push[]
  /** `compose` makes the notification of a phone; it is not called for a phone that is not kept. */
  responded<P extends Push>(request: Responded<P>, compose: (push: P) => Notification): void
  /** The pushes were accepted and their sender got no response. */
  lost<P extends Push>(request: Pick<Responded<P>, 'platform' | 'accepted'>, compose: (push: P) => Notification): void
  withoutResponse(platform: Platform): void
  stats(): Stats
  phones(): Phone[]
  findPhone(token: string): Phone | undefined
  addPhone(phone: { platform: Platform; token: string; name?: string | undefined }): Phone
  clearPhone(token: string): Phone | undefined
  /** Returns how to stop listening. */
  listen(listener: (event: PushLogEvent) => void): () => void
}

export function createPushLog(kept: number): PushLog {
  const pushes: Push[] = []
  const counter = createCounter()
  const phones = createPhones()
  const listeners = new Set<(event: PushLogEvent) => void>()
  const notify = (event: PushLogEvent) => {
    for (const listener of listeners) listener(event)
  }
  const notifyAbout = (phone: Phone | undefined) => {
    if (phone) notify({ type: 'phone', phone })
    return phone
  }

  function keep<P extends Push>(platform: Platform, accepted: readonly P[], compose: (push: P) => Notification) {
    for (const push of accepted) {
      pushes.push(push)
      if (pushes.length > kept) pushes.shift()
      const shown = phones.show(platform, push.token, () => compose(push))
      if (shown) notify({ type: 'notification', ...shown })
    }
    notify({ type: 'counted' })
  }

  return {
    pushes,
    responded({ platform, status, accepted, refused = 0 }, compose) {
      counter.count(platform, { status, accepted, refused })
      keep(platform, accepted, compose)
    },
    lost({ platform, accepted }, compose) {
      counter.countWithoutResponse(platform, accepted)
      keep(platform, accepted, compose)
    },
    withoutResponse(platform) {
      counter.countWithoutResponse(platform)
      notify({ type: 'counted' })
    },
    stats: counter.stats,
    phones: phones.list,
    findPhone: phones.find,
    addPhone(phone) {
      const added = phones.add(phone)
      notify({ type: 'phone', phone: added })
      return added
    },
    clearPhone: (token) => notifyAbout(phones.clear(token)),
    listen(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
