// Counts per platform, over all requests, also those for which no phone is kept. A request to Huawei has up to 1000 pushes, so
// pushes and requests are counted separately.
import { PLATFORMS, type Platform } from '@push-server/contract'

export interface Counts {
  /** Pushes accepted. */
  received: number
  /** Pushes refused. */
  refused: number
  /** Requests to push, accepted or not. */
  requests: number
  /** Number of different tokens that were pushed to. */
  distinctTokens: number
  /** Requests by the HTTP status of their response. */
  byStatus: Record<string, number>
  /** Requests that got no response on purpose: silence, reset, cut connection. */
  withoutResponse: number
}
export type Stats = Record<Platform, Counts>

export interface CountedRequest {
  status: number
  accepted: readonly { token: string }[]
  refused: number
}

export function createCounter() {
  const seen = Object.fromEntries(PLATFORMS.map((platform) => [platform, createSeen()])) as Record<Platform, Seen>
  return {
    count(platform: Platform, { status, accepted, refused }: CountedRequest) {
      const { counts, tokens } = seen[platform]
      counts.requests += 1
      counts.byStatus[status] = (counts.byStatus[status] ?? 0) + 1
      counts.received += accepted.length
      counts.refused += refused
      for (const { token } of accepted) tokens.add(token)
    },
    countWithoutResponse(platform: Platform, accepted: CountedRequest['accepted'] = []) {
      const { counts, tokens } = seen[platform]
      counts.requests += 1
      counts.withoutResponse += 1
      counts.received += accepted.length
      for (const { token } of accepted) tokens.add(token)
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
  counts: { received: 0, refused: 0, requests: 0, byStatus: {} as Record<string, number>, withoutResponse: 0 },
  tokens: new Set<string>(),
})
