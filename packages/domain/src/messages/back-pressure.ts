// Back-pressure: when the backlog of a platform grows too large, new messages to it are refused before they are stored. Refused are
// the applications that hold too much of the backlog. The same poll of the database reads the quotas of applications.
import { PLATFORMS, unavailable, type Platform } from '@push-server/contract'
import type { ApplicationQuota } from '@push-server/store'
import type { Context } from '../context.ts'
import { createBacklogLimits, type Refused } from './backlog-limits.ts'

const REFRESH_MS = 2000
/** Reading a large backlog takes long. It may take a twentieth of the time at most. */
const REST_PER_READ = 20
const RETRY_AFTER_S = 10

/** Milliseconds from a reading that took `readMs` to the next one. */
export const restAfter = (readMs: number): number => Math.max(REFRESH_MS, readMs * REST_PER_READ)

export interface BackPressure {
  /** Throws 503 when the application is over its backlog limit on one of the platforms. */
  check(applicationId: number, platforms: Iterable<Platform>): void
  /** The row of the application in the table of quotas; undefined when there is none. */
  quotaOf(appId: string): ApplicationQuota | undefined
  close(): Promise<void>
}

/** Polls at once and then every two seconds, not at each request. While the database is unavailable, the last state holds. */
export async function openBackPressure({ config, store, metrics, log }: Context): Promise<BackPressure> {
  const limits = createBacklogLimits({ platform: config.backlogLimit, application: config.quotaAppBacklog })
  let quotas = new Map<string, ApplicationQuota>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function report({ began, ended }: { began: readonly Refused[]; ended: readonly Refused[] }): void {
    for (const refused of began) log.error(refused, 'backlog limit reached, refusing new messages')
    for (const refused of ended) log.warn(refused, 'backlog below its limit, accepting messages again')
    for (const platform of PLATFORMS) metrics.refusing(platform, limits.refusesOn(platform))
  }

  async function refresh(): Promise<void> {
    const start = performance.now()
    try {
      const [waiting, ofApplications] = await Promise.all([store.waiting(), store.quotas.ofApplications()])
      quotas = new Map(ofApplications.map((quota) => [quota.appId, quota]))
      report(limits.update(waiting, new Map(ofApplications.map((quota) => [quota.applicationId, quota.backlog]))))
    } catch (error) {
      log.warn({ err: error }, 'reading the backlog failed, retrying')
    }
    if (!closed) timer = setTimeout(() => void (refreshing = refresh()), restAfter(performance.now() - start))
  }

  let refreshing = refresh()
  await refreshing
  return {
    check(applicationId, platforms) {
      for (const platform of platforms) {
        if (!limits.refuses(applicationId, platform)) continue
        metrics.refused(platform)
        metrics.refusal('backlog')
        throw unavailable(
          `Too many deliveries of this application to ${platform} are waiting; nothing was stored`,
          RETRY_AFTER_S,
        )
      }
    },
    quotaOf: (appId) => quotas.get(appId),
    async close() {
      closed = true
      clearTimeout(timer)
      await refreshing
    },
  }
}
