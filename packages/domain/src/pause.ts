// A wait that ends early when its signal is aborted.
import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves after `ms`, or once the signal is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
