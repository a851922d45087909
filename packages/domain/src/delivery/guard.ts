// The guard of device tables, as a worker asks it: pushes are counted here and told to the store once a second, or at once
// before tokens of doubtful death are dropped.
import type { Platform } from '@push-server/contract'
import { GUARD_RECENT, type DeadToken, type GuardCount, type GuardState } from '@push-server/store'
import type { Context } from '../context.ts'

export interface Guard {
  /** Counts an answer about a token. */
  count(applicationId: number, doubtful: boolean): void
  /** Those of the tokens that may be dropped now. */
  admit(applicationId: number, deadTokens: readonly DeadToken[]): Promise<readonly DeadToken[]>
  close(): Promise<void>
}

const TELL_MS = 1000

export function openGuard({ config, log, metrics, store }: Context, platform: Platform): Guard {
  const limits = { percent: config.guardPercent, pushes: config.guardPushes, recent: config.guardRecent }
  let counts = new Map<number, TokenAnswers>()

  function report({ applicationId, justTripped }: GuardState): void {
    if (!justTripped) return
    metrics.tripped(platform)
    log.error(
      { applicationId, platform },
      'guard tripped: too many tokens are refused as if they were of another application or environment; ' +
        'campaigns are paused, no token is dropped, and the drops of the last hour are undone',
    )
  }

  /** Answers the applications among those counted whose guard is tripped. */
  async function tell(): Promise<Set<number>> {
    const told = counts
    if (told.size === 0) return new Set()
    counts = new Map()
    const tripped = await store.guards.count(platform, [...told].map(countOf), limits)
    tripped.forEach(report)
    return new Set(tripped.map(({ applicationId }) => applicationId))
  }

  function answersOf(applicationId: number): TokenAnswers {
    let answers = counts.get(applicationId)
    if (!answers) counts.set(applicationId, (answers = new TokenAnswers()))
    return answers
  }

  let telling: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    // What is not counted while the database is away is no loss: nothing is dropped then either.
    telling = tell().catch((error: unknown) => log.warn({ err: error, platform }, 'the guard could not count'))
  }, TELL_MS)

  return {
    count: (applicationId, doubtful) => answersOf(applicationId).add(doubtful),
    async admit(applicationId, deadTokens) {
      if (!deadTokens.some(({ doubtful }) => doubtful)) return deadTokens
      // Also when others have just told what was counted: the answer is what matters.
      answersOf(applicationId)
      const tripped = await tell()
      return tripped.has(applicationId) ? deadTokens.filter(({ doubtful }) => !doubtful) : deadTokens
    },
    async close() {
      clearInterval(timer)
      await telling
      await tell().catch((error: unknown) => log.warn({ err: error, platform }, 'the guard could not count'))
    },
  }
}

/** What was said of an application's tokens since it was last told. */
class TokenAnswers {
  pushes = 0
  doubtful = 0
  /** Of the last of them, round and round: 1 = doubtful. */
  readonly #recent = new Uint8Array(GUARD_RECENT)

  add(doubtful: boolean) {
    const mark = doubtful ? 1 : 0
    this.#recent[this.pushes++ % GUARD_RECENT] = mark
    this.doubtful += mark
  }

  /** Oldest first. */
  recent(): string {
    const turn = this.pushes % GUARD_RECENT
    if (this.pushes <= GUARD_RECENT) return this.#recent.subarray(0, this.pushes).join('')
    return this.#recent.subarray(turn).join('') + this.#recent.subarray(0, turn).join('')
  }
}

const countOf = ([applicationId, answers]: [number, TokenAnswers]): GuardCount => ({
  applicationId,
  pushes: answers.pushes,
  doubtful: answers.doubtful,
  recent: answers.recent(),
})
