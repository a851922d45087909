// Counts per platform: of all requests, also of those no phone is kept for.
import { PLATFORMS, type Platform } from '@push-server/contract'

export interface Counts {
  /** Pushes accepted. */
  received: number
  /** Requests, accepted or not. */
  requests: number
  /** How many different tokens were pushed to. */
  distinctTokens: number
  /** Requests by the HTTP status they were answered with. */
  byStatus: Record<string, number>
  /** Requests that got no answer on purpose: silence, reset, cut connection. */
  unanswered: number
}
export type Stats = Record<Platform, Counts>

export type Result = { status: number; token: string } | 'unanswered'

export function createCounter() {
  const seen = Object.fromEntries(PLATFORMS.map((platform) => [platform, createSeen()])) as Record<Platform, Seen>
  return {
    add(platform: Platform, result: Result) {
      const { counts, tokens } = seen[platform]
      counts.requests += 1
      if (result === 'unanswered') return void (counts.unanswered += 1)
      counts.byStatus[result.status] = (counts.byStatus[result.status] ?? 0) + 1
      if (result.status !== 200) return
      counts.received += 1
      tokens.add(result.token)
    },
    stats: () =>
      Object.fromEntries(
        PLATFORMS.map((platform) => {
          const { counts, tokens } = seen[platform]
          return [platform, { ...counts, distinctTokens: tokens.size, byStatus: { ...counts.byStatus } }]
        }),
      ) as Stats,
  }
}

type Seen = ReturnType<typeof createSeen>
const createSeen = () => ({
  counts: { received: 0, requests: 0, byStatus: {} as Record<string, number>, unanswered: 0 },
  tokens: new Set<string>(),
})
