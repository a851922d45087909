// The end of a provider, which is the same for all of them: chunks under way finish before the connections close.
import type { Provider, PushChunk, PushOptions } from './provider.ts'

export interface ProviderParts {
  /** For the error of a push that comes too late. */
  name: string
  push(chunk: PushChunk, options: PushOptions): Promise<void>
  /** Closes the connections, once nothing is in flight. */
  release(): Promise<unknown>
}

export function providerOf({ name, push, release }: ProviderParts): Provider {
  const underWay = new Set<Promise<void>>()
  let closing: Promise<unknown> | undefined

  async function close() {
    await Promise.allSettled(underWay)
    await release()
  }

  return {
    async push(chunk, options) {
      if (closing) throw new Error(`the ${name} provider is closed`)
      const pushed = push(chunk, options)
      underWay.add(pushed)
      await pushed.finally(() => underWay.delete(pushed))
    },
    async close() {
      closing ??= close()
      await closing
    },
  }
}
