// Whose messages are refused for the backlog. An application has a limit of its own, where one is set; and when a platform holds
// more than its limit, whoever holds more than an equal share of it is refused, and nobody else. Pure.
import type { Platform } from '@push-server/contract'
import type { WaitingRow } from '@push-server/store'

/** Accepts again at this part of the limit, so that it does not change its mind with every message. */
const RELIEF = 0.8

export interface Refused extends WaitingRow {
  limit: number
}

export interface BacklogLimits {
  /** What waits now, and the limits of single applications by their id. Returns whose refusal began or ended by it. */
  update(
    waiting: readonly WaitingRow[],
    ofApplications: ReadonlyMap<number, number | null>,
  ): { began: Refused[]; ended: Refused[] }
  refuses(applicationId: number, platform: Platform): boolean
  refusesOn(platform: Platform): boolean
}

/** Whether to refuse, by how much waits and whether it was refused until now. */
export const refuses = (waiting: number, limit: number, until: boolean): boolean =>
  waiting > (until ? limit * RELIEF : limit)

export interface BacklogDefaults {
  /** Of a platform, over all applications. */
  platform: number
  /** Of one application on a platform; undefined = as much as the platform. */
  application: number | undefined
}

const keyOf = ({ applicationId, platform }: Pick<WaitingRow, 'applicationId' | 'platform'>) =>
  `${platform}/${applicationId}`

export function createBacklogLimits(defaults: BacklogDefaults): BacklogLimits {
  let full = new Set<Platform>()
  let refused = new Map<string, Refused>()

  /** The equal share of each application on the platforms that are full. */
  function sharesOf(waiting: readonly WaitingRow[]): Map<Platform, number> {
    const shares = new Map<Platform, number>()
    for (const [platform, rows] of Map.groupBy(waiting, (row) => row.platform)) {
      const total = rows.reduce((sum, { deliveries }) => sum + deliveries, 0)
      if (refuses(total, defaults.platform, full.has(platform))) shares.set(platform, defaults.platform / rows.length)
    }
    return shares
  }

  return {
    update(waiting, ofApplications) {
      const shares = sharesOf(waiting)
      const before = refused
      refused = new Map()
      for (const row of waiting) {
        const own = ofApplications.get(row.applicationId) ?? defaults.application ?? Infinity
        const limit = Math.min(own, shares.get(row.platform) ?? Infinity)
        const key = keyOf(row)
        if (refuses(row.deliveries, limit, before.has(key))) refused.set(key, { ...row, limit })
      }
      full = new Set(shares.keys())
      const now = refused
      return {
        began: [...now].flatMap(([key, row]) => (before.has(key) ? [] : row)),
        ended: [...before].flatMap(([key, row]) => (now.has(key) ? [] : row)),
      }
    },
    refuses: (applicationId, platform) => refused.has(keyOf({ applicationId, platform })),
    refusesOn: (platform) => [...refused.values()].some((row) => row.platform === platform),
  }
}
