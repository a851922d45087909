// The pace of pushes: its rules one by one, then what it makes of a provider with a limit, in a time that is only counted.
import t from 'tap'
import { createFlow, type FlowOptions } from '../src/flow.ts'
import { createPace, type PaceOptions } from '../src/pace.ts'
import type { Outcome } from '../src/index.ts'

/** A pace whose pushes all take 50 ms. */
function scene(options: PaceOptions) {
  const pace = createPace(options)
  const clock = { now: 1_000_000 }
  return {
    pace,
    clock,
    /** So many round trips of as many pushes as there may be, all of which go through. */
    goWell(rounds: number, latencyMs = 50) {
      for (let round = 0; round < rounds; round++) {
        const { size, round: started } = pace
        clock.now += latencyMs
        for (let count = 0; count < size; count++)
          pace.passed({ round: started, latencyMs, now: clock.now, isFull: true })
      }
      return pace.size
    },
    /** One round trip, of which so many are refused after the others have passed. */
    refuse(refusals: number, passes = 0, notBefore?: number) {
      const { round } = pace
      for (let count = 0; count < passes; count++) pace.passed({ round, latencyMs: 50, now: clock.now, isFull: false })
      for (let count = 0; count < refusals; count++) pace.refused({ round, now: clock.now, notBefore })
      return pace.size
    },
  }
}

t.test('the size', async (t) => {
  t.test('begins with a chunk, doubles, and ends at the most there may be', async (t) => {
    const { pace, goWell } = scene({ most: 3_000 })
    t.equal(pace.size, 500)
    t.equal(goWell(1), 1_000)
    t.equal(goWell(1), 2_000)
    t.equal(goWell(1), 3_000)
    t.equal(goWell(5), 3_000)
    t.equal(scene({ most: 16 }).pace.size, 16)
    t.equal(scene({ most: 0 }).pace.size, 1)
  })

  t.test('stays where it is while it is not what stands in the way', async (t) => {
    const { pace } = scene({ most: 1_000 })
    for (let count = 0; count < 5_000; count++)
      pace.passed({ round: pace.round, latencyMs: 50, now: count, isFull: false })
    t.equal(pace.size, 500)
  })

  const cuts: [name: string, passes: number, refusals: number, size: number][] = [
    ['a single refusal among many takes a twentieth', 999, 1, 475],
    ['so do those that had started before the cut', 990, 10, 475],
    ['one among five takes about a fifth', 4, 1, 388],
    ['nothing takes more than a half', 0, 500, 250],
  ]
  for (const [name, passes, refusals, size] of cuts) {
    t.test(`cut: ${name}`, async (t) => {
      t.equal(scene({ most: 500 }).refuse(refusals, passes), size)
    })
  }

  t.test('is halved at least where that is asked for, and never below one', async (t) => {
    const { refuse } = scene({ most: 16, leastCut: 0.5 })
    t.equal(refuse(1, 100), 8)
    t.strictSame([refuse(1, 100), refuse(1, 100), refuse(1, 100), refuse(1, 100)], [4, 2, 1, 1])
  })

  t.test('grows by little after a cut, and always', async (t) => {
    const { refuse, goWell } = scene({ most: 1_000 })
    t.equal(refuse(1, 999), 475)
    const after = goWell(10)
    t.ok(after >= 490 && after <= 496, `two for each round trip: ${after}`)
    const small = scene({ most: 16, leastCut: 0.5 })
    t.equal(small.refuse(1, 100), 8)
    t.ok(small.goWell(20) >= 9)
    t.equal(small.goWell(200), 16)
  })

  t.test('comes back at once after a time in which nothing went through', async (t) => {
    const { refuse, goWell } = scene({ most: 1_000 })
    refuse(1, 999)
    goWell(1)
    for (let count = 0; count < 8; count++) refuse(500)
    t.ok(goWell(0) < 5)
    t.ok(goWell(9) > 200)
  })
})

