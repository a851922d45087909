// No push starts to a recipient that was read more than five seconds ago. A recipient that waits longer, for a slow provider or for
// the rate of a run, is read again first, and left out when the device has another user by then.
import { STALE } from '@push-server/providers'
import type { ChangedRecipient, ClaimedChunk } from '@push-server/store'
import type { DueDelivery } from './due-deliveries.ts'

/** Longest time between reading a recipient and the start of a push to it. */
export const MOST_AGE_MS = 5_000

export interface FreshRecipients {
  /** Number of recipients that are still to be pushed to. */
  readonly left: number
  /** Reads the rest again, and leaves out recipients that have changed. */
  refresh(): Promise<void>
  /** Pushes to the next `count` recipients. Pushes that have not started at their maximum age wait until they were read again. */
  push(count: number): Promise<void>
}

export interface FreshRecipientsOptions {
  chunk: Pick<ClaimedChunk, 'readAt'>
  due: readonly DueDelivery[]
  /** Once aborted no push starts. */
  signal: AbortSignal
  /** Reads the recipients that have changed. */
  read(due: readonly DueDelivery[]): Promise<ChangedRecipient[]>
  /** Called for each recipient that is left out. */
  onChanged(due: DueDelivery, change: ChangedRecipient): void
  /** Starts pushes until the maximum age is reached; calls `ended` for each push that has its outcome. */
  push(due: readonly DueDelivery[], age: AgeLimit, ended: (index: number) => void): Promise<void>
}

/** How long pushes to recipients that were read together may still start. */
export interface AgeLimit {
  /** Aborted as STALE at the maximum age, or with the signal of the chunk. */
  readonly signal: AbortSignal
  /** Aborts without waiting for the timer, which is late when the process was frozen. */
  check(): void
}

export function freshRecipients(options: FreshRecipientsOptions): FreshRecipients {
  const { signal, read, onChanged, push } = options
  let { readAt } = options.chunk
  let left = options.due

  async function reread(due: readonly DueDelivery[]): Promise<readonly DueDelivery[]> {
    const requestedAt = performance.now()
    const changes = new Map((await read(due)).map((change) => [change.id, change]))
    readAt = requestedAt
    if (changes.size === 0) return due
    return due.filter((one) => {
      const change = changes.get(one.delivery.id)
      if (change) onChanged(one, change)
      return !change
    })
  }

  async function pushFresh(first: readonly DueDelivery[]): Promise<void> {
    let isStale = false
    for (let due = first; due.length > 0 && !signal.aborted;) {
      if (isStale || performance.now() - readAt >= MOST_AGE_MS) due = await reread(due)
      const ended = new Uint8Array(due.length)
      const age = limitAge(readAt, signal)
      try {
        await push(due, age, (index) => void (ended[index] = 1))
      } finally {
        age.end()
      }
      // The timer may fire up to a millisecond before the age has passed.
      isStale = age.signal.aborted
      if (!isStale) return
      due = due.filter((_, index) => ended[index] === 0)
    }
  }

  return {
    get left() {
      return left.length
    },
    async refresh() {
      left = await reread(left)
    },
    async push(count) {
      const next = left.slice(0, count)
      left = left.slice(count)
      await pushFresh(next)
    },
  }
}

function limitAge(readAt: number, signal: AbortSignal): AgeLimit & { end(): void } {
  const controller = new AbortController()
  const endsAt = readAt + MOST_AGE_MS
  const expire = () => controller.abort(STALE)
  const abort = () => controller.abort(signal.reason)
  const timer = setTimeout(expire, Math.max(0, endsAt - performance.now()))
  signal.addEventListener('abort', abort)
  if (signal.aborted) abort()
  return {
    signal: controller.signal,
    check: () => void (performance.now() >= endsAt && expire()),
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    },
  }
}
