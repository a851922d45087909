// Back-pressure: when more waits on a platform than its workers get done, new messages to it are refused before they are stored.
import { PLATFORMS, unavailable, type Platform } from '@push-server/contract'
import type { Context } from '../context.ts'

const LOOK_MS = 2000
/** Of a large backlog the look itself takes long; it may cost a twentieth of the time at most. */
const LOOK_SHARE = 20
/** Accepts again at this part of the limit, so that it does not change its mind with every message. */
const RELIEF = 0.8
const RETRY_AFTER_S = 10

export interface BackPressure {
  /** Throws 503 when one of the platforms has too much before it. */
  check(platforms: Iterable<Platform>): void
  close(): Promise<void>
}

/** Whether to refuse, by how much waits and whether it was refused until now. Pure. */
export const refuses = (waiting: number, limit: number, until: boolean): boolean =>
  waiting > (until ? limit * RELIEF : limit)

/** Looks at once and from then on every two seconds, not at each request. While the database does not tell, nothing changes. */
export async function openBackPressure({ config, store, metrics, log }: Context): Promise<BackPressure> {
  const { backlogLimit: limit } = config
  const refusing = new Set<Platform>()
  let timer: NodeJS.Timeout | undefined
  let closed = false

  function turn(platform: Platform, waiting: number): void {
    const before = refusing.has(platform)
    const now = refuses(waiting, limit, before)
    metrics.refusing(platform, now)
    if (now === before) return
    if (now) {
      refusing.add(platform)
      log.error({ platform, waiting, limit }, 'too much waits: messages to this platform are refused')
    } else {
      refusing.delete(platform)
      log.warn({ platform, waiting, limit }, 'the backlog has shrunk: messages to this platform are accepted again')
    }
  }

  async function look(): Promise<void> {
    const start = performance.now()
    try {
      const rows = await store.waiting()
      const waiting = new Map(rows.map(({ platform, deliveries }) => [platform, deliveries]))
      for (const platform of PLATFORMS) turn(platform, waiting.get(platform) ?? 0)
    } catch (error) {
      log.warn({ err: error }, 'the backlog could not be read; the next look tries again')
    }
    const pause = Math.max(LOOK_MS, (performance.now() - start) * LOOK_SHARE)
    if (!closed) timer = setTimeout(() => void (looking = look()), pause)
  }

  let looking = look()
  await looking
  return {
    check(platforms) {
      for (const platform of platforms) {
        if (!refusing.has(platform)) continue
        metrics.refused(platform)
        throw unavailable(`Too many deliveries to ${platform} are waiting; nothing was stored`, RETRY_AFTER_S)
      }
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await looking
    },
  }
}