t.test('a provider that becomes slow', async (t) => {
  t.test('is pushed to half as much, once for each time that it doubles', async (t) => {
    const { goWell } = scene({ most: 500 })
    goWell(20, 150)
    t.equal(goWell(3, 299), 500)
    t.equal(goWell(2, 400), 250)
    t.equal(goWell(2, 400), 500, 'which is regained: its latency is its own affair')
    t.equal(goWell(20, 400), 500)
    t.equal(goWell(2, 900), 250)
  })

  t.test('is told from our own machine: not every push of a round trip is slow then', async (t) => {
    const { pace, clock, goWell } = scene({ most: 500 })
    goWell(10, 100)
    for (let round = 0; round < 10; round++) {
      const { round: started } = pace
      clock.now += 400
      for (let count = 0; count < 500; count++)
        pace.passed({ round: started, latencyMs: count === 250 ? 110 : 400, now: clock.now, isFull: true })
    }
    t.equal(pace.size, 500)
  })

  t.test('is not slow below 200 ms', async (t) => {
    const { goWell } = scene({ most: 500 })
    goWell(20, 5)
    t.equal(goWell(20, 199), 500)
  })

  t.test('little by little is as usual after a minute', async (t) => {
    const { goWell } = scene({ most: 500 })
    for (const latencyMs of [100, 150, 190, 280, 370]) t.equal(goWell(400, latencyMs), 500)
  })

  t.test('is told by what has started since, not by what had before', async (t) => {
    const { pace, clock, goWell } = scene({ most: 500 })
    goWell(10, 100)
    const { round } = pace
    goWell(2, 1_000)
    const cut = pace.size
    for (let count = 0; count < 500; count++) pace.passed({ round, latencyMs: 1_000, now: clock.now, isFull: true })
    t.equal(pace.size, cut)
  })
})

