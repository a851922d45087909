// Natural batching: what shares a batch, in which order, and what becomes of each item.
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { boundedBy, fulfilled, openNaturalBatches, rejected, runDivided } from '../src/natural-batches.ts'

interface Item {
  id: number
  group?: string
  weight?: number
  key?: string
  over?: boolean
  alone?: boolean
}

type More = Partial<Pick<Parameters<typeof openNaturalBatches<Item, string>>[0], 'size' | 'inFlight'>>

/** Batches that stay under way until they are let go, in the order in which they began. */
function openHeld(more: More = {}) {
  const began: number[][] = []
  const held: ((error?: Error) => void)[] = []
  const batches = openNaturalBatches<Item, string>({
    size: 10,
    inFlight: 1,
    weigh: ({ weight = 1 }) => weight,
    groupOf: ({ group }) => group,
    keyOf: ({ key }) => key,
    isOver: ({ over = false }) => (over ? new Error('over') : undefined),
    isAlone: ({ alone = false }) => alone,
    async run(items) {
      began.push(items.map(({ id }) => id))
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      held.push((error) => (error ? reject(error) : resolve()))
      await promise
      return items.map(({ id }) => fulfilled(`done ${id}`))
    },
    ...more,
  })
  return {
    began,
    add: (...items: Item[]) => Promise.allSettled(items.map((item) => batches.add(item))),
    waiting: () => batches.waiting,
    async letGo(error?: Error) {
      held.shift()?.(error)
      await setImmediate()
    },
  }
}

const some = (count: number, more: object = {}, first = 1) =>
  Array.from({ length: count }, (_, index) => ({ id: first + index, ...more }))

t.test('a full batch has as many items as it may have, whatever their number, and no more rows', async (t) => {
  for (const items of [1, 2, 3, 7, 10, 49, 100, 200, 999, 2_000]) {
    const { size, weightOf } = boundedBy(items, 2_000)
    const { began, add, letGo } = openHeld({ size })
    const first = add({ id: 0 })
    await setImmediate()
    const others = add(...some(items + 1, { weight: weightOf(1) }))
    await letGo()
    t.equal(began[1]?.length, items)
    await letGo()
    await letGo()
    await Promise.all([first, others])
  }
  const { size, weightOf } = boundedBy(200, 2_000)
  const { began, add, letGo } = openHeld({ size })
  const first = add({ id: 0 })
  await setImmediate()
  const others = add(...some(6, { weight: weightOf(400) }))
  await letGo()
  t.equal(began[1]?.length, 5)
  await letGo()
  await letGo()
  await Promise.all([first, others])
})

t.test('an item goes at once; what arrives meanwhile shares the next batch', async (t) => {
  const { began, add, letGo, waiting } = openHeld()
  const first = add({ id: 1 })
  await setImmediate()
  t.same(began, [[1]])
  const others = [add({ id: 2 }), add(...some(2, {}, 3))]
  await setImmediate()
  t.equal(waiting(), 3)
  await letGo()
  t.same(await first, [fulfilled('done 1')])
  t.same(began, [[1], [2, 3, 4]])
  await letGo()
  t.same(
    (await Promise.all(others)).flat(),
    [2, 3, 4].map((id) => fulfilled(`done ${id}`)),
  )
})

t.test('which items share a batch', async (t) => {
  const cases: [what: string, given: Item[], expected: number[][], more?: More][] = [
    ['as many as it holds', some(5), [[1, 2], [3, 4], [5]], { size: 2 }],
    ['by weight', [...some(2, { weight: 4 }), { id: 3, weight: 2 }], [[1, 2, 3]]],
    ['a heavier one waits for the next', [{ id: 1 }, { id: 2, weight: 10 }, { id: 3 }], [[1], [2], [3]]],
    ['one beyond the bound goes alone', [{ id: 1, weight: 99 }, { id: 2 }], [[1], [2]]],
    [
      'of each group in turn',
      [...some(4, { group: 'a' }), { id: 9, group: 'b' }],
      [
        [1, 9, 2],
        [3, 4],
      ],
      { size: 3 },
    ],
    [
      'one of a key',
      [
        { id: 1, key: 'k' },
        { id: 2, key: 'k' },
        { id: 3, key: 'l' },
      ],
      [[1, 3], [2]],
    ],
    ['not one that is over', [{ id: 1 }, { id: 2, over: true }, { id: 3 }], [[1, 3]]],
    ['alone where it has to be', [{ id: 1 }, { id: 2, alone: true }, { id: 3 }], [[1], [2], [3]]],
    ['several under way', some(3), [[1], [2], [3]], { size: 1, inFlight: 2 }],
  ]
  for (const [what, given, expected, more] of cases) {
    const { began, add, letGo } = openHeld(more)
    const ended = add(...given)
    await setImmediate()
    for (let n = 0; n < given.length; n++) await letGo()
    t.same(began, expected, what)
    t.same(
      (await ended).map(({ status }) => status),
      given.map(({ over = false }) => (over ? 'rejected' : 'fulfilled')),
      `${what}: each ends`,
    )
  }
})

