// No push starts on recipients that were read more than five seconds ago: whoever waits longer, for a slow provider or for the
// rate of a run, is read again first, and left out once the phone has changed hands.
import { STALE } from '@push-server/providers'
import type { ChangedRecipient, ClaimedChunk } from '@push-server/store'
import type { Due } from './screen.ts'

/** Between reading recipients and the start of a push to them. */
export const MOST_AGE_MS = 5_000

export interface FreshRecipients {
  /** How many are still to be pushed to. */
  readonly left: number
  /** Reads all that are left again, and leaves out those that have changed. */
  refresh(): Promise<void>
  /** Pushes to the next `count`; once their age has passed, what has not started waits until it was read again. */
  push(count: number): Promise<void>
}

export interface FreshRecipientsOptions {
  chunk: Pick<ClaimedChunk, 'readAt'>
  due: readonly Due[]
  /** Once aborted nothing more is started. */
  signal: AbortSignal
  /** Those of the deliveries that have changed. */
  read(due: readonly Due[]): Promise<ChangedRecipient[]>
  /** Told of each that is left out. */
  onChanged(due: Due, change: ChangedRecipient): void
  /** Starts what it can before the age has passed; calls `settled` for each push that ended. */
  push(due: readonly Due[], age: Age, settled: (index: number) => void): Promise<void>
}

/** How long what is being pushed may still start. */
export interface Age {
  /** Aborted as STALE when the age has passed, or with the signal of the chunk. */
  readonly signal: AbortSignal
  /** Aborts without waiting for the timer, which is late when the process was frozen. */
  check(): void
}

export function freshRecipients(options: FreshRecipientsOptions): FreshRecipients {
  const { signal, read, onChanged, push } = options
  let { readAt } = options.chunk
  let left = options.due

  async function readAgain(due: readonly Due[]): Promise<readonly Due[]> {
    const askedAt = performance.now()
    const changes = new Map((await read(due)).map((change) => [change.id, change]))
    readAt = askedAt
    if (changes.size === 0) return due
    return due.filter((one) => {
      const change = changes.get(one.delivery.id)
      if (change) onChanged(one, change)
      return !change
    })
  }

  async function pushFresh(first: readonly Due[]): Promise<void> {
    for (let due = first; due.length > 0 && !signal.aborted;) {
      if (performance.now() - readAt >= MOST_AGE_MS) due = await readAgain(due)
      const ended = new Uint8Array(due.length)
      const age = limitAge(readAt, signal)
      try {
        await push(due, age, (index) => void (ended[index] = 1))
      } finally {
        age.end()
      }
      if (!age.signal.aborted) return
      due = due.filter((_, index) => ended[index] === 0)
    }
  }

  return {
    get left() {
      return left.length
    },
    async refresh() {
      left = await readAgain(left)
    },
    async push(count) {
      const next = left.slice(0, count)
      left = left.slice(count)
      await pushFresh(next)
    },
  }
}

function limitAge(readAt: number, signal: AbortSignal): Age & { end(): void } {
  const controller = new AbortController()
  const endsAt = readAt + MOST_AGE_MS
  const outgrow = () => controller.abort(STALE)
  const callOff = () => controller.abort(signal.reason)
  const timer = setTimeout(outgrow, Math.max(0, endsAt - performance.now()))
  signal.addEventListener('abort', callOff)
  if (signal.aborted) callOff()
  return {
    signal: controller.signal,
    check: () => void (performance.now() >= endsAt && outgrow()),
    end() {
      clearTimeout(timer)
      signal.removeEventListener('abort', callOff)
    },
  }
}
