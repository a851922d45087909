// The concurrency limit: its rules one by one, then what it does with a provider that has a limit, in a time that is only counted.
import t from 'tap'
import { createLimiter, type LimiterOptions } from '../src/concurrency/limiter.ts'
import { createLimit, type LimitOptions } from '../src/concurrency/limit.ts'
import type { Outcome } from '../src/index.ts'

/** A limit whose pushes all take 50 ms. */
function scene(options: LimitOptions) {
  const limit = createLimit(options)
  const clock = { now: 1_000_000 }
  return {
    limit,
    clock,
    /** So many round trips of as many pushes as there may be, all of which go through. */
    goWell(rounds: number, latencyMs = 50) {
      for (let roundTrip = 0; roundTrip < rounds; roundTrip++) {
        const { size, roundTrip: started } = limit
        clock.now += latencyMs
        for (let count = 0; count < size; count++)
          limit.passed({ roundTrip: started, latencyMs, now: clock.now, isFull: true })
      }
      return limit.size
    },
    /** One round trip, of which so many are refused after the others have passed. */
    refuse(refusals: number, passes = 0, notBefore?: number) {
      const { roundTrip } = limit
      for (let count = 0; count < passes; count++)
        limit.passed({ roundTrip, latencyMs: 50, now: clock.now, isFull: false })
      for (let count = 0; count < refusals; count++) limit.refused({ roundTrip, now: clock.now, notBefore })
      return limit.size
    },
  }
}

