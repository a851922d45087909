// A semaphore over the pushes of one provider. Chunks take turns push by push, so that a small chunk does not wait for a large one.

/** Items to start, in order. */
export interface Batch<T extends object> {
  items: readonly T[]
  /** Once aborted no item is started. */
  signal: AbortSignal
  /** Starts the item at `index`. `done` has to be called once for each, at once or later. Must not throw. */
  start(item: T, done: () => void, index: number): void
}

export interface Semaphore {
  /** Number of items that were started and are not done. */
  readonly inFlight: number
  /** Starts every item in order, as slots come free; resolves when all that were started are done. */
  startAll<T extends object>(batch: Batch<T>): Promise<void>
  /** Starts what the bound allows by now. */
  admit(): void
}

/** A batch with something left to start. */
interface WaitingBatch {
  startNext(): void
  hasNext(): boolean
}

/**
 * `bound`: maximum number of items in flight, read before each start. Items in flight beyond it go on. While it is 0 and nothing is
 * in flight, nothing starts before a call of `admit`.
 */
export function createSemaphore(bound: () => number): Semaphore {
  let underWay = 0
  let isAdmitting = false
  /** The first one is next. */
  const waiting: WaitingBatch[] = []

  const nextBatch = () => (waiting.length > 0 && underWay < bound() ? waiting.shift() : undefined)

  function admit() {
    // A start that is done at once calls `admit` again.
    if (isAdmitting) return
    isAdmitting = true
    try {
      for (let batch = nextBatch(); batch; batch = nextBatch()) {
        underWay++
        batch.startNext()
        if (batch.hasNext()) waiting.push(batch)
      }
    } finally {
      isAdmitting = false
    }
  }

  return {
    get inFlight() {
      return underWay
    },
    startAll<T extends object>({ items, signal, start }: Batch<T>): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      let next = 0
      let inFlight = 0

      const batch: WaitingBatch = {
        startNext() {
          const index = next++
          const item = items[index]
          inFlight++
          if (item) start(item, done, index)
        },
        hasNext: () => next < items.length && !signal.aborted,
      }
      function done() {
        underWay--
        inFlight--
        end()
        admit()
      }
      function end() {
        if (inFlight > 0 || batch.hasNext()) return
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      function onAbort() {
        const place = waiting.indexOf(batch)
        if (place >= 0) waiting.splice(place, 1)
        end()
      }

      signal.addEventListener('abort', onAbort)
      if (batch.hasNext()) waiting.push(batch)
      admit()
      end()
      return promise
    },
    admit,
  }
}
