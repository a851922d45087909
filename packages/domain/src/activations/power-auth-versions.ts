// Which version of its REST interface PowerAuth Server is called by: the later one, unless it lacks that. Pure.

export type PowerAuthVersion = 'v3' | 'v4'
/** The setting POWERAUTH_API. */
export type PowerAuthApi = PowerAuthVersion | 'auto'

/** PowerAuth Server may be replaced by a later one meanwhile. */
const REMEMBERED_MS = 5 * 60_000

export interface PowerAuthVersions {
  /** The version to call by, then the one to call by where PowerAuth Server lacks the first. */
  order(): readonly [PowerAuthVersion, ...PowerAuthVersion[]]
  /** PowerAuth Server lacks the first version of the order and has this one. */
  found(version: PowerAuthVersion): void
}

/** `now` in milliseconds, of a clock that is never set. */
export function createPowerAuthVersions(api: PowerAuthApi, now: () => number): PowerAuthVersions {
  if (api !== 'auto') return { order: () => [api], found: () => {} }
  let earlierUntil = -Infinity
  return {
    order: () => (now() < earlierUntil ? ['v3', 'v4'] : ['v4', 'v3']),
    found: (version) => void (earlierUntil = version === 'v3' ? now() + REMEMBERED_MS : -Infinity),
  }
}
