// Leases: a worker renews the leases of its chunks. When a renewal fails, no further push of these chunks starts.
import type { Logger } from '@push-server/runtime'
import type { Claim, Store } from '@push-server/store'

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
  hold(claim: Claim, requestedAt: number): HeldLease
  /** Aborts all leases, and those that are still to come: the process is stopping. */
  abortAll(reason: string): void
  /** Whether all leases are aborted. */
  areStopping(): boolean
  close(): void
}

/** A pause, a resume or a cancellation reaches chunks in delivery within this time. */
const LONGEST_RENEWAL_MS = 1000

export interface LeaseOptions {
  store: Pick<Store, 'chunks'>
  owner: string
  leaseMs: number
  log: Logger
}

interface Entry {
  claim: Claim
  controller: AbortController
  renewedAt: number
  isPushed: boolean
}

/** Reasons that are no failure, unlike a lease that is lost. */
const ORDERLY = new Set(['paused', 'stopping'])

export function openLeases({ store, owner, leaseMs, log }: LeaseOptions): Leases {
  const entries = new Map<number, Entry>()
  let renewing = false
  let stopping: string | undefined

  const abort = (entry: Entry, reason: string) => {
    if (entry.controller.signal.aborted || entry.isPushed) return
    log[ORDERLY.has(reason) ? 'info' : 'warn']({ chunkId: entry.claim.id, reason }, 'chunk delivery aborted')
    entry.controller.abort(reason)
  }

  const check = (entry: Entry) => {
    if (performance.now() - entry.renewedAt > leaseMs / 2) abort(entry, 'lease not renewed in time')
  }

  /** A renewal that hangs counts as one that fails: no push starts in the second half of a lease. */
  function tick(): void {
    for (const entry of entries.values()) check(entry)
    if (!renewing && entries.size > 0) void renew([...entries.values()])
  }

  async function renew(current: Entry[]): Promise<void> {
    renewing = true
    const requestedAt = performance.now()
    try {
      const rows = await store.chunks.renew(
        owner,
        current.map((entry) => entry.claim),
        leaseMs,
      )
      const held = new Map(rows.map((row) => [row.id, row]))
      for (const entry of current) {
        const row = held.get(entry.claim.id)
        if (row) entry.renewedAt = requestedAt
        if (row?.paused) abort(entry, 'paused')
        // A chunk that was released while the response was on its way has no row: its claim is not lost.
        else if (!row && entries.get(entry.claim.id) === entry) abort(entry, 'claim lost')
      }
    } catch (error) {
      log.warn({ err: error }, 'lease renewal failed')
      for (const entry of current) abort(entry, 'lease not renewed')
    } finally {
      renewing = false
    }
  }

  const timer = setInterval(tick, Math.min(LONGEST_RENEWAL_MS, leaseMs / 4))
  return {
    hold(claim, requestedAt) {
      const entry: Entry = { claim, controller: new AbortController(), renewedAt: requestedAt, isPushed: false }
      entries.set(claim.id, entry)
      if (stopping !== undefined) abort(entry, stopping)
      return heldLease(entry, { abort, check, end: () => entries.get(claim.id) === entry && entries.delete(claim.id) })
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