t.test('everything waits', async (t) => {
  t.test('when most is refused: until the time named, the latest of them', async (t) => {
    const { pace, clock, refuse } = scene({ most: 500 })
    refuse(1, 0, clock.now + 30_000)
    t.equal(pace.heldUntil, clock.now + 30_000)
    refuse(1, 0, clock.now + 10_000)
    t.equal(pace.heldUntil, clock.now + 30_000)
  })

  t.test('for 1 s, 2 s and so on up to a minute when none is named, from the beginning after a success', async (t) => {
    const { pace, clock, refuse } = scene({ most: 500 })
    const waits = Array.from({ length: 8 }, () => {
      refuse(20)
      const wait = pace.heldUntil - clock.now
      clock.now = pace.heldUntil
      return wait
    })
    t.strictSame(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    refuse(0, 1)
    refuse(200)
    t.equal(pace.heldUntil, clock.now + 1_000)
  })

  t.test('not when it is a few that are refused', async (t) => {
    const { pace, clock, refuse } = scene({ most: 500 })
    refuse(100, 400, clock.now + 30_000)
    t.equal(pace.heldUntil, 0)
  })
})

t.test('a flow', async (t) => {
  const REFUSED: Outcome = { kind: 'retry', reason: 'Busy' }
  const scene = (options: Partial<FlowOptions> = {}) => {
    const clock = { now: 1_000_000 }
    const held: unknown[] = []
    const flow = createFlow({ most: 10, now: () => clock.now, onHeld: (one) => held.push(one), ...options })
    const open: (() => void)[] = []
    const { signal } = new AbortController()
    const walk = (count: number) =>
      flow.walk({
        items: Array.from({ length: count }, () => ({})),
        signal,
        start: (_, done) => (flow.held() ? done() : open.push(done)),
      })
    return { clock, flow, held, open, walk }
  }

  t.test('has no more in flight than the connections can take', async (t) => {
    let capacity = 3
    const { open, walk } = scene({ capacity: () => capacity })
    void walk(20)
    t.equal(open.length, 3)
    capacity = 100
    open.shift()?.()
    t.equal(open.length, 10, 'nor than the pace allows')
  })

  t.test('waits a short while by itself', async (t) => {
    const { flow, held, open, walk } = scene({ now: Date.now })
    const until = Date.now() + 150
    flow.refused(flow.start(), { ...REFUSED, notBefore: until })
    t.match(flow.held(), { kind: 'retry', reason: 'Unsent: Busy', notBefore: until })
    const walked = walk(2)
    t.equal(open.length, 0)
    const [first, second] = await Promise.all([nextOf(open, 0), nextOf(open, 1)])
    t.ok(Date.now() >= until)
    first()
    second()
    await walked
    t.match(held, [{ waitMs: Number, reason: 'Busy', size: 5 }])
  })

  t.test('hands back what would wait for long', async (t) => {
    const { clock, flow, open, walk } = scene()
    flow.refused(flow.start(), { ...REFUSED, notBefore: clock.now + 30_000 })
    await walk(1_000)
    t.equal(open.length, 0)
    clock.now += 30_000
    void walk(3)
    t.equal(open.length, 3)
  })

  t.test('tells once that everything waits', async (t) => {
    const { clock, flow, held } = scene()
    for (const seconds of [2, 3, 4]) flow.refused(flow.start(), { ...REFUSED, notBefore: clock.now + seconds * 1_000 })
    t.equal(held.length, 1)
  })
})

/** The n-th that was started, when it is. */
async function nextOf(open: (() => void)[], index: number): Promise<() => void> {
  for (;;) {
    const done = open[index]
    if (done) return done
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

interface Provider {
  perSecond: number
  /** Tokens of its bucket. */
  burst: number
  latencyMs: () => number
  retryAfterMs?: number
  /** Refuses everything between these seconds. */
  outage?: [from: number, to: number]
}

interface Second {
  sent: number
  refused: number
}

/** Senders with work without end, each with a pace of its own, for 40 s that pass in no time. */
function simulate(provider: Provider, senders = 1): Second[] {
  const seconds = Array.from({ length: 41 }, (): Second => ({ sent: 0, refused: 0 }))
  const due = new Map<number, (() => void)[]>()
  const paces = Array.from({ length: senders }, () => ({ pace: createPace({ most: 1_000 }), inFlight: 0 }))
  let now = 0
  let tokens = provider.burst

  const at = (time: number, act: () => void) => {
    const acts = due.get(Math.ceil(time)) ?? []
    acts.push(act)
    due.set(Math.ceil(time), acts)
  }
  const isAway = ([from, to] = provider.outage ?? [0, 0]) => now >= from * 1_000 && now < to * 1_000
  const takes = () => !isAway() && tokens >= 1 && tokens-- >= 1

  function fill(sender: (typeof paces)[number]) {
    const { pace } = sender
    while (now >= pace.heldUntil && sender.inFlight < pace.size) {
      sender.inFlight++
      const [round, latencyMs] = [pace.round, provider.latencyMs()]
      at(now + latencyMs / 2, () => {
        const isTaken = takes()
        at(now + latencyMs / 2, () => {
          const second = seconds[Math.floor(now / 1_000)] as Second
          second[isTaken ? 'sent' : 'refused']++
          const { retryAfterMs } = provider
          if (isTaken) pace.passed({ round, latencyMs, now, isFull: sender.inFlight >= pace.size })
          else pace.refused({ round, now, notBefore: retryAfterMs === undefined ? undefined : now + retryAfterMs })
          sender.inFlight--
          fill(sender)
        })
      })
    }
  }

  for (; now < 40_000; now++) {
    tokens = Math.min(provider.burst, tokens + provider.perSecond / 1_000)
    for (const act of due.get(now) ?? []) act()
    due.delete(now)
    for (const sender of paces) fill(sender)
  }
  return seconds
}

t.test('a limit that nobody has told is found', async (t) => {
  const between = (from: number, to: number) => () => Math.round(from + Math.random() * (to - from))
  const usual: Provider = { perSecond: 5_000, burst: 500, latencyMs: between(30, 70), retryAfterMs: 1_000 }
  const cases: [name: string, provider: Provider, senders: number, used: number, refused: number][] = [
    ['5000 a second', usual, 1, 95, 2],
    ['which is answered at the same pace each time', { ...usual, latencyMs: () => 50 }, 1, 95, 2],
    ['at a pace that varies a lot', { ...usual, latencyMs: between(30, 230) }, 1, 95, 2],
    ['by a provider that names no time', { ...usual, retryAfterMs: undefined }, 1, 95, 2],
    ['and shared by four workers', usual, 4, 95, 2],
    ['with hardly any reserve', { ...usual, burst: 25 }, 1, 93, 2],
    ['500 a second', { ...usual, perSecond: 500, burst: 50 }, 1, 95, 4],
    ['100 a second, which is five at once', { ...usual, perSecond: 100, burst: 10 }, 1, 90, 6],
  ]
  for (const [name, provider, senders, least, most] of cases) {
    const found = simulate(provider, senders).slice(10, 40)
    const sum = (of: keyof Second) => found.reduce((total, second) => total + second[of], 0)
    const used = (100 * sum('sent')) / (provider.perSecond * found.length)
    const refused = (100 * sum('refused')) / (sum('sent') + sum('refused'))
    t.ok(used >= least, `${name}: ${used.toFixed(1)} % used`)
    t.ok(refused < most, `${name}: ${refused.toFixed(2)} % refused`)
  }
})

t.test('after an outage', async (t) => {
  const seconds = simulate({ perSecond: 5_000, burst: 500, latencyMs: () => 50, retryAfterMs: 1_000, outage: [15, 20] })
  const during = seconds.slice(16, 20).reduce((total, { refused }) => total + refused, 0)
  t.ok(during < 500, `few are pushed in vain: ${during}`)
  const after = seconds.slice(22, 30).map(({ sent }) => sent)
  t.ok(
    after.every((sent) => sent > 4_500),
    `it goes on as before: ${after.join(' ')}`,
  )
})
