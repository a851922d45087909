// The guard of device tables, as a worker asks it: pushes are counted here and told to the store once a second, or at once
// before tokens of doubtful death are dropped.
import type { Platform } from '@push-server/contract'
import { BREAKER_RECENT, type DeadToken, type BreakerCount, type BreakerState } from '@push-server/store'
import type { Context } from '../context.ts'

export interface TokenCircuitBreaker {
  /** Counts an answer about a token. */
  count(applicationId: number, doubtful: boolean): void
  /** Those of the tokens that may be dropped now. */
  admit(applicationId: number, deadTokens: readonly DeadToken[]): Promise<readonly DeadToken[]>
  close(): Promise<void>
}

const SEND_MS = 1000

export function openTokenCircuitBreaker(
  { config, log, metrics, store }: Context,
  platform: Platform,
): TokenCircuitBreaker {
  const limits = { percent: config.breakerPercent, pushes: config.breakerPushes, recent: config.breakerRecent }
  let counts = new Map<number, TokenCounts>()

  function report({ applicationId, justOpened }: BreakerState): void {
    if (!justOpened) return
    metrics.breakerOpened(platform)
    log.error(
      { applicationId, platform },
      'guard tripped: too many tokens are refused as if they were of another application or environment; ' +
        'campaigns are paused, no token is dropped, and the drops of the last hour are undone',
    )
  }

  /** Answers the applications among those counted whose guard is tripped. */
  async function send(): Promise<Set<number>> {
    const reported = counts
    if (reported.size === 0) return new Set()
    counts = new Map()
    const opened = await store.breakers.count(platform, [...reported].map(countOf), limits)
    opened.forEach(report)
    return new Set(opened.map(({ applicationId }) => applicationId))
  }

  function countsOf(applicationId: number): TokenCounts {
    let tokenCounts = counts.get(applicationId)
    if (!tokenCounts) counts.set(applicationId, (tokenCounts = new TokenCounts()))
    return tokenCounts
  }

  let sending: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // What is not counted while the database is away is no loss: nothing is dropped then either.
    sending = send().catch((error: unknown) => log.warn({ err: error, platform }, 'the guard could not count'))
  }, SEND_MS)

  return {
    count: (applicationId, doubtful) => countsOf(applicationId).add(doubtful),
    async admit(applicationId, deadTokens) {
      if (!deadTokens.some(({ doubtful }) => doubtful)) return deadTokens
      // Also when others have just told what was counted: the answer is what matters.
      countsOf(applicationId)
      const opened = await send()
      return opened.has(applicationId) ? deadTokens.filter(({ doubtful }) => !doubtful) : deadTokens
    },
    async close() {
      clearInterval(timer)
      await sending
      await send().catch((error: unknown) => log.warn({ err: error, platform }, 'the guard could not count'))
    },
  }
}

/** What was said of an application's tokens since it was last told. */
class TokenCounts {
  pushes = 0
  doubtful = 0
  /** Of the last of them, round and round: 1 = doubtful. */
  readonly #recent = new Uint8Array(BREAKER_RECENT)

  add(doubtful: boolean) {
    const mark = doubtful ? 1 : 0
    this.#recent[this.pushes++ % BREAKER_RECENT] = mark
    this.doubtful += mark
  }

  /** Oldest first. */
  recent(): string {
    const start = this.pushes % BREAKER_RECENT
    if (this.pushes <= BREAKER_RECENT) return this.#recent.subarray(0, this.pushes).join('')
    return this.#recent.subarray(start).join('') + this.#recent.subarray(0, start).join('')
  }
}

const countOf = ([applicationId, tokenCounts]: [number, TokenCounts]): BreakerCount => ({
  applicationId,
  pushes: tokenCounts.pushes,
  doubtful: tokenCounts.doubtful,
  recent: tokenCounts.recent(),
})
