// Leases: a worker renews the leases of its chunks, and looks for pauses. When either fails, no further push of these chunks starts.
import type { Logger } from '@push-server/runtime'
import type { HeldChunk, Store } from '@push-server/store'

export interface HeldLease {
  /** Aborted when no further push of the chunk may start. */
  readonly signal: AbortSignal
  abort(reason: string): void
  /** Aborts when the lease may have expired, without waiting for the next renewal: a process may have been frozen. */
  check(): void
  /** Nothing is left to be pushed: the lease is kept for the record only, and losing it is not logged. */
  pushed(): void
  end(): void
}

export interface Leases {
  /** `requestedAt`: when the claim was requested, on the clock of `performance`. */
  hold(chunk: HeldChunk, requestedAt: number): HeldLease
  /** Aborts all leases, and those that are still to come: the process is stopping. */
  abortAll(reason: string): void
  /** Whether all leases are aborted. */
  areStopping(): boolean
  close(): void
}

/** A pause or a cancellation reaches chunks in delivery within this time. */
const LONGEST_REFRESH_MS = 1000
/** A lease is renewed once this part of it has passed: most chunks are settled sooner, and their rows are not written for it. */
const RENEWED_AFTER = 1 / 4
/** From then on no push starts. Between the two a renewal has time for its response. */
const LOST_AFTER = 1 / 2
/** Refreshes within a lease, so that none is renewed late. */
const LEAST_REFRESHES = 16

export interface LeaseOptions {
  store: { chunks: Pick<Store['chunks'], 'renew' | 'stopped'> }
  owner: string
  leaseMs: number
  log: Logger
}

interface Entry {
  chunk: HeldChunk
  controller: AbortController
  renewedAt: number
  isPushed: boolean
}

/** Reasons that are no failure, unlike a lease that is lost. */
const ORDERLY = new Set(['paused', 'stopping'])

export function openLeases({ store, owner, leaseMs, log }: LeaseOptions): Leases {
  const entries = new Map<number, Entry>()
  let isRefreshing = false
  let stopping: string | undefined

  const abort = (entry: Entry, reason: string) => {
    if (entry.controller.signal.aborted || entry.isPushed) return
    log[ORDERLY.has(reason) ? 'info' : 'warn']({ chunkId: entry.chunk.id, reason }, 'chunk delivery aborted')
    entry.controller.abort(reason)
  }

  const check = (entry: Entry) => {
    if (performance.now() - entry.renewedAt > leaseMs * LOST_AFTER) abort(entry, 'lease not renewed in time')
  }

  /** A renewal that hangs counts as one that fails: no push starts in the second half of a lease. */
  function tick(): void {
    for (const entry of entries.values()) check(entry)
    if (!isRefreshing && entries.size > 0) void refresh([...entries.values()])
  }

  async function refresh(held: readonly Entry[]): Promise<void> {
    isRefreshing = true
    try {
      const now = performance.now()
      const due = held.filter(({ renewedAt }) => now - renewedAt >= leaseMs * RENEWED_AFTER)
      await Promise.all([due.length > 0 && renew(due), stop(held)])
    } catch (error) {
      log.warn({ err: error }, 'lease renewal failed')
      for (const entry of held) abort(entry, 'lease not renewed')
    } finally {
      isRefreshing = false
    }
  }

  async function renew(due: readonly Entry[]): Promise<void> {
    const requestedAt = performance.now()
    const chunks = due.map(({ chunk }) => chunk)
    const renewed = await store.chunks.renew(owner, chunks, leaseMs)
    for (const entry of due) {
      if (renewed.has(entry.chunk.id)) entry.renewedAt = requestedAt
      // A chunk that was released while the response was on its way is not renewed: its claim is not lost.
      else if (entries.get(entry.chunk.id) === entry) abort(entry, 'claim lost')
    }
  }

  async function stop(held: readonly Entry[]): Promise<void> {
    const stopped = await store.chunks.stopped(held.map(({ chunk }) => chunk))
    for (const entry of held) if (stopped.has(entry.chunk.id)) abort(entry, 'paused')
  }

  const timer = setInterval(tick, Math.min(LONGEST_REFRESH_MS, leaseMs / LEAST_REFRESHES))
  return {
    hold(chunk, requestedAt) {
      const entry: Entry = { chunk, controller: new AbortController(), renewedAt: requestedAt, isPushed: false }
      entries.set(chunk.id, entry)
      if (stopping !== undefined) abort(entry, stopping)
      return heldLease(entry, { abort, check, end: () => entries.get(chunk.id) === entry && entries.delete(chunk.id) })
    },
    abortAll(reason) {
      stopping = reason
      for (const entry of entries.values()) abort(entry, reason)
    },
    areStopping: () => stopping !== undefined,
    close: () => clearInterval(timer),
  }
}

interface LeaseActs {
  abort(entry: Entry, reason: string): void
  check(entry: Entry): void
  end(): void
}

const heldLease = (entry: Entry, { abort, check, end }: LeaseActs): HeldLease => ({
  signal: entry.controller.signal,
  abort: (reason) => abort(entry, reason),
  check: () => check(entry),
  pushed: () => void (entry.isPushed = true),
  end,
})
