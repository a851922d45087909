// Natural batching: while calls are on their way, what arrives joins the next one; when none is, nothing waits. Order within a group
// is kept; a batch that is too small for all takes from each group in turn.

/** What became of one item of a batch. */
export type Ended<Result> = PromiseSettledResult<Result>

export interface NaturalBatchesOptions<Item, Result> {
  /** Maximum weight of a batch. A heavier item is a batch of its own. */
  size: number
  /** Maximum number of batches on their way at a time. */
  inFlight: number
  /** Weight of an item; 1 where left out. */
  weigh?: (item: Item) => number
  /** Items of different groups share a batch fairly. */
  groupOf?: (item: Item) => unknown
  /** Of two items with the same key, the second waits until the first has ended. */
  keyOf?: (item: Item) => string | undefined
  /** Called before an item joins a batch: the error that it ends with instead, if any. */
  isOver?: (item: Item) => Error | undefined
  /** Items that may not share a batch with others for now. */
  isAlone?: (item: Item) => boolean
  /** Resolves with what became of each item, in their order. When it rejects, each of them ends with that error. */
  run(items: readonly Item[]): Promise<readonly Ended<Result>[]>
}

export interface NaturalBatches<Item, Result> {
  add(item: Item): Promise<Result>
  /** Number of items that wait for a batch. */
  readonly waiting: number
}

interface Entry<Item, Result> {
  item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

export const fulfilled = <Result>(value: Result): Ended<Result> => ({ status: 'fulfilled', value })
export const rejected = (reason: unknown): Ended<never> => ({ status: 'rejected', reason })

export function openNaturalBatches<Item, Result>(
  options: NaturalBatchesOptions<Item, Result>,
): NaturalBatches<Item, Result> {
  const {
    size,
    inFlight,
    weigh = () => 1,
    groupOf = () => undefined,
    keyOf,
    isOver,
    isAlone = () => false,
    run,
  } = options
  /** In the order in which they are served next. */
  const groups = new Map<unknown, Entry<Item, Result>[]>()
  const busyKeys = new Set<string>()
  let waiting = 0
  let underWay = 0

  function start(): void {
    while (underWay < inFlight && waiting > 0) {
      const batch = takeBatch()
      if (batch.length === 0) return
      underWay++
      void runBatch(batch)
    }
  }

  /** One item of each group in turn, until the batch is full or nothing else may join. */
  function takeBatch(): Entry<Item, Result>[] {
    const batch: Entry<Item, Result>[] = []
    let weight = 0
    for (let joined = true; joined;) {
      joined = false
      for (const [group, entries] of [...groups]) {
        const place = entries.findIndex(({ item }) => !isBusy(item))
        const entry = entries[place]
        if (!entry) continue
        const alone = isAlone(entry.item)
        const next = weigh(entry.item)
        if (batch.length > 0 && (alone || weight + next > size)) continue
        entries.splice(place, 1)
        waiting--
        // Behind the others, for this batch and for the next.
        groups.delete(group)
        if (entries.length > 0) groups.set(group, entries)
        joined = true
        const over = isOver?.(entry.item)
        if (over) {
          entry.reject(over)
          continue
        }
        hold(entry.item)
        batch.push(entry)
        weight += next
        if (alone || weight >= size) return batch
      }
    }
    return batch
  }

  const isBusy = (item: Item) => {
    const key = keyOf?.(item)
    return key !== undefined && busyKeys.has(key)
  }
  const hold = (item: Item) => {
    const key = keyOf?.(item)
    if (key !== undefined) busyKeys.add(key)
  }
  const release = (item: Item) => {
    const key = keyOf?.(item)
    if (key !== undefined) busyKeys.delete(key)
  }

  async function runBatch(batch: readonly Entry<Item, Result>[]): Promise<void> {
    const ended = await run(batch.map(({ item }) => item)).catch((error: unknown) => batch.map(() => rejected(error)))
    underWay--
    for (const [place, { item, resolve, reject }] of batch.entries()) {
      release(item)
      const end = ended[place] ?? rejected(new Error('A batch ended without this item'))
      if (end.status === 'fulfilled') resolve(end.value)
      else reject(end.reason)
    }
    start()
  }

  return {
    get waiting() {
      return waiting
    },
    add(item) {
      const { promise, resolve, reject } = Promise.withResolvers<Result>()
      const group = groupOf(item)
      const entries = groups.get(group)
      if (entries) entries.push({ item, resolve, reject })
      else groups.set(group, [{ item, resolve, reject }])
      waiting++
      // What arrives in the same turn of the event loop shares the batch.
      if (underWay < inFlight) queueMicrotask(start)
      return promise
    },
  }
}

export interface DividingOptions {
  /** One of the items is the cause, whichever. */
  isOfOne(error: unknown): boolean
  /** The same batch may succeed at once. */
  isContended(error: unknown): boolean
}

/**
 * Runs a batch as a whole. When one item spoils it, it is divided by halves until that item is alone; when it met a deadlock, it
 * is run once more. Every other error is that of all its items, and nothing is repeated.
 */
export async function runDivided<Item, Result>(
  items: readonly Item[],
  run: (items: readonly Item[]) => Promise<readonly Result[]>,
  { isOfOne, isContended }: DividingOptions,
): Promise<readonly Ended<Result>[]> {
  const runAll = async (some: readonly Item[]): Promise<readonly Ended<Result>[]> => {
    try {
      const results = await run(some).catch((error: unknown) =>
        isContended(error) ? run(some) : Promise.reject(error),
      )
      return results.map(fulfilled)
    } catch (error) {
      if (some.length === 1 || !isOfOne(error)) return some.map(() => rejected(error))
      const middle = some.length >> 1
      return [...(await runAll(some.slice(0, middle))), ...(await runAll(some.slice(middle)))]
    }
  }
  return runAll(items)
}