t.test('no more batches are under way than may be', async (t) => {
  const { began, add, letGo } = openHeld({ size: 1, inFlight: 2 })
  const ended = add(...some(4))
  await setImmediate()
  t.same(began, [[1], [2]])
  await letGo()
  t.same(began, [[1], [2], [3]])
  for (let n = 0; n < 3; n++) await letGo()
  await ended
})

t.test('a batch that fails takes its own items with it, and no others', async (t) => {
  const { add, letGo } = openHeld({ size: 2 })
  const ended = add(...some(3))
  await setImmediate()
  const error = new Error('gone')
  await letGo(error)
  await letGo()
  t.same(await ended, [rejected(error), rejected(error), fulfilled('done 3')])
})

t.test('whatever arrives when, each item ends once and groups keep their order', async (t) => {
  const items = fc.array(
    fc.record({ group: fc.constantFrom('a', 'b', 'c'), weight: fc.integer({ min: 1, max: 4 }), wait: fc.boolean() }),
    {
      maxLength: 60,
    },
  )
  await fc.assert(
    fc.asyncProperty(
      items,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 3 }),
      async (given, size, inFlight) => {
        const seen: { group: string; id: number }[] = []
        const batches = openNaturalBatches<{ id: number; group: string; weight: number }, number>({
          size,
          inFlight,
          weigh: ({ weight }) => weight,
          groupOf: ({ group }) => group,
          async run(batch) {
            seen.push(...batch)
            const weight = batch.reduce((sum, { weight }) => sum + weight, 0)
            if (batch.length > 1 && weight > size) throw new Error('too heavy')
            await setImmediate()
            return batch.map(({ id }) => fulfilled(id))
          },
        })
        const ended: Promise<number>[] = []
        for (const [id, { wait, ...item }] of given.entries()) {
          ended.push(batches.add({ id, ...item }))
          if (wait) await setImmediate()
        }
        t.same(await Promise.all(ended), [...given.keys()])
        t.equal(seen.length, given.length)
        for (const group of ['a', 'b', 'c']) {
          const ids = seen.filter((item) => item.group === group).map(({ id }) => id)
          t.same(
            ids,
            ids.toSorted((a, b) => a - b),
          )
        }
      },
    ),
    { numRuns: 50 },
  )
})

t.test('a spoiled batch is divided until those who spoil it are alone', async (t) => {
  const spoilers = fc.uniqueArray(fc.integer({ min: 0, max: 31 }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 32 }), spoilers, async (count, bad) => {
      let calls = 0
      const run = async (some: readonly number[]) => {
        calls++
        if (some.some((id) => bad.includes(id))) throw new Error('bad data')
        return some.map((id) => id * 2)
      }
      const given = [...Array(count).keys()]
      const ended = await runDivided(given, run, { isOfOne: () => true, isContended: () => false })
      const found = bad.filter((id) => id < count).length
      t.same(
        ended.map(({ status }) => status),
        given.map((id) => (bad.includes(id) ? 'rejected' : 'fulfilled')),
      )
      t.ok(calls <= 1 + 2 * found * Math.ceil(Math.log2(count) + 1), `${calls} calls for ${found} of ${count}`)
    }),
    { numRuns: 50 },
  )
})

t.test('which errors are repeated, and how often', async (t) => {
  const failing = async (errors: string[]) => {
    let calls = 0
    const run = async (some: readonly number[]) => {
      const error = errors[calls++]
      if (error) throw new Error(error)
      return [...some]
    }
    const is = (word: string) => (error: unknown) => (error as Error).message === word
    const ended = await runDivided([1, 2], run, { isOfOne: is('data'), isContended: is('deadlock') })
    return { calls, statuses: ended.map(({ status }) => status) }
  }
  t.same(await failing(['deadlock']), { calls: 2, statuses: ['fulfilled', 'fulfilled'] }, 'a deadlock once')
  t.same(await failing(['deadlock', 'deadlock']), { calls: 2, statuses: ['rejected', 'rejected'] })
  t.same(await failing(['timeout']), { calls: 1, statuses: ['rejected', 'rejected'] }, 'no other one')
  t.same(await failing(['data', 'data']), { calls: 3, statuses: ['rejected', 'fulfilled'] })
  t.same(await failing(['deadlock', 'data']), { calls: 4, statuses: ['fulfilled', 'fulfilled'] })
})
