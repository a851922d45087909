// How many pushes of one provider may be in flight at once, over all its chunks, and whose turn it is when a slot comes
// free: chunks take turns push by push, so that a small one does not wait for a large one.

export interface Walk<T extends object> {
  items: readonly T[]
  /** Once aborted nothing more is started. */
  signal: AbortSignal
  /** Starts one, at `index`. `done` has to be called once for each, at once or later. Must not throw. */
  start(item: T, done: () => void, index: number): void
}

export interface Semaphore {
  /** How many were started and are not done. */
  readonly inFlight: number
  /** Starts every item in order, as slots come free; resolves when all that were started are done. */
  walk<T extends object>(walk: Walk<T>): Promise<void>
  /** Starts what the bound lets through by now. */
  admit(): void
}

/** A walk with something left to start. */
interface Walker {
  startNext(): void
  hasNext(): boolean
}

/**
 * `bound`: most at once, asked before each start; what is in flight beyond it ends as it would. While it is 0 and nothing is
 * in flight, nothing happens before somebody calls `turn`.
 */
export function createSemaphore(bound: () => number): Semaphore {
  let underWay = 0
  let turning = false
  /** The first one is next. */
  const waiting: Walker[] = []

  const nextWalker = () => (waiting.length > 0 && underWay < bound() ? waiting.shift() : undefined)

  function admit() {
    // A start that is done at once comes by here again.
    if (turning) return
    turning = true
    try {
      for (let walker = nextWalker(); walker; walker = nextWalker()) {
        underWay++
        walker.startNext()
        if (walker.hasNext()) waiting.push(walker)
      }
    } finally {
      turning = false
    }
  }

  return {
    get inFlight() {
      return underWay
    },
    walk<T extends object>({ items, signal, start }: Walk<T>): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>()
      let next = 0
      let inFlight = 0

      const walker: Walker = {
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
        if (inFlight > 0 || walker.hasNext()) return
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      function onAbort() {
        const place = waiting.indexOf(walker)
        if (place >= 0) waiting.splice(place, 1)
        end()
      }

      signal.addEventListener('abort', onAbort)
      if (walker.hasNext()) waiting.push(walker)
      admit()
      end()
      return promise
    },
    admit,
  }
}
