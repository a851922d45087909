// Slots of a worker: how much it has in hand at once, and how much of it one application may have, so that a busy application does not
// keep the others waiting. What a slot counts is the caller's: deliveries, or chunks.

export interface FairSlots {
  /**
   * Takes `size` slots for the application, and waits while the worker is full. Undefined when the application holds its share
   * already. The result frees them.
   */
  take(applicationId: number, size?: number): Promise<() => void> | undefined
}

export interface FairSlotsOptions {
  size: number
  /** Slots that one application never takes, as long as it has others. */
  reserve: number
}

interface Waiting {
  applicationId: number
  size: number
  start(): void
}

/** One application gets all but the reserve, and half of the slots while another one waits. */
export function createFairSlots({ size: capacity, reserve }: FairSlotsOptions): FairSlots {
  const held = new Map<number, number>()
  const line: Waiting[] = []
  let total = 0

  const mostOf = (applicationId: number) =>
    line.some((waiting) => waiting.applicationId !== applicationId) ? Math.floor(capacity / 2) : capacity - reserve

  /** Something that is larger than all slots goes alone. */
  const hasRoom = (size: number) => total === 0 || total + size <= capacity

  function hold(applicationId: number, size: number): () => void {
    total += size
    held.set(applicationId, (held.get(applicationId) ?? 0) + size)
    return () => {
      total -= size
      const rest = (held.get(applicationId) ?? size) - size
      if (rest > 0) held.set(applicationId, rest)
      else held.delete(applicationId)
      for (let first = line[0]; first && hasRoom(first.size); first = line[0]) {
        line.shift()
        first.start()
      }
    }
  }

  return {
    take(applicationId, size = 1) {
      const own = held.get(applicationId) ?? 0
      if (own > 0 && own + size > mostOf(applicationId)) return undefined
      if (line.length === 0 && hasRoom(size)) return Promise.resolve(hold(applicationId, size))
      const { promise, resolve } = Promise.withResolvers<() => void>()
      line.push({ applicationId, size, start: () => resolve(hold(applicationId, size)) })
      return promise
    },
  }
}
