// Providers in trouble, and what it costs: every target is settled exactly once, what was not sent is sent again at no risk,
// what nobody knows of goes again under the same id.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Platform } from '@push-server/contract'
import { startSimulator, type Failure } from '@push-server/simulator'
import t, { type Test } from 'tap'
import { apart, inOrder, kinds, push, together, tokenOf, tokensOf } from './_pushing.ts'
import { open, pushUntilSettled, type Address } from './_simulated.ts'

const PLATFORMS = ['ios', 'android', 'huawei'] as const

async function start(test: Test) {
  const simulator = await startSimulator({ keep: Infinity })
  test.teardown(() => simulator.stop())
  return simulator
}

/** Time enough for a response that arrives, on any machine. */
const IMPATIENT = { APNS_REQUEST_TIMEOUT: '2s', FCM_REQUEST_TIMEOUT: '2s', HMS_REQUEST_TIMEOUT: '2s' }

interface Scene {
  failure: Failure
  platforms: readonly Platform[]
  /** Whether a push can arrive twice, because nobody can know that it has arrived. */
  isUncertain: boolean
  code?: number
}

const SCENES: Scene[] = [
  { failure: 'refuse', platforms: ['ios', 'android'], isUncertain: false },
  { failure: 'goaway', platforms: PLATFORMS, isUncertain: false },
  { failure: 'goaway-unread', platforms: ['ios', 'android'], isUncertain: false },
  { failure: 'cancel', platforms: ['ios', 'android'], isUncertain: false },
  { failure: 'reset', code: 11, platforms: ['ios', 'android'], isUncertain: false },
  { failure: 'drop', platforms: PLATFORMS, isUncertain: true },
  { failure: 'lose', platforms: PLATFORMS, isUncertain: true },
  { failure: 'goaway-cut', platforms: PLATFORMS, isUncertain: true },
]

t.test('a few pushes of many', async (t) => {
  const simulator = await start(t)
  let first = 0
  for (const { failure, platforms, isUncertain, code } of SCENES) {
    for (const platform of platforms) {
      const name = `${failure}, on ${platform}`
      const tokens = tokensOf(60, (first += 100))
      for (const place of [7, 20, 21, 45]) simulator.respondTo(tokenOf(first + place), { failure, code, times: 1 })
      const chunk = apart(tokens)
      const { outcomes } = await pushUntilSettled(t, open(t, simulator, { platform }), chunk)
      t.strictSame(kinds(outcomes), { sent: 60 }, name)
      const ids = new Map(chunk.targets.map(({ token, pushId }) => [token, pushId]))
      const pushes = simulator.pushes.filter(({ token }) => ids.has(token))
      t.equal(new Set(pushes.map(({ token }) => token)).size, 60, `${name}: none is left out`)
      if (!isUncertain) t.equal(pushes.length, 60, `${name}: none arrives twice`)
      const others = pushes.filter((one) => one.platform === 'ios' && one.apnsId !== ids.get(one.token))
      t.strictSame(others, [], `${name}: always the same apns-id`)
    }
  }
})

t.test('no response to one push among many', async (t) => {
  const simulator = await start(t)
  const silent = tokenOf(3)
  simulator.respondTo(silent, { failure: 'silence', times: 1 })
  for (const platform of PLATFORMS) {
    simulator.respondTo(silent, { failure: 'silence', times: 1 })
    const outcomes = await push(t, open(t, simulator, { platform, environment: IMPATIENT }), apart(tokensOf(20)))
    t.strictSame(kinds(outcomes), { sent: 19, retry: 1 }, platform)
    t.match(outcomes.get(3), { kind: 'retry', reason: /^Timeout: / }, platform)
    simulator.forgetResponses()
  }
})

t.test('a connection to APNs begins with one stream, which costs nothing', async (t) => {
  const simulator = await start(t)
  const provider = open(t, simulator, { platform: 'ios' })
  t.strictSame(kinds(await push(t, provider, together(tokensOf(500)))), { sent: 500 })
  t.match(simulator.stats().ios, { requests: 500, received: 500, withoutResponse: 0 })
})

