// Leases over a store that records what is requested of it: when they are renewed, and what keeps pushes from starting.
import { createLogger } from '@push-server/runtime'
import type { HeldChunk } from '@push-server/store'
import { EventEmitter, once } from 'node:events'
import t, { type Test } from 'tap'
import { openLeases } from '../src/delivery/leases.ts'

const LEASE_MS = 800
const log = createLogger({ logLevel: 'silent', logPretty: false }, 'test')

const chunk = (id: number, more: Partial<HeldChunk> = {}): HeldChunk => ({
  id,
  epoch: 1,
  applicationId: 1,
  platform: 'ios',
  lane: 'direct',
  runId: null,
  probe: false,
  ...more,
})

interface Scene {
  renew?(ids: readonly number[]): Promise<Set<number>>
  stopped?(held: readonly HeldChunk[]): Promise<Set<number>>
}

function play(t: Test, { renew = async (ids) => new Set(ids), stopped = async () => new Set() }: Scene) {
  const requests = new EventEmitter()
  const renewals: { id: number; at: number }[] = []
  const polls: (readonly HeldChunk[])[] = []
  const leases = openLeases({
    owner: 'worker',
    leaseMs: LEASE_MS,
    log,
    store: {
      chunks: {
        async renew(_owner: string, claims: readonly { id: number }[]) {
          const at = performance.now()
          for (const { id } of claims) renewals.push({ id, at })
          requests.emit('renewal')
          return renew(claims.map(({ id }) => id))
        },
        async stopped(held: readonly HeldChunk[]) {
          polls.push(held)
          requests.emit('poll')
          return stopped(held)
        },
      },
    },
  })
  t.teardown(() => leases.close())
  return { leases, renewals, polls, requests }
}

const aborted = async ({ signal }: { signal: AbortSignal }): Promise<unknown> => {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason
}

t.test('a lease is renewed once a quarter of it has passed, and again after another quarter', async (t) => {
  const { leases, renewals, polls, requests } = play(t, {})
  const heldAt = performance.now()
  const lease = leases.hold(chunk(1), heldAt)
  while (renewals.length < 3) await once(requests, 'renewal')
  for (const [index, { at }] of renewals.entries()) {
    const since = at - (renewals[index - 1]?.at ?? heldAt)
    t.ok(since >= LEASE_MS / 4, `renewed after ${Math.round(since)} ms of ${LEASE_MS}`)
  }
  t.ok(polls.length > renewals.length, 'pauses are looked for more often')
  t.notOk(lease.signal.aborted)
  lease.end()
})

t.test('what was settled before a quarter of its lease has passed is never renewed', async (t) => {
  const { leases, renewals, requests } = play(t, {})
  const lasting = leases.hold(chunk(1), performance.now())
  for (let id = 2; renewals.length < 2; id++) {
    const brief = leases.hold(chunk(id), performance.now())
    await once(requests, 'poll')
    brief.end()
  }
  t.ok(
    renewals.every(({ id }) => id === 1),
    'only the lease that lasts is written',
  )
  lasting.end()
})

t.test('a pause reaches all chunks that it stops, none of them renewed for it', async (t) => {
  let isPaused = false
  const { leases, requests } = play(t, {
    stopped: async (held) => new Set(held.flatMap(({ id, platform }) => (isPaused && platform === 'ios' ? id : []))),
  })
  const [first, second] = [leases.hold(chunk(1), performance.now()), leases.hold(chunk(2), performance.now())]
  const other = leases.hold(chunk(3, { platform: 'android' }), performance.now())
  await once(requests, 'poll')
  t.notOk(first.signal.aborted)
  isPaused = true
  t.same(await Promise.all([first, second].map(aborted)), ['paused', 'paused'])
  t.notOk(other.signal.aborted)
})

const never = () => new Promise<never>(() => {})
const fail = () => Promise.reject(new Error('out of reach'))

for (const [name, scene, reason] of [
  ['a claim that is lost', { renew: async () => new Set<number>() }, 'claim lost'],
  ['a renewal that fails', { renew: fail }, 'lease not renewed'],
  ['a renewal that hangs', { renew: never }, 'lease not renewed in time'],
  ['looking for pauses fails', { stopped: fail }, 'lease not renewed'],
  ['looking for pauses hangs', { stopped: never }, undefined],
] as const satisfies readonly (readonly [string, Scene, string | undefined])[])
  t.test(`no push starts after ${name}`, async (t) => {
    const { leases } = play(t, scene)
    const heldAt = performance.now()
    const lease = leases.hold(chunk(1), heldAt)
    const found = await aborted(lease)
    t.ok(performance.now() - heldAt <= LEASE_MS, 'before the lease has expired')
    t.match(found, reason ?? 'lease not renewed in time')
  })

t.test('before each push the age of the lease counts, not the last tick: a process may have been frozen', async (t) => {
  const { leases } = play(t, {})
  const lease = leases.hold(chunk(1), performance.now() - LEASE_MS / 2 - 1)
  t.notOk(lease.signal.aborted)
  lease.check()
  t.equal(lease.signal.reason, 'lease not renewed in time')
  const young = leases.hold(chunk(2), performance.now())
  young.check()
  t.notOk(young.signal.aborted)
})

t.test('what was pushed keeps its lease for the record, whatever happens', async (t) => {
  const { leases, renewals, requests } = play(t, { stopped: async (held) => new Set(held.map(({ id }) => id)) })
  const lease = leases.hold(chunk(1), performance.now())
  lease.pushed()
  while (renewals.length === 0) await once(requests, 'renewal')
  t.notOk(lease.signal.aborted)
})
