// Which applications are refused for the backlog. An application may have a limit of its own. When the backlog of a platform is
// over the platform's limit, the applications with more than an equal share of it are refused, and no others. Pure.
import type { Platform } from '@push-server/contract'
import type { WaitingRow } from '@push-server/store'

/** Messages are accepted again below this part of the limit, so that the state does not flip with every message. */
const RELIEF = 0.8

export interface Refused extends WaitingRow {
  limit: number
}

export interface BacklogLimits {
  /** Takes the current backlog, and the limits of single applications by their id. Returns the refusals that began or ended. */
  update(
    waiting: readonly WaitingRow[],
    ofApplications: ReadonlyMap<number, number | null>,
  ): { began: Refused[]; ended: Refused[] }
  refuses(applicationId: number, platform: Platform): boolean
  refusesOn(platform: Platform): boolean
}

/** Whether a backlog is refused, by its size and by whether it was refused before. */
export const refuses = (waiting: number, limit: number, wasRefused: boolean): boolean =>
  waiting > (wasRefused ? limit * RELIEF : limit)

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
