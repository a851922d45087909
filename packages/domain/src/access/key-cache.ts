// API keys as last read from the database, so that a request costs no query. The cache is bounded in size and age. Known keys and
// unknown ids have separate bounds: a client that guesses ids cannot evict the keys in use.
import type { ApiKeyRow } from '@push-server/store'

/** How long a revoked key may still be accepted, and how long a new key may be refused when its id was presented before. */
export const FRESH_MS = 10_000
/**
 * How long a cached key is valid while the database is unavailable. Metrics are needed just then, and a process without its
 * database can do little else.
 */
export const STALE_MS = 3_600_000
/** Maximum number of known keys, and of unknown ids. */
const MOST = 1000
/** Concurrent queries for suspects: a flood of ids takes no more connections, so that a valid key is still found. */
const MOST_FOR_SUSPECTS = 2

interface Entry {
  row: ApiKeyRow | undefined
  readAt: number
}

export interface KeyCacheOptions {
  /** Undefined when there is no such key. */
  find(id: string): Promise<ApiKeyRow | undefined>
  isUnavailable(error: unknown): boolean
  /** Milliseconds on a clock that never goes back. */
  now(): number
}

/** Whether a caller has failed too often. */
export type IsSuspect = () => Promise<boolean>

export interface KeyCache {
  /**
   * `isSuspect` is called only for a key that is not known. For suspects the database is queried up to a limit of concurrent
   * queries; beyond it the result is undefined.
   */
  find(id: string, isSuspect: IsSuspect): Promise<ApiKeyRow | undefined>
  /** Keys have changed: each is read anew. */
  forget(): void
}

export function createKeyCache({ find, isUnavailable, now }: KeyCacheOptions): KeyCache {
  const known = new Map<string, Entry>()
  const unknown = new Map<string, Entry>()
  /** Concurrent requests with the same key share one query. */
  const readings = new Map<string, Promise<ApiKeyRow | undefined>>()
  let forSuspects = 0
  /** A query that began before the cache was emptied does not fill it. */
  let generation = 0

  async function read(id: string, last: Entry | undefined): Promise<ApiKeyRow | undefined> {
    const readAt = now()
    const asOf = generation
    try {
      const row = await find(id)
      if (asOf !== generation) return row
      const [to, from] = row ? [known, unknown] : [unknown, known]
      from.delete(id)
      put(to, id, { row, readAt })
      return row
    } catch (error) {
      if (last?.row && isUnavailable(error) && readAt - last.readAt < STALE_MS) return last.row
      throw error
    } finally {
      if (asOf === generation) readings.delete(id)
    }
  }

  function share(id: string, last: Entry | undefined): Promise<ApiKeyRow | undefined> {
    const reading = readings.get(id) ?? read(id, last)
    readings.set(id, reading)
    return reading
  }

  return {
    async find(id, isSuspect) {
      const entry = known.get(id) ?? unknown.get(id)
      if (entry && now() - entry.readAt < FRESH_MS) return entry.row
      if (entry?.row || !(await isSuspect())) return share(id, entry)
      if (forSuspects >= MOST_FOR_SUSPECTS) return undefined
      forSuspects += 1
      try {
        return await share(id, entry)
      } finally {
        forSuspects -= 1
      }
    },
    forget() {
      generation += 1
      known.clear()
      unknown.clear()
      readings.clear()
    },
  }
}

/** Evicts the oldest entry of a full cache. */
function put(entries: Map<string, Entry>, id: string, entry: Entry): void {
  entries.delete(id)
  entries.set(id, entry)
  if (entries.size <= MOST) return
  const [oldest = id] = entries.keys()
  entries.delete(oldest)
}
