// Messages that phones of HarmonyOS have seen: one of an `appMessageId` is shown once within a day. Bounded: the oldest are forgotten.
import { isRecord, readText } from '../json.ts'

const KEPT = 10_000

export function createSeenMessages() {
  const seen = new Set<string>()

  function isNew(key: string): boolean {
    if (seen.has(key)) return false
    seen.add(key)
    const [oldest] = seen
    if (seen.size > KEPT && oldest !== undefined) seen.delete(oldest)
    return true
  }

  return {
    /** Those of the tokens whose phones have not seen the message; all, where it has no id. */
    unseen(tokens: readonly string[], message: Readonly<Record<string, unknown>>): readonly string[] {
      const id = idOf(message)
      return id === undefined ? tokens : tokens.filter((token) => isNew(`${token}/${id}`))
    },
  }
}

function idOf({ payload }: Readonly<Record<string, unknown>>): string | undefined {
  const notification = isRecord(payload) ? payload['notification'] : undefined
  return isRecord(notification) ? readText(notification['appMessageId']) : undefined
}