t.test('connections that allow less, or nothing for a while', async (t) => {
  const simulator = await start(t)
  for (const platform of ['ios', 'android'] as const) {
    const provider = open(t, simulator, { platform, environment: { FCM_CONNECTIONS: '1' } })
    const before = simulator.stats()[platform].requests
    t.strictSame(kinds(await push(t, provider, together(tokensOf(5)))), { sent: 5 }, platform)
    await simulator.configure(platform, { streams: 3, latencyMs: 5 })
    t.strictSame(kinds(await push(t, provider, together(tokensOf(100)))), { sent: 100 }, `${platform}: three streams`)
    await simulator.configure(platform, { streams: 0 })
    const pushed = push(t, provider, together(tokensOf(100)))
    await simulator.configure(platform, { streams: null })
    t.strictSame(kinds(await pushed), { sent: 100 }, `${platform}: none, and then all again`)
    t.equal(simulator.stats()[platform].received, before + 205, `${platform}: each once`)
  }
})

t.test('a provider that nobody can reach, and then again', async (t) => {
  const simulator = await start(t)
  for (const platform of PLATFORMS) {
    const provider = open(t, simulator, { platform })
    await push(t, provider, together([tokenOf(0)]))
    await simulator.configure(platform, { down: true })
    const pushed = pushUntilSettled(t, provider, together(tokensOf(50)))
    await simulator.configure(platform, { down: false })
    const { outcomes } = await pushed
    t.strictSame(kinds(outcomes), { sent: 50 }, platform)
    t.equal(simulator.stats()[platform].received, 51, platform)
  }
})

t.test('TLS that takes its time', async (t) => {
  const simulator = await start(t)
  for (const platform of ['ios', 'android'] as const) {
    await simulator.configure(platform, { handshakeMs: 300 })
    const before = performance.now()
    t.strictSame(kinds(await push(t, open(t, simulator, { platform }), together(tokensOf(20)))), { sent: 20 })
    t.ok(performance.now() - before >= 299)
  }
})

t.test('refused for the rate, a push comes again when the provider said, and not all of them at once', async (t) => {
  const simulator = await start(t)
  for (const platform of ['ios', 'android'] as const) {
    await simulator.configure(platform, { rate: { perSecond: 400, burst: 100, retryAfter: 1 }, latencyMs: 20 })
    const { attempts, outcomes } = await pushUntilSettled(t, open(t, simulator, { platform }), together(tokensOf(500)))
    t.strictSame(kinds(outcomes), { sent: 500 }, platform)
    t.ok(attempts <= 12, `${platform}: ${attempts} tries`)
    const { received, refused } = simulator.stats()[platform]
    t.equal(received, 500)
    t.ok(refused < 1_000, `${platform}: ${refused} refused`)
  }
})

t.test('a slow provider slows down no other', async (t) => {
  const simulator = await start(t)
  const slow = open(t, simulator, { platform: 'ios', environment: { APNS_REQUEST_TIMEOUT: '60s' } })
  const fast = open(t, simulator, { platform: 'android' })
  await push(t, slow, together([tokenOf(0)]))
  await simulator.configure('ios', { latencyMs: 8_000 })
  const before = performance.now()
  let isSlowDone = false
  const pushed = push(t, slow, together(tokensOf(300))).finally(() => (isSlowDone = true))
  for (let count = 0; count < 2; count++)
    t.strictSame(kinds(await push(t, fast, together(tokensOf(500)))), { sent: 500 })
  t.equal(isSlowDone, false, 'two chunks meanwhile')
  t.strictSame(kinds(await pushed), { sent: 300 })
  t.ok(performance.now() - before < 60_000, 'all at once, not one after another')
})

t.test('a provider that stops as a machine does', async (t) => {
  const child = fork(new URL('_simulator-process.ts', import.meta.url).pathname)
  t.teardown(() => child.kill('SIGKILL'))
  const [address] = (await once(child, 'message')) as [Address]
  for (const platform of PLATFORMS) {
    const provider = open(t, address, { platform, environment: IMPATIENT })
    t.strictSame(kinds(await push(t, provider, apart(tokensOf(10)))), { sent: 10 }, platform)
    child.kill('SIGSTOP')
    const frozen = await push(t, provider, apart(tokensOf(10)))
    for (const outcome of inOrder(frozen)) t.match(outcome, { kind: 'retry', reason: /^(Timeout|Unsent): / }, platform)
    t.equal(frozen.size, 10, platform)
    child.kill('SIGCONT')
    const { outcomes } = await pushUntilSettled(t, provider, apart(tokensOf(10)))
    t.strictSame(kinds(outcomes), { sent: 10 }, platform)
  }
})
