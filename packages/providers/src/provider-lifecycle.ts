// The life of every provider: its state follows its pushes, and chunks in delivery finish before the connections close.
import { boundOutcome } from './outcome-bounds.ts'
import type { Outcome, Provider, ProviderState, PushChunk, PushOptions } from './provider.ts'

export interface ProviderParts {
  /** For the error of a push after the close. */
  name: string
  /** ms since the epoch. */
  now: () => number
  push(chunk: PushChunk, options: PushOptions): Promise<void>
  /** Called once nothing is in flight. */
  closeConnections(): Promise<unknown>
}

export function createProvider({ name, now, push, closeConnections }: ProviderParts): Provider {
  const underWay = new Set<Promise<void>>()
  const state: ProviderState = { connection: 'idle' }
  let closing: Promise<unknown> | undefined

  async function close() {
    await Promise.allSettled(underWay)
    await closeConnections()
  }

  return {
    async push(chunk, options) {
      if (closing) throw new Error(`the ${name} provider is closed`)
      const pushed = push(chunk, observed(state, options, now))
      underWay.add(pushed)
      await pushed.finally(() => underWay.delete(pushed))
    },
    state: () => ({ ...state }),
    async close() {
      closing ??= close()
      await closing
    },
  }
}

/** The same options, whose calls update the state as well. */
const observed = (state: ProviderState, options: PushOptions, now: () => number): PushOptions => ({
  signal: options.signal,
  settle(index, received) {
    const outcome = boundOutcome(received, now)
    if (isPutOff(outcome)) state.failure = { reason: outcome.reason, at: now() }
    options.settle(index, outcome)
  },
  responded(seconds) {
    state.connection = 'up'
    options.responded?.(seconds)
  },
  withoutResponse(reason) {
    state.connection = 'down'
    options.withoutResponse?.(reason)
  },
})

const isPutOff = (outcome: Outcome) => outcome.kind === 'retry' || outcome.kind === 'credentials-error'
