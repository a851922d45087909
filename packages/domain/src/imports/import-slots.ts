// Limits of concurrent imports in a process and under one key: each import holds a database connection and rows of its own.
import { unavailable } from '@push-server/contract'

const RETRY_AFTER_S = 30

export interface ImportSlots {
  /** Takes a slot, or throws 503 at once. The result frees the slot. */
  take(key: string | undefined): () => void
}

export interface ImportSlotsOptions {
  concurrency: number
  concurrencyPerKey: number
  onRefused(): void
}

export function createImportSlots({ concurrency, concurrencyPerKey, onRefused }: ImportSlotsOptions): ImportSlots {
  const byKey = new Map<string, number>()
  let underWay = 0

  function refuse(limit: string): never {
    onRefused()
    throw unavailable(`As many imports as ${limit} allows are under way; nothing was read`, RETRY_AFTER_S)
  }

  return {
    take(key) {
      if (underWay >= concurrency) refuse(`IMPORT_CONCURRENCY (${concurrency})`)
      const ofKey = key === undefined ? 0 : (byKey.get(key) ?? 0)
      if (ofKey >= concurrencyPerKey) refuse(`IMPORT_CONCURRENCY_PER_CALLER (${concurrencyPerKey})`)
      underWay += 1
      if (key !== undefined) byKey.set(key, ofKey + 1)
      let isTaken = true
      return () => {
        if (!isTaken) return
        isTaken = false
        underWay -= 1
        if (key === undefined) return
        const left = (byKey.get(key) ?? 1) - 1
        if (left === 0) byKey.delete(key)
        else byKey.set(key, left)
      }
    },
  }
}
