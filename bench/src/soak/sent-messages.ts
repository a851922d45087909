// What was accepted, and what has therefore to arrive: every push is identified by the title of its message and the token.
import type { Push } from '@push-server/simulator'

export interface Balance {
  expected: number
  received: number
  /** Accepted and never received. */
  lost: string[]
  /** Received, though it was not accepted. */
  strays: number
  /** Received once more than once, each time counted. */
  duplicated: number
}

export interface SentMessages {
  /** A title that no other message has. */
  newTitle(): string
  /** Accepted: it has to reach each of the tokens. */
  expect(title: string, tokens: readonly string[]): void
  messageIds: string[]
  runs: { campaignId: string; users: number }[]
  balance(pushes: readonly Push[]): Balance
}

export function createSentMessages(): SentMessages {
  const expected = new Set<string>()
  let titles = 0
  return {
    newTitle: () => `message ${++titles}`,
    expect(title, tokens) {
      for (const token of tokens) expected.add(keyOf(title, token))
    },
    messageIds: [],
    runs: [],
    balance(pushes) {
      const seen = new Set<string>()
      let received = 0
      for (const push of pushes) {
        const key = keyOf(titleOf(push), push.token)
        received++
        seen.add(key)
      }
      const lost = [...expected].filter((key) => !seen.has(key))
      const strays = [...seen].filter((key) => !expected.has(key)).length
      return { expected: expected.size, received, lost, strays, duplicated: received - seen.size }
    },
  }
}

const keyOf = (title: string, token: string) => `${title} to ${token}`

interface Shown {
  title?: string
}

function titleOf({ platform, payload }: Push): string {
  if (platform === 'ios') return (payload.aps as { alert?: Shown } | undefined)?.alert?.title ?? ''
  return (payload.android as { notification?: Shown } | undefined)?.notification?.title ?? ''
}
