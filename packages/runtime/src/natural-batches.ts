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

/** Two bounds of a batch as one: so many items, and so many rows of all of them. In whole numbers, as fractions would not add up. */
export const boundedBy = (items: number, rows: number) => ({
  size: items * rows,
  /** Weight of an item with so many rows. */
  weightOf: (own: number) => Math.max(rows, own * items),
})

interface Entry<Item, Result> {
  item: Item
  resolve(result: Result): void
  reject(error: unknown): void
}

export const fulfilled = <Result>(value: Result): Ended<Result> => ({ status: 'fulfilled', value })
export const rejected = (reason: unknown): Ended<never> => ({ status: 'rejected', reason })

export const openNaturalBatches = <Item, Result>(
  options: NaturalBatchesOptions<Item, Result>,
): NaturalBatches<Item, Result> => new Batches(options)

class Batches<Item, Result> implements NaturalBatches<Item, Result> {
  readonly #options: NaturalBatchesOptions<Item, Result>
  /** In the order in which they are served next. */
  readonly #groups = new Map<unknown, Entry<Item, Result>[]>()
  /** Of items in batches that are under way. */
  readonly #busyKeys = new Set<string>()
  #underWay = 0
  waiting = 0

  constructor(options: NaturalBatchesOptions<Item, Result>) {
    this.#options = options
  }

  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>()
    const group = this.#options.groupOf?.(item)
    const entries = this.#groups.get(group)
    if (entries) entries.push({ item, resolve, reject })
    else this.#groups.set(group, [{ item, resolve, reject }])
    this.waiting++
    // What arrives in the same turn of the event loop shares the batch.
    if (this.#underWay < this.#options.inFlight) queueMicrotask(() => this.#start())
    return promise
  }

  #start(): void {
    while (this.#underWay < this.#options.inFlight && this.waiting > 0) {
      const batch = this.#takeBatch()
      if (batch.length === 0) return
      this.#underWay++
      void this.#runBatch(batch)
    }
  }

  /** One item of each group in turn, until the batch is full or nothing else may join. */
  #takeBatch(): Entry<Item, Result>[] {
    const { size, weigh = () => 1, isAlone = () => false } = this.#options
    const batch: Entry<Item, Result>[] = []
    let weight = 0
    for (let joined = true; joined;) {
      joined = false
      // Groups move to the end while they are gone through.
      for (const group of Array.from(this.#groups.keys())) {
        const entry = this.#firstOf(group)
        if (!entry) continue
        const alone = isAlone(entry.item)
        const next = weigh(entry.item)
        if (batch.length > 0 && (alone || weight + next > size)) continue
        joined = true
        if (!this.#take(group, entry)) continue
        batch.push(entry)
        weight += next
        if (alone || weight >= size) return batch
      }
    }
    return batch
  }

  /** The first of a group whose key is free. */
  #firstOf(group: unknown): Entry<Item, Result> | undefined {
    return this.#groups.get(group)?.find(({ item }) => {
      const key = this.#options.keyOf?.(item)
      return key === undefined || !this.#busyKeys.has(key)
    })
  }

  /** Takes an item out of the line; false when it is over and joins no batch. */
  #take(group: unknown, entry: Entry<Item, Result>): boolean {
    const entries = this.#groups.get(group) ?? []
    entries.splice(entries.indexOf(entry), 1)
    this.waiting--
    // Behind the others, for this batch and for the next.
    this.#groups.delete(group)
    if (entries.length > 0) this.#groups.set(group, entries)
    const over = this.#options.isOver?.(entry.item)
    if (over) {
      entry.reject(over)
      return false
    }
    const key = this.#options.keyOf?.(entry.item)
    if (key !== undefined) this.#busyKeys.add(key)
    return true
  }

  async #runBatch(batch: readonly Entry<Item, Result>[]): Promise<void> {
    const { run, keyOf } = this.#options
    const ended = await run(batch.map(({ item }) => item)).catch((error: unknown) => batch.map(() => rejected(error)))
    this.#underWay--
    for (const [place, { item, resolve, reject }] of batch.entries()) {
      const key = keyOf?.(item)
      if (key !== undefined) this.#busyKeys.delete(key)
      const end = ended[place] ?? rejected(new Error('A batch ended without this item'))
      if (end.status === 'fulfilled') resolve(end.value)
      else reject(end.reason)
    }
    this.#start()
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
