// The circuit breaker that protects device tables, in a worker: it counts responses about tokens and sends the counts to the store
// once a second, and at once before doubtful tokens are dropped.
import type { Platform } from '@push-server/contract'
import { isAboutToken, type Outcome } from '@push-server/providers'
import {
  BREAKER_RECENT,
  type BreakerCount,
  type BreakerState,
  type DeadToken,
  type UsedCredentials,
} from '@push-server/store'
import type { Context } from '../context.ts'
import { openCredentialProofs, scopeOf, type ProofDevice } from './credential-proofs.ts'

export interface TokenCircuitBreaker {
  /** Counts the outcome of a push to this device if it says something about a token. */
  learn(used: UsedCredentials, device: ProofDevice, outcome: Outcome): void
  /** Resolves with the tokens that may be dropped now. */
  admit(used: UsedCredentials, deadTokens: readonly DeadToken[]): Promise<readonly DeadToken[]>
  close(): Promise<void>
}

const SEND_MS = 1000

export function openTokenCircuitBreaker(context: Context, platform: Platform): TokenCircuitBreaker {
  const { config, log, metrics, store } = context
  const proofs = openCredentialProofs(context, platform)
  const limits = { percent: config.breakerPercent, pushes: config.breakerPushes, recent: config.breakerRecent }
  let counts = new Map<number, TokenCounts>()

  function report({ applicationId, justOpened }: BreakerState): void {
    if (!justOpened) return
    metrics.breakerOpened(platform)
    log.error(
      { applicationId, platform },
      'circuit breaker opened: too many tokens are refused as if they belonged to another application or environment; ' +
        'campaigns are paused, no doubtful token is dropped, devices dropped in the last hour are restored',
    )
  }

  /** Resolves with the applications among those counted whose breaker is open. */
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

  const warn = (error: unknown) => log.warn({ err: error, platform }, 'circuit breaker counting failed')

  let sending: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // Counts that are lost while the database is unavailable do no harm: no device is dropped then either.
    sending = send().catch(warn)
  }, SEND_MS)

  return {
    learn(used, device, outcome) {
      if (!isAboutToken(outcome)) return
      countsOf(used.applicationId).add(outcome.kind === 'token-doubtful')
      if (outcome.kind === 'sent') proofs.succeeded(used, scopeOf(device))
    },
    async admit(used, deadTokens) {
      if (!deadTokens.some(({ doubtful }) => doubtful)) return deadTokens
      const { applicationId } = used
      const certain = deadTokens.filter(({ doubtful }) => !doubtful)
      const doubtful = await proofs.admit(
        used,
        deadTokens.filter((token) => token.doubtful),
      )
      // Creates a count of zero when all were just sent: the store's response is needed in any case.
      countsOf(applicationId)
      const opened = await send()
      return opened.has(applicationId) ? certain : [...certain, ...doubtful]
    },
    async close() {
      clearInterval(timer)
      await sending
      await send().catch(warn)
      await proofs.close()
    },
  }
}

/** Responses about an application's tokens since its counts were last sent. */
class TokenCounts {
  pushes = 0
  doubtful = 0
  /** Ring buffer of the last responses: 1 = doubtful. */
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
