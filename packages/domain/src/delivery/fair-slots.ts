// Slots of a worker: how many chunks it delivers at once, and how many of them one application may have, so that a busy
// application does not keep the others waiting.

export interface FairSlots {
  /** Takes a slot for the application; undefined when it holds its share already. The result frees the slot. */
  take(applicationId: number): (() => void) | undefined
}

/** One application gets half of the slots, and one at least. */
export function createFairSlots(size: number): FairSlots {
  const share = Math.max(1, Math.floor(size / 2))
  const held = new Map<number, number>()
  return {
    take(applicationId) {
      const count = held.get(applicationId) ?? 0
      if (count >= share) return undefined
      held.set(applicationId, count + 1)
      return () => {
        const rest = (held.get(applicationId) ?? 1) - 1
        if (rest > 0) held.set(applicationId, rest)
        else held.delete(applicationId)
      }
    },
  }
}
