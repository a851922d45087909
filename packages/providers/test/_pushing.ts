// What tests of a provider push with: a token cache in memory, and a push whose outcomes are collected.
import type { Test } from 'tap'
import type { Outcome, Provider, ProviderToken, PushChunk, TokenCache } from '../src/index.ts'

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
