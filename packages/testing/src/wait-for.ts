// Waiting for what has no event to listen to, such as a row that another process changes.
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resolves with the first value that is neither undefined nor false; rejects with `what` after `ms`, which are for what hangs:
 * a slow machine has to come to it as well.
 */
export async function waitFor<T>(
  what: string,
  read: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 300_000,
): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const seen = await read()
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > deadline) throw new Error(`Waited ${ms} ms in vain for: ${what}`)
    await sleep(20)
  }
}
