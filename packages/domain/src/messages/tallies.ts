// Counts of deliveries by platform and status, in the shape of the responses. Pure.
import { PLATFORMS, type Platform, type Tally } from '@push-server/contract'
import type { StatusCount } from '@push-server/store'

export type Tallies = Record<Platform, Tally>

export function talliesOf(counts: readonly StatusCount[]): Tallies {
  const tallies = Object.fromEntries(
    PLATFORMS.map((platform) => [platform, { sent: 0, pending: 0, failed: 0, total: 0 }]),
  ) as Tallies
  for (const { platform, status, count } of counts) {
    if (status !== 'sent' && status !== 'pending' && status !== 'failed') continue
    tallies[platform][status] += count
    tallies[platform].total += count
  }
  return tallies
}
