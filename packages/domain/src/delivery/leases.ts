// Leases: while a worker lives it renews what it has in hand; when it cannot, it starts no further push.
import type { Logger } from '@push-server/runtime'
import type { Claim, Store } from '@push-server/store'

export interface Hold {
  /** Aborted when no further push of the chunk may start. */
  readonly signal: AbortSignal
  abort(reason: string): void
  /** Aborts when the lease is no longer certain, without waiting for the next renewal: a process may have been frozen. */
  check(): void
  /** Nothing is left to be pushed: the lease is kept for the record only, and losing it is no news. */
  pushed(): void
  end(): void
}

export interface Leases {
  /** `askedAt`: when the claim was asked for, on the clock of `performance`. */
  hold(claim: Claim, requestedAt: number): Hold
  /** Aborts all holds, and those that are still to come: the process is stopping. */
  abortAll(reason: string): void
  close(): void
}

/** A pause, a resume or a cancellation reaches pushes under way within this time. */
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

/** What happens in good order, unlike a lease that is lost. */
const ORDERLY = new Set(['paused', 'stopping'])

export function openLeases({ store, owner, leaseMs, log }: LeaseOptions): Leases {
  const entries = new Map<number, Entry>()
  let renewing = false
  let stopping: string | undefined

  const abort = (entry: Entry, reason: string) => {
    if (entry.controller.signal.aborted || entry.isPushed) return
    log[ORDERLY.has(reason) ? 'info' : 'warn']({ chunkId: entry.claim.id, reason }, 'chunk given up')
    entry.controller.abort(reason)
  }

  const check = (entry: Entry) => {
    if (performance.now() - entry.renewedAt > leaseMs / 2) abort(entry, 'lease not renewed in time')
  }

  /** A renewal that hangs is as bad as one that fails: nothing is pushed on half a lease. */
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
        // A chunk that was given back while the answer was on its way is not ours to judge.
        else if (!row && entries.get(entry.claim.id) === entry) abort(entry, 'claim lost')
      }
    } catch (error) {
      log.warn({ err: error }, 'renewing leases failed')
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
      return {
        signal: entry.controller.signal,
        abort: (reason) => abort(entry, reason),
        check: () => check(entry),
        pushed: () => void (entry.isPushed = true),
        end: () => void (entries.get(claim.id) === entry && entries.delete(claim.id)),
      }
    },
    abortAll(reason) {
      stopping = reason
      for (const entry of entries.values()) abort(entry, reason)
    },
    close: () => clearInterval(timer),
  }
}
