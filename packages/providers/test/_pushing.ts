// What tests of a provider push with: chunks, a token cache in memory, and a push whose outcomes are collected.
import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import type { Outcome, Provider, ProviderToken, PushChunk, PushMessage, PushTarget, TokenCache } from '../src/index.ts'

const HOUR = 3_600_000

/** How the whole run is to speak HTTP/2. */
export const transport = process.env.HTTP2_TRANSPORT === 'node' ? 'node' : 'lean'

/** What the store does, in memory. `minted` are the tokens made, `kept` the one it would hand out. */
export class MemoryTokens implements TokenCache {
  kept: ProviderToken | undefined
  minted: string[] = []
  keys: string[] = []
  failure: Error | undefined

  async take(key: string, isFresh: (token: ProviderToken) => boolean, mint: () => Promise<ProviderToken>) {
    this.keys.push(key)
    await Promise.resolve()
    if (this.failure) throw this.failure
    if (this.kept && isFresh(this.kept)) return this.kept
    this.kept = await mint()
    this.minted.push(this.kept.value)
    return this.kept
  }

  /** A token that another worker minted so long ago. */
  keep(value: string, ageMs: number) {
    const issuedAt = Date.now() - ageMs
    this.kept = { value, issuedAt, expiresAt: issuedAt + HOUR }
    return this
  }
}

/** A token that every provider takes, and that has none of the simulator's prefixes. */
export const tokenOf = (index: number) => `a0${index.toString(16).padStart(62, '0')}`
export const tokensOf = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => tokenOf(first + index))
export const targetOf = (token: string, message = 0): PushTarget => ({ token, pushId: randomUUID(), message })

export const HELLO = {
  body: { title: 'Hello', body: 'World' },
  silent: false,
  priority: 'HIGH',
} as const satisfies PushMessage

/** One message for all. */
export const together = (tokens: readonly string[]): PushChunk => ({
  messages: [HELLO],
  targets: tokens.map((token) => targetOf(token)),
})

/** A message for each, so that HMS gets a request for each. */
export const apart = (tokens: readonly string[]): PushChunk => ({
  messages: tokens.map((_, index) => ({ ...HELLO, body: { title: String(index), body: 'World' } })),
  targets: tokens.map((token, index) => targetOf(token, index)),
})

/** Pushes and collects what was settled, by index. A second outcome for one index fails the test. */
export async function push(test: Test, provider: Provider, chunk: PushChunk, controller = new AbortController()) {
  const outcomes = new Map<number, Outcome>()
  await provider.push(chunk, {
    signal: controller.signal,
    settle(index, outcome) {
      if (outcomes.has(index)) test.fail(`target ${index} was settled twice`)
      outcomes.set(index, outcome)
    },
  })
  return outcomes
}

export const inOrder = (outcomes: Map<number, Outcome>) =>
  [...outcomes].sort(([a], [b]) => a - b).map(([, outcome]) => outcome)
export const kinds = (outcomes: Map<number, Outcome>) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(outcomes.values(), ({ kind }) => kind)).map(([kind, all]) => [kind, all.length]),
  )