t.test('the size', async (t) => {
  t.test('begins with a chunk, doubles, and ends at the most there may be', async (t) => {
    const { limit, goWell } = scene({ most: 3_000 })
    t.equal(limit.size, 1_000)
    t.equal(goWell(1), 2_000)
    t.equal(goWell(1), 3_000)
    t.equal(goWell(5), 3_000)
    t.equal(scene({ most: 16 }).limit.size, 16)
    t.equal(scene({ most: 0 }).limit.size, 1)
  })

  t.test('stays where it is while it is not what stands in the way', async (t) => {
    const { limit } = scene({ most: 4_000 })
    for (let count = 0; count < 5_000; count++)
      limit.passed({ roundTrip: limit.roundTrip, latencyMs: 50, now: count, isFull: false })
    t.equal(limit.size, 1_000)
  })

  const decreases: [name: string, passes: number, refusals: number, size: number][] = [
    ['a single refusal among many takes a twentieth', 999, 1, 475],
    ['so do those that had started before the cut', 990, 10, 475],
    ['one among five takes about a fifth', 4, 1, 388],
    ['nothing takes more than a half', 0, 500, 250],
  ]
  for (const [name, passes, refusals, size] of decreases) {
    t.test(`cut: ${name}`, async (t) => {
      t.equal(scene({ most: 500 }).refuse(refusals, passes), size)
    })
  }

  t.test('is halved at least where that is set, and never below one', async (t) => {
    const { refuse } = scene({ most: 16, leastDecrease: 0.5 })
    t.equal(refuse(1, 100), 8)
    t.strictSame([refuse(1, 100), refuse(1, 100), refuse(1, 100), refuse(1, 100)], [4, 2, 1, 1])
  })

  t.test('grows by little after a cut, and always', async (t) => {
    const { refuse, goWell } = scene({ most: 4_000 })
    t.equal(refuse(1, 999), 950)
    const after = goWell(10)
    t.ok(after >= 965 && after <= 971, `two for each round trip: ${after}`)
    const small = scene({ most: 16, leastDecrease: 0.5 })
    t.equal(small.refuse(1, 100), 8)
    t.ok(small.goWell(20) >= 9)
    t.equal(small.goWell(200), 16)
  })

  t.test('comes back at once after a time in which nothing went through', async (t) => {
    const { refuse, goWell } = scene({ most: 1_000 })
    refuse(1, 999)
    goWell(1)
    for (let count = 0; count < 9; count++) refuse(500)
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

  t.test('is told from delays of our own machine: not every push of a round trip is slow then', async (t) => {
    const { limit, clock, goWell } = scene({ most: 500 })
    goWell(10, 100)
    for (let roundTrip = 0; roundTrip < 10; roundTrip++) {
      const { roundTrip: started } = limit
      clock.now += 400
      for (let count = 0; count < 500; count++)
        limit.passed({ roundTrip: started, latencyMs: count === 250 ? 110 : 400, now: clock.now, isFull: true })
    }
    t.equal(limit.size, 500)
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

  t.test('is judged by pushes that have started since, not before', async (t) => {
    const { limit, clock, goWell } = scene({ most: 500 })
    goWell(10, 100)
    const { roundTrip } = limit
    goWell(2, 1_000)
    const decrease = limit.size
    for (let count = 0; count < 500; count++)
      limit.passed({ roundTrip, latencyMs: 1_000, now: clock.now, isFull: true })
    t.equal(limit.size, decrease)
  })
})

t.test('everything waits', async (t) => {
  t.test('when most is refused: until the time named, the latest of them', async (t) => {
    const { limit, clock, refuse } = scene({ most: 500 })
    refuse(1, 0, clock.now + 30_000)
    t.equal(limit.heldUntil, clock.now + 30_000)
    refuse(1, 0, clock.now + 10_000)
    t.equal(limit.heldUntil, clock.now + 30_000)
  })

  t.test('for 1 s, 2 s and so on up to a minute when none is named, from the beginning after a success', async (t) => {
    const { limit, clock, refuse } = scene({ most: 500 })
    const waits = Array.from({ length: 8 }, () => {
      refuse(20)
      const wait = limit.heldUntil - clock.now
      clock.now = limit.heldUntil
      return wait
    })
    t.strictSame(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
    refuse(0, 1)
    refuse(200)
    t.equal(limit.heldUntil, clock.now + 1_000)
  })

  t.test('not when it is a few that are refused', async (t) => {
    const { limit, clock, refuse } = scene({ most: 500 })
    refuse(100, 400, clock.now + 30_000)
    t.equal(limit.heldUntil, 0)
  })
})

t.test('a limiter', async (t) => {
  const REFUSED: Outcome = { kind: 'retry', reason: 'Busy' }
  const scene = (options: Partial<LimiterOptions> = {}) => {
    const clock = { now: 1_000_000 }
    const held: unknown[] = []
    const limiter = createLimiter({ most: 10, now: () => clock.now, onHeld: (one) => held.push(one), ...options })
    const open: (() => void)[] = []
    const { signal } = new AbortController()
    const startAll = (count: number) =>
      limiter.startAll({
        items: Array.from({ length: count }, () => ({})),
        signal,
        start: (_, done) => (limiter.held() ? done() : open.push(done)),
      })
    return { clock, limiter, held, open, startAll }
  }

  t.test('has no more in flight than the connections can take', async (t) => {
    let capacity = 3
    const { open, startAll } = scene({ capacity: () => capacity })
    void startAll(20)
    t.equal(open.length, 3)
    capacity = 100
    open.shift()?.()
    t.equal(open.length, 10, 'nor than the limit allows')
  })

  t.test('waits a short while by itself', async (t) => {
    const { limiter, held, open, startAll } = scene({ now: Date.now })
    const waitFor = Date.now() + 150
    limiter.refused(limiter.start(), { ...REFUSED, notBefore: waitFor })
    t.match(limiter.held(), { kind: 'retry', reason: 'Unsent: Busy', notBefore: waitFor })
    const started = startAll(2)
    t.equal(open.length, 0)
    const [first, second] = await Promise.all([nextOf(open, 0), nextOf(open, 1)])
    t.ok(Date.now() >= waitFor)
    first()
    second()
    await started
    t.match(held, [{ waitMs: Number, reason: 'Busy', size: 5 }])
  })

  t.test('hands back what would wait for long', async (t) => {
    const { clock, limiter, open, startAll } = scene()
    limiter.refused(limiter.start(), { ...REFUSED, notBefore: clock.now + 30_000 })
    await startAll(1_000)
    t.equal(open.length, 0)
    clock.now += 30_000
    void startAll(3)
    t.equal(open.length, 3)
  })

  t.test('tells once that everything waits', async (t) => {
    const { clock, limiter, held } = scene()
    for (const seconds of [2, 3, 4])
      limiter.refused(limiter.start(), { ...REFUSED, notBefore: clock.now + seconds * 1_000 })
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

/** Senders with work without end, each with a limit of its own, for 40 s that pass in no time. */
function simulate(provider: Provider, senders = 1): Second[] {
  const seconds = Array.from({ length: 41 }, (): Second => ({ sent: 0, refused: 0 }))
  const due = new Map<number, (() => void)[]>()
  const senderStates = Array.from({ length: senders }, () => ({ limit: createLimit({ most: 1_000 }), inFlight: 0 }))
  let now = 0
  let tokens = provider.burst

  const at = (time: number, act: () => void) => {
    const acts = due.get(Math.ceil(time)) ?? []
    acts.push(act)
    due.set(Math.ceil(time), acts)
  }
  const isUnavailable = ([from, to] = provider.outage ?? [0, 0]) => now >= from * 1_000 && now < to * 1_000
  const takes = () => !isUnavailable() && tokens >= 1 && tokens-- >= 1

  function fill(sender: (typeof senderStates)[number]) {
    const { limit } = sender
    while (now >= limit.heldUntil && sender.inFlight < limit.size) {
      sender.inFlight++
      const [roundTrip, latencyMs] = [limit.roundTrip, provider.latencyMs()]
      at(now + latencyMs / 2, () => {
        const isTaken = takes()
        at(now + latencyMs / 2, () => {
          const second = seconds[Math.floor(now / 1_000)] as Second
          second[isTaken ? 'sent' : 'refused']++
          const { retryAfterMs } = provider
          if (isTaken) limit.passed({ roundTrip, latencyMs, now, isFull: sender.inFlight >= limit.size })
          else limit.refused({ roundTrip, now, notBefore: retryAfterMs === undefined ? undefined : now + retryAfterMs })
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
    for (const sender of senderStates) fill(sender)
  }
  return seconds
}

t.test('an unpublished limit is found', async (t) => {
  const between = (from: number, to: number) => () => Math.round(from + Math.random() * (to - from))
  const usual: Provider = { perSecond: 5_000, burst: 500, latencyMs: between(30, 70), retryAfterMs: 1_000 }
  const cases: [name: string, provider: Provider, senders: number, used: number, refused: number][] = [
    ['5000 a second', usual, 1, 95, 2],
    ['with the same latency each time', { ...usual, latencyMs: () => 50 }, 1, 95, 2],
    ['with a latency that varies a lot', { ...usual, latencyMs: between(30, 230) }, 1, 95, 2],
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
